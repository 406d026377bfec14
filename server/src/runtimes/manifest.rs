//! `runtime.toml`: the description of a runtime by the operator or by `lambd runtime install`.
//!
//! ```toml
//! identifier = "ruby3.4"
//! root = "host"                          # or a folder beside this file, such as "rootfs"
//! interpreter = "/opt/ruby/bin/ruby"     # for the reader; nothing depends on it
//! bootstrap = ["/var/runtime/bootstrap"] # the first that exists and is executable is started
//! [bind]                                 # more of the host, read-only; nobody but root may write there
//! "/var/lang" = "/opt/ruby"
//! "/etc/java-17-openjdk" = "/etc/java-17-openjdk"
//! [environment]
//! PATH = "/var/lang/bin:/usr/bin:/bin"
//! ```
//!
//! The folders `runtime` and `lang` beside it are shown as `/var/runtime` and `/var/lang`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use lambd_model::Sha256;
use serde::{Deserialize, Serialize};

use super::RuntimeError;

/// The name of the manifest's file.
pub(super) const FILE_NAME: &str = "runtime.toml";

/// Largest manifest; it is read when an environment starts with a runtime that has changed.
const SIZE_MAX_BYTES: u64 = 64 << 10;

/// Paths at which a sandbox can show something, in addition to those below `/etc`. The sandbox has its own
/// `/tmp`, `/proc` and `/dev`; `/var/task` and `/opt` belong to the function.
const TARGETS: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/var/runtime", "/var/lang"];

/// A runtime as `runtime.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// AWS's identifier; also the name of the runtime's folder.
    pub identifier: String,
    /// The source of `/usr`, `/bin`, `/lib*` and `/etc`.
    pub root: Root,
    /// The interpreter and its version; only shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// Names the recipe and the versions from which `install` has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Candidates for the program to start: absolute paths inside the sandbox.
    pub bootstrap: Vec<PathBuf>,
    /// Further read-only binds, from target to source, both absolute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bind: BTreeMap<PathBuf, PathBuf>,
    /// The runtime's own environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// The source of a runtime's system folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Root {
    /// The host's own folders, bound read-only, so that nothing must be installed or updated twice.
    Host,
    /// A folder of the runtime with this name.
    Tree(String),
}

impl From<String> for Root {
    fn from(text: String) -> Self {
        if text == "host" { Self::Host } else { Self::Tree(text) }
    }
}

impl From<Root> for String {
    fn from(root: Root) -> Self {
        match root {
            Root::Host => "host".to_owned(),
            Root::Tree(name) => name,
        }
    }
}

impl Manifest {
    /// Reads and checks the manifest of the runtime in `dir`.
    pub(super) fn read(dir: &Path) -> Result<Self, RuntimeError> {
        let path = dir.join(FILE_NAME);
        let size_bytes = fs::metadata(&path).map_err(RuntimeError::io("read", &path))?.len();
        if size_bytes > SIZE_MAX_BYTES {
            return Err(RuntimeError::Rule { path, what: format!("larger than {SIZE_MAX_BYTES} bytes") });
        }
        let text = fs::read_to_string(&path).map_err(RuntimeError::io("read", &path))?;
        let manifest: Self =
            toml::from_str(&text).map_err(|source| RuntimeError::Manifest { path: path.clone(), source })?;
        match manifest.broken_rule() {
            Some(what) => Err(RuntimeError::Rule { path, what }),
            None => Ok(manifest),
        }
    }

