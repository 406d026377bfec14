//! The host's folders that sandboxes may see. A source of a bind must lie beneath one of them, whatever
//! links it goes through.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use crate::error::{At, LaunchFailure, StepError};
use crate::spec::Refusal;
use crate::sys::mount;

/// The allowed folders, opened once: what is renamed later stays what it was.
#[derive(Debug)]
pub(crate) struct Sources(Vec<(PathBuf, OwnedFd)>);

impl Sources {
    pub(crate) fn open(folders: &[PathBuf]) -> Result<Self, StepError> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let open = |folder: &PathBuf| {
            let fd = open(folder, flags, Mode::empty())
                .at(format!("open the allowed source {}", folder.display()))?;
            Ok((folder.clone(), fd))
        };
        folders.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// A detached, read-only mount of `source` without what is mounted below it.
    pub(crate) fn mount(&self, source: &Path) -> Result<OwnedFd, LaunchFailure> {
        let fd = self.resolve(source)?;
        let copy = mount::copy(fd.as_fd()).at(format!("copy {}", source.display()))?;
        let attributes = mount::READ_ONLY | mount::NO_SUID | mount::NO_DEV;
        mount::restrict(copy.as_fd(), attributes).at(format!("restrict {}", source.display()))?;
        Ok(copy)
    }

    fn resolve(&self, source: &Path) -> Result<OwnedFd, LaunchFailure> {
        let refused = || Refusal::Source { path: source.to_owned() };
        let beneath = self.0.iter().filter_map(|(folder, fd)| Some((source.strip_prefix(folder).ok()?, fd)));
        // The innermost of several folders that hold it.
        let (relative, fd) =
            beneath.min_by_key(|(relative, _)| relative.components().count()).ok_or_else(refused)?;
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        match openat2(fd, relative, how) {
            Ok(found) => Ok(found),
            Err(nix::Error::EXDEV | nix::Error::ELOOP) => Err(refused().into()),
            Err(errno) => Err(errno).at(format!("open {}", source.display())).map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_lies_beneath_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let allowed = dir.path().join("allowed");
        std::fs::create_dir_all(allowed.join("code")).unwrap();
        std::fs::create_dir(dir.path().join("outside")).unwrap();
        std::fs::write(allowed.join("file"), "x").unwrap();
        symlink("code", allowed.join("inner")).unwrap();
        symlink("../outside", allowed.join("up")).unwrap();
        symlink("/etc", allowed.join("absolute")).unwrap();
        symlink("/proc/self/root", allowed.join("magic")).unwrap();
        let sources = Sources::open(std::slice::from_ref(&allowed)).unwrap();
        for good in ["", "code", "file", "inner"] {
            assert!(sources.resolve(&allowed.join(good)).is_ok(), "{good} was refused");
        }
        let outside =
            [dir.path().join("outside"), allowed.join("up"), allowed.join("absolute"), allowed.join("magic")];
        for bad in outside.iter().chain([&PathBuf::from("/etc"), &allowed.join("up/x")]) {
            let found = sources.resolve(bad).map(drop);
            assert!(matches!(found, Err(LaunchFailure::Refused(_))), "{}: {found:?}", bad.display());
        }
        assert!(matches!(sources.resolve(&allowed.join("none")), Err(LaunchFailure::Step(_))));
    }
}
