//! `lambd doctor`: checks that this machine has what the server needs, and says how to fix what is missing.

mod checks;

use std::io::{self, Write};

use anyhow::bail;

use self::checks::{Check, Finding};
use super::ServerArgs;
use super::serve::DatabaseKind;

/// The arguments of `lambd doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The server to check for.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Prints one line for each check: `ok`, `note` (the server works all the same) or `missing`.
///
/// # Errors
/// Something that the server needs is missing, or standard output cannot be written.
pub fn run(args: DoctorArgs, database: &DatabaseKind) -> anyhow::Result<()> {
    let config = args.server.load()?;
    report(&checks::all(&config, database), &mut io::stdout().lock())
}

fn report(checks: &[Check], out: &mut impl Write) -> anyhow::Result<()> {
    let mut missing = 0;
    for check in checks {
        match &check.found {
            Finding::Ok(detail) => writeln!(out, "ok       {}: {detail}", check.what)?,
            Finding::Note(remedy) => writeln!(out, "note     {}: {remedy}", check.what)?,
            Finding::Missing(remedy) => {
                missing += 1;
                writeln!(out, "missing  {}: {remedy}", check.what)?;
            }
        }
    }
    match missing {
        0 => Ok(()),
        1 => bail!("1 thing that the server needs is missing"),
        _ => bail!("{missing} things that the server needs are missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_fails() {
        let check = |what, found| Check { what, found };
        let mut checks =
            vec![check("a", Finding::Ok("1".to_owned())), check("b", Finding::Note("do this".to_owned()))];
        let mut out = Vec::new();
        report(&checks, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "ok       a: 1\nnote     b: do this\n");
        checks.push(check("c", Finding::Missing("do that".to_owned())));
        let mut out = Vec::new();
        assert!(report(&checks, &mut out).unwrap_err().to_string().starts_with("1 thing that"));
        assert!(out.ends_with(b"missing  c: do that\n"));
    }
}
