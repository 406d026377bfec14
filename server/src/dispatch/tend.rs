//! What happens to idle environments in the background: freezing, expiry, and the end of it all.

use std::sync::Arc;
use std::time::Duration;

use super::Dispatcher;
use crate::environment::Environment;

/// An environment is frozen when it has been idle this long, so that back-to-back invocations pay no thaw.
const FREEZE_AFTER: Duration = Duration::from_millis(50);

/// Environments frozen under one hold of the lock: each costs a write to its control group.
const FREEZE_STEP: usize = 8;

impl Dispatcher {
    /// Freezes idle environments, and ends those idle for longer than `keep_alive`. Runs for ever.
    pub async fn tend(self: Arc<Self>, keep_alive: Duration) {
        let freezer = Arc::clone(&self);
        tokio::join!(freezer.freeze_idle(), self.expire_idle(keep_alive));
    }

    async fn freeze_idle(&self) {
        loop {
            self.core.rested.notified().await;
            loop {
                let before = |now: Duration| now.saturating_sub(FREEZE_AFTER);
                let (frozen, thawed) =
                    self.core.with(|state, now| state.pool.freeze_older(before(now), FREEZE_STEP));
                match (frozen, thawed) {
                    (_, 0) => break,
                    // More may be due: let others at the lock first.
                    (FREEZE_STEP, _) => tokio::task::yield_now().await,
                    _ => tokio::time::sleep(FREEZE_AFTER).await,
                }
            }
        }
    }

    async fn expire_idle(&self, keep_alive: Duration) {
        let period = (keep_alive / 10).clamp(Duration::from_millis(100), Duration::from_secs(30));
        loop {
            tokio::time::sleep(period).await;
            let expired = self.core.with(|state, now| {
                state.scaler.sweep(now);
                now.checked_sub(keep_alive).map(|before| state.pool.expire_older(before))
            });
            expired.into_iter().flatten().for_each(|environment| drop(environment.bury()));
        }
    }

    /// Waits until no invocation is in flight, at most `limit`; then ends every idle environment. Returns how
    /// many invocations were cut off.
    pub async fn drain(&self, limit: Duration) -> u32 {
        let quiet = async {
            loop {
                let ended = self.core.ended.notified();
                if self.core.with(|state, _| state.scaler.in_flight()) == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(limit, quiet).await;
        let idle = self.core.with(|state, _| state.pool.clear());
        for buried in idle.into_iter().map(Environment::bury).collect::<Vec<_>>() {
            // A task of ours that does not panic.
            let _ = buried.await;
        }
        self.core.with(|state, _| state.scaler.in_flight())
    }
}
