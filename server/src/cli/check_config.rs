//! `lambd check-config`: what `lambd serve` would say about its configuration, without starting.

use std::io::{self, Write as _};

use crate::config::Source;

/// The arguments: those of `lambd serve`, and whether to print.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: Source,
    /// Print the values in effect, as a configuration file
    #[arg(long)]
    pub print: bool,
}

/// Checks, and says so.
///
/// # Errors
/// The configuration is not valid, or standard output cannot be written.
pub fn run(args: &CheckConfigArgs) -> anyhow::Result<()> {
    let config = super::configuration(&args.source)?;
    let mut out = io::stdout().lock();
    if args.print {
        write!(out, "{}", toml::to_string(&config)?)?;
    } else {
        writeln!(out, "configuration is valid")?;
    }
    Ok(())
}
