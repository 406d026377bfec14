//! The specification of a sandbox, and the check that the launcher makes before anything else.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Everything that distinguishes one sandbox from another.
///
/// The limits named here are enforced by the launcher, which does not trust the process that asks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Spec {
    /// Name of the environment in messages, 1–64 hexadecimal digits.
    pub id: String,
    /// Files and folders of the host that the sandbox sees, read-only; at most 32.
    pub binds: Vec<Bind>,
    /// Files made for this sandbox; at most 64, owned by root.
    pub files: Vec<FileSpec>,
    /// Symbolic links; at most 64.
    pub symlinks: Vec<SymlinkSpec>,
    /// The program (absolute, as seen inside) and its arguments; 1–256.
    pub argv: Vec<Vec<u8>>,
    /// `NAME=value` pairs; at most 512. With `argv` at most 96 KiB.
    pub env: Vec<Vec<u8>>,
    /// Working folder of the program, as seen inside.
    pub cwd: PathBuf,
    /// Host name inside, 1–63 letters, digits, dots and hyphens.
    pub hostname: String,
    /// Hard limit of memory in MiB, 16–65,536. Swap is not used.
    pub memory_mib: u32,
    /// Share of CPU in thousandths of one CPU, 1–1,024,000. It applies after
    /// [`Control::set_cpu_quota`](crate::Control::set_cpu_quota) has turned it on.
    pub cpu_quota_permille: u32,
    /// Share of CPU before that, from the program's first instruction on, in the same unit.
    pub cpu_init_permille: u32,
    /// Size of `/tmp` in MiB, 1–10,240.
    pub tmp_mib: u32,
    /// Most processes and threads of the function, 1–4,096.
    pub processes_max: u32,
}

/// A file or folder of the host that the sandbox sees, always read-only, `nosuid` and `nodev`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Absolute path; one that [`LauncherConfig`](crate::LauncherConfig) allows.
    pub source: PathBuf,
    /// One of [`MOUNT_POINTS`], or a path under `/etc`.
    pub target: PathBuf,
}

/// A file made for the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSpec {
    /// Path below `/etc`, or directly in `/`.
    pub path: PathBuf,
    /// Permission bits; set-id bits are refused.
    pub mode: u32,
    /// The file's content.
    #[serde(with = "crate::protocol::bytes")]
    pub content: Vec<u8>,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymlinkSpec {
    /// Path below `/etc`, or directly in `/`.
    pub link: PathBuf,
    /// Target of the link, resolved only inside the sandbox.
    pub to: PathBuf,
}

/// Address inside a sandbox at which the Runtime API listens.
pub const RUNTIME_API: &str = "127.0.0.1:9001";

/// The places where a bind may be mounted, besides paths under `/etc`.
pub const MOUNT_POINTS: [&str; 11] = [
    "/var/task",
    "/opt",
    "/var/runtime",
    "/var/lang",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
];

const BINDS_MAX: usize = 32;
const FILES_MAX: usize = 64;
const SYMLINKS_MAX: usize = 64;
const ARGUMENTS_MAX: usize = 256;
const VARIABLES_MAX: usize = 512;
const STRINGS_BYTES_MAX: usize = 96 * 1024;

/// Why a specification was refused. Nothing has been made for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SpecError {
    /// A value is outside its range or a list is too long.
    #[error("{what} is {value}, allowed is {min} to {max}")]
    OutOfRange {
        /// The member of [`Spec`].
        what: String,
        /// The value in the request.
        value: u64,
        /// The smallest allowed value.
        min: u64,
        /// The largest allowed value.
        max: u64,
    },
    /// A text is empty or has a character that is not allowed.
    #[error("{what} is malformed")]
    Malformed {
        /// The member of [`Spec`].
        what: String,
    },
    /// A path is not absolute and plain, or is not an allowed place.
    #[error("{what} {path:?} is not an allowed place")]
    Place {
        /// `bind target`, `file`, `link` or `working folder`.
        what: String,
        /// The path.
        path: PathBuf,
    },
    /// One of two binds lies in the other.
    #[error("bind target {path:?} lies in another one")]
    Nested {
        /// The inner path.
        path: PathBuf,
    },
    /// The source of a bind is not allowed by the configuration.
    #[error("bind source {path:?} is not beneath an allowed folder")]
    Source {
        /// The path.
        path: PathBuf,
    },
}

