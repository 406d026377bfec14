//! The end of dispatch: nothing is provisioned any more, running invocations may complete, then every idle
//! environment ends.

use std::time::Duration;

use super::Dispatcher;
use crate::environment::Environment;

impl Dispatcher {
    /// Waits until no invocation is in flight, at most `limit`; then ends every idle environment. Returns the
    /// number of invocations that were still running.
    pub async fn drain(&self, limit: Duration) -> u32 {
        self.admission.with(|state, _| state.provisions.stop());
        let quiet = async {
            loop {
                let ended = self.admission.ended.notified();
                if self.admission.with(|state, _| state.scaler.in_flight()) == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(limit, quiet).await;
        let idle = self.admission.with(|state, _| state.pool.clear());
        for terminating in idle.into_iter().map(Environment::terminating).collect::<Vec<_>>() {
            // The task does not panic, so that there is no error to handle.
            let _ = terminating.await;
        }
        self.admission.with(|state, _| state.scaler.in_flight())
    }
}
