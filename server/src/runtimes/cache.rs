//! Finished runtimes, which any data directory of this machine can use.
//!
//! The name of an entry contains the runtime and a digest of all its parts: the recipe, the client's version,
//! the interpreter's version and path. An entry is never changed.

use std::path::{Path, PathBuf};
use std::{env, fs};

use lambd_model::hex;
use sha2::{Digest as _, Sha256};

use super::files::{self, Staging};
use super::{RuntimeError, manifest};

/// The cache folder.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Opens the cache at `dir`, or at the default place: `/var/cache/lambd` for root, else
    /// `$XDG_CACHE_HOME/lambd` or `~/.cache/lambd`.
    ///
    /// # Errors
    /// The folder cannot be made, or other users can write to it.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, RuntimeError> {
        let dir = dir.map_or_else(usual_dir, Path::to_owned);
        files::make_dirs(&dir)?;
        let dir = fs::canonicalize(&dir).map_err(RuntimeError::io("read", &dir))?;
        if !files::is_private(&dir)? {
            let what = "others can write to this cache; choose another with --cache-dir".to_owned();
            return Err(RuntimeError::Rule { path: dir, what });
        }
        Ok(Self { dir })
    }

    /// The finished runtime of this build, if it is in the cache.
    pub(super) fn find(&self, build: &Build) -> Option<PathBuf> {
        let path = self.dir.join(&build.name);
        path.join(manifest::FILE_NAME).is_file().then_some(path)
    }

    /// Makes a folder in which a runtime can be built.
    pub(super) fn stage(&self, build: &Build) -> Result<Staging, RuntimeError> {
        Staging::new(&self.dir, &build.name)
    }

    /// Moves a finished runtime into the cache and returns its path.
    pub(super) fn keep(&self, build: &Build, made: Staging) -> Result<PathBuf, RuntimeError> {
        let path = self.dir.join(&build.name);
        made.put_at(&path)?;
        Ok(path)
    }
}

/// Names a runtime by all its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Build {
    /// Identifier and digest; usable as a file name.
    pub(super) name: String,
}

impl Build {
    /// The build of `identifier` from these parts.
    pub(super) fn new(identifier: &str, parts: &[&str]) -> Self {
        let digest = Sha256::digest(parts.join("\n"));
        Self { name: format!("{identifier}-{}", hex(&digest[..6])) }
    }
}

fn usual_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return "/var/cache/lambd".into();
    }
    let given = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    given("XDG_CACHE_HOME")
        .or_else(|| given("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("lambd")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_build_is_named_by_its_parts() {
        let name = |parts: &[&str]| Build::new("python3.11", parts).name;
        assert_eq!(name(&["1", "3.11.2"]), name(&["1", "3.11.2"]));
        assert_ne!(name(&["1", "3.11.2"]), name(&["1", "3.11.3"]));
        assert!(name(&[]).starts_with("python3.11-"));
    }

    #[test]
    fn a_cache_that_others_can_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Cache::open(Some(dir.path())), Err(RuntimeError::Rule { .. })));
    }

    #[test]
    fn only_finished_runtimes_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(&dir.path().join("cache"))).unwrap();
        let build = Build::new("x", &[]);
        drop(cache.stage(&build).unwrap());
        assert_eq!(cache.find(&build), None);
        let made = cache.stage(&build).unwrap();
        fs::write(made.path().join(manifest::FILE_NAME), "").unwrap();
        let kept = cache.keep(&build, made).unwrap();
        assert_eq!(cache.find(&build), Some(kept));
    }
}
