//! Level-triggered waiting.

use std::time::{Duration, Instant};

/// How long a condition may take to hold before a test gives up. It bounds a failure, not a success.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Asks `check` until it gives a value.
///
/// # Errors
/// The first error of `check`, or one that names `what` after [`WAIT_TIMEOUT`].
pub fn until<T>(what: &str, mut check: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let end = Instant::now() + WAIT_TIMEOUT;
    loop {
        if let Some(value) = check()? {
            return Ok(value);
        }
        anyhow::ensure!(Instant::now() < end, "not within {} s: {what}", WAIT_TIMEOUT.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}