    /// Writes the manifest into `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<(), RuntimeError> {
        let path = dir.join(FILE_NAME);
        fs::write(&path, self.to_toml()?).map_err(RuntimeError::io("write", &path))
    }

    /// A digest of the content, independent of the file's layout.
    pub(super) fn digest(&self) -> Result<String, RuntimeError> {
        Ok(Sha256::of(self.to_toml()?.as_bytes()).hex())
    }

    pub(super) fn to_toml(&self) -> Result<String, RuntimeError> {
        toml::to_string(self)
            .map_err(|source| RuntimeError::Unwritable { identifier: self.identifier.clone(), source })
    }

    fn broken_rule(&self) -> Option<String> {
        if !valid_identifier(&self.identifier) {
            return Some(format!("{:?} is not an identifier", self.identifier));
        }
        if let Root::Tree(name) = &self.root
            && !plain_name(name)
        {
            return Some(format!("root {name:?} is neither \"host\" nor the name of a folder beside it"));
        }
        if self.bootstrap.is_empty() {
            return Some("bootstrap names no program".to_owned());
        }
        if let Some(path) = self.bootstrap.iter().find(|path| !absolute(path)) {
            return Some(format!("bootstrap {} is not an absolute path", path.display()));
        }
        for (target, source) in &self.bind {
            let below_etc = target.starts_with("/etc") && target != Path::new("/etc");
            if !absolute(target) || !below_etc && !TARGETS.iter().any(|allowed| target == Path::new(allowed))
            {
                let allowed = TARGETS.join(", ");
                return Some(format!("bind {} is neither below /etc nor one of {allowed}", target.display()));
            }
            if !absolute(source) {
                return Some(format!("bind source {} is not an absolute path", source.display()));
            }
        }
        let bad = |(key, value): &(&String, &String)| {
            key.is_empty() || key.contains(['=', '\0']) || value.contains('\0')
        };
        self.environment.iter().find(bad).map(|(key, _)| format!("environment {key:?} cannot be a variable"))
    }
}

/// Whether this can be a runtime's identifier and the name of its folder: 1 to 64 of `a-z 0-9 . - _`, not
/// beginning with a dot.
pub(super) fn valid_identifier(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    (1..=64).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(allowed)
}

fn plain_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

fn absolute(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| part != Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The launcher must be able to mount every allowed target; the function's own two are not allowed.
    #[test]
    fn targets_are_mount_points_of_the_sandbox() {
        let mut all = [&TARGETS[..], &["/var/task", "/opt"]].concat();
        let mut mount_points = lambd_sandbox::MOUNT_POINTS;
        all.sort_unstable();
        mount_points.sort_unstable();
        assert_eq!(all, mount_points);
        assert!(crate::runtimes::host::SYSTEM_DIRS.iter().all(|dir| all.contains(&&*format!("/{dir}"))));
    }

    fn parse(text: &str) -> Result<Manifest, String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE_NAME), text).unwrap();
        Manifest::read(dir.path()).map_err(|e| match e {
            RuntimeError::Manifest { source, .. } => source.message().to_owned(),
            RuntimeError::Rule { what, .. } => what,
            other => other.to_string(),
        })
    }

    const GOOD: &str = "identifier = 'ruby3.4'\nroot = 'host'\nbootstrap = ['/var/runtime/bootstrap']\n";

    #[test]
    fn a_manifest_that_was_written_is_read_back() {
        let text = format!("{GOOD}[bind]\n'/var/lang' = '/opt/ruby'\n[environment]\nA = 'b'\n");
        let read = parse(&text).unwrap();
        assert_eq!(read.root, Root::Host);
        let dir = tempfile::tempdir().unwrap();
        read.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), read);
    }

    #[test]
    fn a_manifest_that_breaks_a_rule_is_refused() {
        for (from, to, want) in [
            ("ruby3.4", "../etc", "identifier"),
            ("ruby3.4", ".hidden", "identifier"),
            ("'host'", "'../..'", "root"),
            ("'host'", "''", "root"),
            ("'host'", "'host'\nwhat = 1", "unknown field `what`"),
            ("['/var/runtime/bootstrap']", "[]", "names no program"),
            ("'/var/runtime/bootstrap'", "'bootstrap'", "not an absolute path"),
            ("bootstrap']\n", "bootstrap']\n[bind]\n'/tmp' = '/tmp'\n", "is neither below /etc"),
            ("bootstrap']\n", "bootstrap']\n[bind]\n'/etc' = '/etc'\n", "is neither below /etc"),
            ("bootstrap']\n", "bootstrap']\n[bind]\n'/var/lang/lib' = '/opt'\n", "is neither below /etc"),
            ("bootstrap']\n", "bootstrap']\n[bind]\n'/etc/../tmp' = '/tmp'\n", "is neither below /etc"),
            ("bootstrap']\n", "bootstrap']\n[bind]\n'/var/lang' = 'lang'\n", "bind source"),
            ("bootstrap']\n", "bootstrap']\n[environment]\n'A=B' = ''\n", "environment"),
        ] {
            let told = parse(&GOOD.replace(from, to)).unwrap_err();
            assert!(told.contains(want), "{to}: {told}");
        }
    }
}
