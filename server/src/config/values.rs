//! The types of values that have a few words only, and defaults that are read off the machine.

use std::{fmt, fs};

use clap::ValueEnum;
use nix::unistd::{Gid, Uid, User};
use serde::{Deserialize, Serialize};

/// The uid and gid of the API process where the configured user does not exist: outside the ranges
/// that Debian and systemd give to accounts (Debian Policy 9.2.2; systemd `UIDS-GIDS`).
const FALLBACK_ID: u32 = 65_530;
/// The part of the machine's memory that environments may take unless configured, in percent.
const MEMORY_SHARE_PERCENT: u64 = 80;

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Every request must carry a valid signature.
    Sigv4,
    /// Nothing is checked; refused unless the server listens on loopback only.
    Off,
}

/// How the server's own log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object in a line.
    Json,
}

/// How much of the server's own log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What should not have happened.
    Warn,
    /// The life of the server.
    Info,
    /// Each request.
    Debug,
    /// Everything.
    Trace,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

/// Whom the API process becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// User id.
    pub uid: Uid,
    /// Primary group id.
    pub gid: Gid,
    /// Whether an account of that name exists.
    pub exists: bool,
}

impl Ids {
    /// The ids of this account, or 65530 for both where there is none.
    ///
    /// # Errors
    /// The system's account database cannot be read.
    pub fn of(user: &str) -> nix::Result<Self> {
        Ok(match User::from_name(user)? {
            Some(user) => Self { uid: user.uid, gid: user.gid, exists: true },
            None => Self { uid: Uid::from_raw(FALLBACK_ID), gid: Gid::from_raw(FALLBACK_ID), exists: false },
        })
    }
}

/// 80 % of the machine's memory in MiB; 0 where it cannot be read, which the check then refuses.
pub(super) fn memory_share_mib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    mem_total_kib(&text) * MEMORY_SHARE_PERCENT / 100 / 1024
}

fn mem_total_kib(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_total() {
        for (text, expect) in [
            ("MemTotal:       24576000 kB\nMemFree: 1 kB\n", 24_576_000),
            ("MemFree: 1 kB\n", 0),
            ("MemTotal: x kB", 0),
        ] {
            assert_eq!(mem_total_kib(text), expect);
        }
        assert!(memory_share_mib() > 0);
    }

    #[test]
    fn accounts() {
        assert_eq!(Ids::of("root").unwrap().uid, Uid::from_raw(0));
        let none = Ids::of("no-such-account-here").unwrap();
        assert_eq!((none.uid.as_raw(), none.gid.as_raw(), none.exists), (65_530, 65_530, false));
    }
}