impl Spec {
    /// Checks everything that can be checked without touching the machine.
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        self.check_numbers()?;
        let hex = self.id.bytes().all(|b| b.is_ascii_hexdigit());
        demand(hex && !self.id.is_empty(), "id")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        demand(!self.hostname.is_empty() && self.hostname.bytes().all(plain), "hostname")?;
        demand(self.argv.first().is_some_and(|program| program.starts_with(b"/")), "argv")?;
        let mut strings = self.argv.iter().chain(&self.env);
        demand(strings.all(|text| !text.contains(&0)), "argv or env")?;
        demand(self.env.iter().all(|pair| pair.iter().skip(1).any(|b| *b == b'=')), "env")?;
        self.check_places()
    }

    fn check_numbers(&self) -> Result<(), SpecError> {
        let strings: usize = self.argv.iter().chain(&self.env).map(|text| text.len() + 1).sum();
        let modes = self.files.iter().map(|file| file.mode).max().unwrap_or_default();
        let checks: [(&str, u64, u64, u64); 14] = [
            ("id length", self.id.len() as u64, 1, 64),
            ("hostname length", self.hostname.len() as u64, 1, 63),
            ("binds", self.binds.len() as u64, 0, BINDS_MAX as u64),
            ("files", self.files.len() as u64, 0, FILES_MAX as u64),
            ("symlinks", self.symlinks.len() as u64, 0, SYMLINKS_MAX as u64),
            ("argv", self.argv.len() as u64, 1, ARGUMENTS_MAX as u64),
            ("env", self.env.len() as u64, 0, VARIABLES_MAX as u64),
            ("argv and env bytes", strings as u64, 1, STRINGS_BYTES_MAX as u64),
            ("file mode", modes.into(), 0, 0o777),
            ("memory_mib", self.memory_mib.into(), 16, 65_536),
            ("cpu_quota_permille", self.cpu_quota_permille.into(), 1, 1_024_000),
            ("cpu_init_permille", self.cpu_init_permille.into(), 1, 1_024_000),
            ("tmp_mib", self.tmp_mib.into(), 1, 10_240),
            ("processes_max", self.processes_max.into(), 1, 4_096),
        ];
        for (what, value, min, max) in checks {
            if !(min..=max).contains(&value) {
                return Err(SpecError::OutOfRange { what: what.into(), value, min, max });
            }
        }
        Ok(())
    }

    fn check_places(&self) -> Result<(), SpecError> {
        for bind in &self.binds {
            if !is_plain(&bind.source) {
                return Err(SpecError::Source { path: bind.source.clone() });
            }
            let fixed = MOUNT_POINTS.iter().any(|point| bind.target == Path::new(point));
            place("bind target", &bind.target, fixed || is_below_etc(&bind.target))?;
        }
        for (n, bind) in self.binds.iter().enumerate() {
            let inside = |(m, other): (usize, &Bind)| m != n && bind.target.starts_with(&other.target);
            if self.binds.iter().enumerate().any(inside) {
                return Err(SpecError::Nested { path: bind.target.clone() });
            }
        }
        for file in &self.files {
            place("file", &file.path, is_below_etc(&file.path) || is_below_root(&file.path))?;
        }
        for symlink in &self.symlinks {
            place("link", &symlink.link, is_below_etc(&symlink.link) || is_below_root(&symlink.link))?;
            demand(!symlink.to.as_os_str().is_empty(), "symlink")?;
        }
        place("working folder", &self.cwd, self.cwd == Path::new("/") || is_plain(&self.cwd))
    }
}

fn demand(holds: bool, what: &str) -> Result<(), SpecError> {
    if holds { Ok(()) } else { Err(SpecError::Malformed { what: what.into() }) }
}

fn place(what: &str, path: &Path, allowed: bool) -> Result<(), SpecError> {
    if allowed && is_plain_or_root(path) {
        return Ok(());
    }
    Err(SpecError::Place { what: what.into(), path: path.to_owned() })
}

fn is_plain_or_root(path: &Path) -> bool {
    path == Path::new("/") || is_plain(path)
}

