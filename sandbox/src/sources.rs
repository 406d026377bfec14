//! What sandboxes may see of the host: what lies beneath the folders that were opened at start, without links
//! that lead out of them; what the configuration names; and what a link made by root names.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, open, openat2, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::config::LauncherConfig;
use crate::error::{At, LaunchFailure, StepError};
use crate::spec::{SpecError, is_plain};
use crate::sys::mount;

/// The allowed sources. The folders are opened once, so renaming one later changes nothing.
#[derive(Debug)]
pub(crate) struct Sources {
    folders: Vec<(PathBuf, OwnedFd)>,
    shown: Vec<PathBuf>,
    linked: Option<PathBuf>,
}

impl Sources {
    pub(crate) fn open(config: &LauncherConfig) -> Result<Self, StepError> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let open = |folder: &PathBuf| {
            let fd = open(folder, flags, Mode::empty())
                .at(format!("open the allowed source {}", folder.display()))?;
            Ok((folder.clone(), fd))
        };
        let folders = config.allowed_sources.iter().map(open).collect::<Result<_, StepError>>()?;
        Ok(Self { folders, shown: config.shown_sources.clone(), linked: config.linked_sources.clone() })
    }

    /// Returns a detached, read-only mount of `source` without the mounts below it.
    pub(crate) fn mount(&self, source: &Path) -> Result<OwnedFd, LaunchFailure> {
        let fd = self.resolve(source)?;
        let copy = mount::copy(fd.as_fd()).at(format!("copy {}", source.display()))?;
        let attributes = mount::READ_ONLY | mount::NO_SUID | mount::NO_DEV;
        mount::restrict(copy.as_fd(), attributes).at(format!("restrict {}", source.display()))?;
        Ok(copy)
    }

    fn resolve(&self, source: &Path) -> Result<OwnedFd, LaunchFailure> {
        if self.shown.iter().any(|shown| shown == source) {
            return by_path(source).at(format!("open {}", source.display())).map_err(Into::into);
        }
        let refused = || SpecError::Source { path: source.to_owned() };
        let beneath =
            self.folders.iter().filter_map(|place| Some((source.strip_prefix(&place.0).ok()?, place)));
        // The innermost folder counts when several contain the source.
        let (relative, (folder, fd)) =
            beneath.min_by_key(|(relative, _)| relative.components().count()).ok_or_else(refused)?;
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        match openat2(fd, relative, how) {
            Ok(found) => Ok(found),
            Err(nix::Error::EXDEV | nix::Error::ELOOP) => match self.linked.as_ref() {
                Some(linked) if linked == folder => follow(fd, relative).ok_or_else(|| refused().into()),
                _ => Err(refused().into()),
            },
            Err(errno) => Err(errno).at(format!("open {}", source.display())).map_err(Into::into),
        }
    }
}

/// Opens what a link beneath `folder` names; `None` unless only root can write everything on the way to it.
fn follow(folder: &OwnedFd, link: &Path) -> Option<OwnedFd> {
    let step = |at: &OwnedFd, name: &Path| {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        openat2(at, name, how).ok()
    };
    let kind = |fd: &OwnedFd| {
        let stat = fstat(fd).ok().filter(|stat| stat.st_uid == 0)?;
        Some((SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()), stat.st_mode & 0o022 == 0))
    };
    let mut at = step(folder, Path::new("."))?;
    for name in link {
        if kind(&at)? != (SFlag::S_IFDIR, true) {
            return None;
        }
        at = step(&at, Path::new(name))?;
    }
    let (SFlag::S_IFLNK, _) = kind(&at)? else { return None };
    let named = PathBuf::from(readlinkat(&at, "").ok()?);
    if is_plain(&named) { by_path(&named).ok() } else { None }
}

