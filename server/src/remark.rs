//! Remarks for the operator that would flood the log if each occasion made one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a remark that was made is not made again.
const SILENCE: Duration = Duration::from_secs(60);

/// A line of the server's log that is made once a minute at most.
#[derive(Debug, Default)]
pub struct Remark(Mutex<Option<Instant>>);

impl Remark {
    /// Makes it, unless it was made within the last minute.
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
    fn a_remark_is_made_once() {
        let (remark, mut made) = (Remark::default(), 0);
        for _ in 0..3 {
            remark.make(|| made += 1);
        }
        assert_eq!(made, 1);
    }
}