/// Whether the path is absolute, below the root, with normal components only and no NUL byte.
pub(crate) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    let bytes = path.as_os_str().as_encoded_bytes();
    parts.next() == Some(Component::RootDir)
        && parts.clone().next().is_some()
        && parts.all(|part| matches!(part, Component::Normal(_)))
        && !bytes.contains(&0)
}

fn is_below_etc(path: &Path) -> bool {
    is_plain(path) && path.starts_with("/etc") && path != Path::new("/etc")
}

/// Whether the path is a name directly in the root and not a folder of the skeleton.
fn is_below_root(path: &Path) -> bool {
    const TAKEN: [&str; 5] = ["/dev", "/proc", "/tmp", "/etc", "/var"];
    is_plain(path) && path.components().count() == 2 && !TAKEN.iter().any(|taken| path == Path::new(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Spec {
        Spec {
            id: "0a".into(),
            argv: vec![b"/bin/true".to_vec()],
            env: vec![b"A=1".to_vec(), b"B=".to_vec()],
            cwd: "/".into(),
            hostname: "h".into(),
            memory_mib: 128,
            cpu_quota_permille: 72,
            cpu_init_permille: 1000,
            tmp_mib: 512,
            processes_max: 1024,
            ..Spec::default()
        }
    }

    fn bind(source: &str, target: &str) -> Bind {
        Bind { source: source.into(), target: target.into() }
    }

    #[test]
    fn a_plain_specification_passes() {
        let mut spec = good();
        spec.binds = vec![bind("/usr", "/usr"), bind("/x/y", "/etc/ssl"), bind("/x", "/var/task")];
        spec.files = vec![FileSpec { path: "/lambda-entrypoint.sh".into(), mode: 0o755, content: vec![] }];
        spec.symlinks = vec![SymlinkSpec { link: "/bin".into(), to: "usr/bin".into() }];
        assert_eq!(spec.check(), Ok(()));
    }

    #[test]
    fn each_fault_of_a_specification_is_refused() {
        type Fault = fn(&mut Spec);
        let faults: [(&str, Fault); 22] = [
            ("empty id", |s| s.id.clear()),
            ("id with a slash", |s| s.id = "../a".into()),
            ("no program", |s| s.argv.clear()),
            ("relative program", |s| s.argv = vec![b"sh".to_vec()]),
            ("NUL in an argument", |s| s.argv.push(b"a\0b".to_vec())),
            ("variable without =", |s| s.env.push(b"AB".to_vec())),
            ("variable without a name", |s| s.env.push(b"=B".to_vec())),
            ("too many variables", |s| s.env = vec![b"A=".to_vec(); 513]),
            ("too long", |s| s.env = vec![vec![b'='; 97 * 1024]]),
            ("relative cwd", |s| s.cwd = "tmp".into()),
            ("dots in cwd", |s| s.cwd = "/tmp/..".into()),
            ("hostname", |s| s.hostname = "a b".into()),
            ("no memory", |s| s.memory_mib = 0),
            ("huge tmp", |s| s.tmp_mib = 10_241),
            ("target /proc", |s| s.binds = vec![bind("/usr", "/proc")]),
            ("target with dots", |s| s.binds = vec![bind("/usr", "/etc/../proc")]),
            ("target /etc itself", |s| s.binds = vec![bind("/usr", "/etc")]),
            ("relative source", |s| s.binds = vec![bind("usr", "/usr")]),
            ("nested", |s| s.binds = vec![bind("/a", "/etc/a"), bind("/b", "/etc/a/b")]),
            ("same target twice", |s| s.binds = vec![bind("/a", "/opt"), bind("/b", "/opt")]),
            ("file in /tmp", |s| {
                s.files = vec![FileSpec { path: "/tmp/x".into(), mode: 0o644, content: vec![] }];
            }),
            ("setuid file", |s| {
                s.files = vec![FileSpec { path: "/etc/x".into(), mode: 0o4755, content: vec![] }];
            }),
        ];
        for (what, fault) in faults {
            let mut spec = good();
            fault(&mut spec);
            assert!(spec.check().is_err(), "{what} was accepted");
        }
    }
}
