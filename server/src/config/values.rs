//! The types of values that have a few words only, and defaults that are read off the machine.

use std::ops::Range;
use std::{fmt, fs};

use clap::ValueEnum;
use nix::unistd::{Gid, Uid, User};
use serde::{Deserialize, Serialize};

/// The uids and gids of API processes where the configured user does not exist: a range that neither Debian nor
/// systemd give to accounts (Debian Policy 9.2.2; systemd `UIDS-GIDS`), beside that of the sandboxes.
const STAND_INS: Range<u32> = 1_890_000_000..1_891_000_000;
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
pub enum ServerLogFormat {
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
}

impl Ids {
    /// The ids of this account; `None` where there is none of that name.
    ///
    /// # Errors
    /// The system's account database cannot be read.
    pub fn of(user: &str) -> nix::Result<Option<Self>> {
        Ok(User::from_name(user)?.map(|user| Self { uid: user.uid, gid: user.gid }))
    }

    /// Ids for a server without an account: its own, since processes of one user id can signal and trace each
    /// other. `owner`, who has its data, stays if it is such an id; else one follows from `digest`, the server's
    /// name.
    pub fn stand_in(digest: u32, owner: Option<u32>) -> Self {
        let made = STAND_INS.start + digest % (STAND_INS.end - STAND_INS.start);
        let id = owner.filter(|owner| STAND_INS.contains(owner)).unwrap_or(made);
        Self { uid: Uid::from_raw(id), gid: Gid::from_raw(id) }
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
        assert_eq!(Ids::of("root").unwrap().map(|ids| ids.uid), Some(Uid::from_raw(0)));
        assert_eq!(Ids::of("no-such-account-here"), Ok(None));
    }

    #[test]
    fn stand_ins_are_one_per_server_and_keep_what_they_have() {
        let (one, other) = (Ids::stand_in(0, None), Ids::stand_in(u32::MAX, None));
        assert!(one != other && one == Ids::stand_in(0, Some(65_530)), "{one:?} {other:?}");
        for ids in [one, other] {
            assert!(STAND_INS.contains(&ids.uid.as_raw()) && ids.uid.as_raw() == ids.gid.as_raw(), "{ids:?}");
        }
        assert_eq!(Ids::stand_in(u32::MAX, Some(one.uid.as_raw())), one, "the data moved to another folder");
    }
}
