//! `lambd version`: prints the version.

use std::io::{self, Write as _};

/// Prints `lambd X.Y.Z`.
///
/// # Errors
/// Standard output cannot be written.
pub fn run() -> anyhow::Result<()> {
    writeln!(io::stdout(), "lambd {}", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
