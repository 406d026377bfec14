//! Lines for the operator that would flood the log if each occasion wrote one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same remark is not repeated.
const SILENCE: Duration = Duration::from_secs(60);

/// A line of the server's log that is written once a minute at most.
#[derive(Debug, Default)]
pub struct Remark(Mutex<Option<Instant>>);

impl Remark {
    /// Writes the line, unless it was written within the last minute.
    pub fn make(&self, remark: impl FnOnce()) {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= SILENCE) {
            *last = Some(now);
            drop(last);
            remark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_not_repeated_within_a_minute() {
        let (remark, mut made) = (Remark::default(), 0);
        for _ in 0..3 {
            remark.make(|| made += 1);
        }
        assert_eq!(made, 1);
    }
}
