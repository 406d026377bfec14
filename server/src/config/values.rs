//! Types of values that are one of a few words, and defaults that depend on the machine.

use std::ops::Range;
use std::{fmt, fs};

use clap::ValueEnum;
use nix::unistd::{Gid, Uid, User};
use serde::{Deserialize, Serialize};

/// User and group ids of API processes if the configured user does not exist. Neither Debian nor systemd uses
/// this range (Debian Policy 9.2.2; systemd `UIDS-GIDS`); the range of the sandboxes is next to it.
const STAND_INS: Range<u32> = 1_890_000_000..1_891_000_000;
/// The default share of the machine's memory that environments may use, in percent.
const MEMORY_SHARE_PERCENT: u64 = 80;

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Every request must carry a valid signature.
    Sigv4,
    /// Signatures are not checked. Refused unless the server listens on a loopback address.
    Off,
}

/// What a role may do that has no policy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RoleRights {
    /// What every function needs: to invoke functions and to write its logs.
    Execution,
    /// Everything in its account.
    Everything,
    /// Nothing.
    Nothing,
}

/// The form of the server's own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ServerLogFormat {
    /// Lines for people.
    Human,
    /// One JSON object in a line.
    Json,
}

/// The least important events of the server's own log that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures.
    Error,
    /// Events that an operator should act on.
    Warn,
    /// Start, end and other changes of the server.
    Info,
    /// Details of each request.
    Debug,
    /// All events, also those of libraries.
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

/// User and group of the API process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// User id.
    pub uid: Uid,
    /// Primary group id.
    pub gid: Gid,
}

impl Ids {
    /// The ids of this account; `None` if there is no account of that name.
    ///
    /// # Errors
    /// The system's account database cannot be read.
    pub fn of(user: &str) -> nix::Result<Option<Self>> {
        Ok(User::from_name(user)?.map(|user| Self { uid: user.uid, gid: user.gid }))
    }

    /// Ids for a server without an account. They are its own, because processes of one user can signal and
    /// trace each other. If `owner`, who owns the data, is in the range for this, it is kept; else the id
    /// follows from `digest`, a number made from the server's name.
    pub fn stand_in(digest: u32, owner: Option<u32>) -> Self {
        let made = STAND_INS.start + digest % (STAND_INS.end - STAND_INS.start);
        let id = owner.filter(|owner| STAND_INS.contains(owner)).unwrap_or(made);
        Self { uid: Uid::from_raw(id), gid: Gid::from_raw(id) }
    }
}

/// 80 % of the machine's memory in MiB; 0 if it cannot be read, which the check refuses.
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
    fn the_total_of_the_memory_is_read() {
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
    fn an_account_is_found_by_its_name() {
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