/// Opens a path that root chose, following links.
fn by_path(path: &Path) -> nix::Result<OwnedFd> {
    let how =
        OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(AT_FDCWD, path, how)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn config(allowed: &Path) -> LauncherConfig {
        let mut config = LauncherConfig::new("x", "/", "/");
        config.allowed_sources = vec![allowed.to_owned()];
        config
    }

    fn is_refused(found: &Result<OwnedFd, LaunchFailure>) -> bool {
        matches!(found, Err(LaunchFailure::Refused(_)))
    }

    #[test]
    fn only_sources_beneath_an_allowed_folder_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let allowed = dir.path().join("allowed");
        std::fs::create_dir_all(allowed.join("code")).unwrap();
        std::fs::create_dir(dir.path().join("outside")).unwrap();
        std::fs::write(allowed.join("file"), "x").unwrap();
        symlink("code", allowed.join("inner")).unwrap();
        symlink("../outside", allowed.join("up")).unwrap();
        symlink("/etc", allowed.join("absolute")).unwrap();
        symlink("/proc/self/root", allowed.join("magic")).unwrap();
        let sources = Sources::open(&config(&allowed)).unwrap();
        for good in ["", "code", "file", "inner"] {
            assert!(sources.resolve(&allowed.join(good)).is_ok(), "{good} was refused");
        }
        let outside =
            [dir.path().join("outside"), allowed.join("up"), allowed.join("absolute"), allowed.join("magic")];
        for bad in outside.iter().chain([&PathBuf::from("/etc"), &allowed.join("up/x")]) {
            assert!(is_refused(&sources.resolve(bad)), "{} was found", bad.display());
        }
        assert!(matches!(sources.resolve(&allowed.join("none")), Err(LaunchFailure::Step(_))));
    }

    #[test]
    fn a_shown_source_is_shown_as_a_whole_only() {
        let dir = tempfile::tempdir().unwrap();
        let shown = dir.path().join("shown");
        let mut config = LauncherConfig::new("x", "/", "/");
        config.shown_sources = vec![shown.clone()];
        let sources = Sources::open(&config).unwrap();
        assert!(matches!(sources.resolve(&shown), Err(LaunchFailure::Step(_))), "it is not there yet");
        std::fs::create_dir_all(shown.join("deep")).unwrap();
        assert!(sources.resolve(&shown).is_ok());
        for bad in [shown.join("deep"), dir.path().to_owned()] {
            assert!(is_refused(&sources.resolve(&bad)), "{} was found", bad.display());
        }
    }

    /// Needs root, like all tests of the launcher.
    #[test]
    fn a_link_is_followed_only_if_root_alone_could_make_it() {
        let dir = tempfile::tempdir().unwrap();
        let (allowed, outside) = (dir.path().join("allowed"), dir.path().join("outside"));
        std::fs::create_dir_all(allowed.join("x/bind")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        let link = allowed.join("x/bind/0");
        symlink(&outside, &link).unwrap();
        symlink("../../../outside", allowed.join("x/bind/relative")).unwrap();
        symlink("/proc/self/root", allowed.join("x/bind/magic")).unwrap();
        let mut config = config(&allowed);
        assert!(is_refused(&Sources::open(&config).unwrap().resolve(&link)), "links lead nowhere by default");
        config.linked_sources = Some(allowed.clone());
        let sources = Sources::open(&config).unwrap();
        assert!(sources.resolve(&link).is_ok());
        for bad in ["x/bind/relative", "x/bind/magic", "x/bind/0/..", "x/bind/0/deeper"] {
            assert!(sources.resolve(&allowed.join(bad)).is_err(), "{bad} was found");
        }
        let mode = |bits| std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(allowed.join("x"), mode(0o775)).unwrap();
        assert!(is_refused(&sources.resolve(&link)), "others may write a folder on the way");
        std::fs::set_permissions(allowed.join("x"), mode(0o755)).unwrap();
        chown(allowed.join("x/bind"), Some(65_534), None).unwrap();
        assert!(is_refused(&sources.resolve(&link)), "a folder on the way is another's");
        chown(allowed.join("x/bind"), Some(0), None).unwrap();
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        assert!(is_refused(&sources.resolve(&link)), "the link is another's");
    }
}
