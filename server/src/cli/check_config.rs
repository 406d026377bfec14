//! `lambd check-config`: checks the configuration of `lambd serve` without starting anything.

use std::io::{self, Write as _};

use crate::config::Source;

/// The arguments of `lambd check-config`: those of `lambd serve`, and `--print`.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: Source,
    /// Print the values in effect, as a configuration file
    #[arg(long)]
    pub print: bool,
}

/// Checks the configuration and prints that it is valid.
///
/// # Errors
/// The configuration is not valid, or standard output cannot be written.
pub fn run(args: &CheckConfigArgs) -> anyhow::Result<()> {
    let config = super::configuration(&args.source)?;
    config.access_rules()?;
    let mut out = io::stdout().lock();
    if args.print {
        write!(out, "{}", toml::to_string(&config)?)?;
    } else {
        writeln!(out, "configuration is valid")?;
    }
    Ok(())
}
