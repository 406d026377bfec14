//! A notice to the operator that may be due a thousand times a second and is given once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The least time between two notices.
const PAUSE: Duration = Duration::from_secs(60);

/// When one kind of notice was last given.
#[derive(Debug, Default)]
pub(super) struct Notice {
    last: Mutex<Option<Instant>>,
}

impl Notice {
    /// Whether to give it now; then not again for a minute.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let (notice, start) = (Notice::default(), Instant::now());
        let due = |s| notice.is_due(start + Duration::from_secs(s));
        assert_eq!([0, 1, 59, 60, 61, 119, 120].map(due), [true, false, false, true, false, false, true]);
    }
}
