//! Freezes and expires idle environments in the background.

use std::sync::Arc;
use std::time::Duration;

use lambd_engine::pool::Freezing;

use super::Dispatcher;
use crate::environment::Environment;

/// How long an environment is idle before it is frozen: an invocation soon after another needs no thaw.
const FREEZE_AFTER: Duration = Duration::from_millis(50);

/// Environments frozen under the lock at a time: each costs a write to its control group.
const FREEZE_STEP: usize = 8;

impl Dispatcher {
    /// Freezes idle environments, and ends those idle for longer than `keep_alive`. Never returns.
    pub async fn manage_idle(self: Arc<Self>, keep_alive: Duration) {
        let freezer = Arc::clone(&self);
        tokio::join!(freezer.freeze_idle(), self.expire_idle(keep_alive));
    }

    async fn freeze_idle(&self) {
        loop {
            self.admission.rested.notified().await;
            loop {
                let before = |now: Duration| now.saturating_sub(FREEZE_AFTER);
                match self.admission.with(|state, now| state.pool.freeze_older(before(now), FREEZE_STEP)) {
                    Freezing::Done => break,
                    // Lets waiting tasks take the lock.
                    Freezing::MoreNow => tokio::task::yield_now().await,
                    Freezing::Later => tokio::time::sleep(FREEZE_AFTER).await,
                }
            }
        }
    }

    async fn expire_idle(&self, keep_alive: Duration) {
        let period = (keep_alive / 10).clamp(Duration::from_millis(100), Duration::from_secs(30));
        loop {
            tokio::time::sleep(period).await;
            let expired = self.admission.with(|state, now| {
                state.scaler.sweep(now);
                now.checked_sub(keep_alive).map(|before| state.pool.expire_older(before))
            });
            expired.into_iter().flatten().for_each(Environment::terminate);
        }
    }
}
