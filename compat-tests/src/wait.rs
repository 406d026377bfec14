//! Waiting until a condition holds.

use std::time::{Duration, Instant};

/// How long a condition may take to hold before the test fails.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Calls `check` until it returns a value.
///
/// # Errors
/// The first error of `check`, or after [`WAIT_TIMEOUT`] one that names `what`.
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
