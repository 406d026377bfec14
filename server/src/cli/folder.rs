//! Folders that root uses: opened without following symbolic links, checked and changed by descriptor, and
//! used only if nobody but root can change them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, mkdirat};
use nix::unistd::fchownat;

use crate::config::Ids;

/// An open folder, with its path for messages.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at this absolute path; `None` if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        Self::open_in(AT_FDCWD, path, path.to_owned())
    }

    /// Opens the folder at this absolute path. If absent, makes it with this mode, and its parents with 0755.
    pub(super) fn open_or_make(path: &Path, mode: u32) -> Result<Self> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            bail!("{} cannot be made: name a folder", path.display());
        };
        Self::open_or_make(parent, 0o755)?.child(name, mode)
    }

    /// Opens the folder with this name inside; makes it with this mode if it is absent.
    pub(super) fn child(&self, name: &str, mode: u32) -> Result<Self> {
        let path = self.path.join(name);
        match mkdirat(&self.fd, name, Mode::from_bits_truncate(mode)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno).with_context(|| format!("cannot make {}", path.display())),
        }
        let opened = Self::open_in(self.fd.as_fd(), Path::new(name), path)?;
        opened.with_context(|| format!("{} vanished", self.path.join(name).display()))
    }

    /// Opens the folder with this name inside; `None` if it does not exist.
    pub(super) fn existing(&self, name: &str) -> Result<Option<Self>> {
        Self::open_in(self.fd.as_fd(), Path::new(name), self.path.join(name))
    }

    /// The names of its entries.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let entries = entries(&self.fd, &self.path)?;
        Ok(entries.iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Its path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn open_in(at: BorrowedFd<'_>, name: &Path, path: PathBuf) -> Result<Option<Self>> {
        match open(at, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY, 0) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(Errno::ENOENT) => Ok(None),
            Err(Errno::ELOOP) => {
                bail!("{} goes through a symbolic link: name the folder itself", path.display())
            }
            Err(errno) => Err(errno).with_context(|| format!("cannot open the folder {}", path.display())),
        }
    }

    /// Refuses a folder that another user than root owns or may write to.
    pub(super) fn is_roots_alone(&self) -> Result<()> {
        let stat = self.stat()?;
        if stat.st_uid != 0 {
            bail!(
                "{} belongs to uid {}, and root uses only what root owns: chown it to root, or choose another folder",
                self.path.display(),
                stat.st_uid
            );
        }
        if stat.st_mode & 0o022 != 0 {
            bail!(
                "{} has mode {:04o}, so that others may write to it: chmod go-w it, or choose another folder",
                self.path.display(),
                stat.st_mode & 0o7777
            );
        }
        Ok(())
    }

    /// Sets its mode.
    pub(super) fn set_mode(&self, mode: u32) -> Result<()> {
        fchmod(&self.fd, Mode::from_bits_truncate(mode))
            .with_context(|| format!("cannot set the mode of {}", self.path.display()))
    }

    /// Opens a file inside for writing, makes it if it is absent, and gives it exactly this mode.
    pub(super) fn file(&self, name: &str, mode: u32) -> Result<File> {
        let path = self.path.join(name);
        let opened = open(self.fd.as_fd(), Path::new(name), OFlag::O_RDWR | OFlag::O_CREAT, mode);
        let file = opened.with_context(|| format!("cannot open {}", path.display()))?;
        fchmod(&file, Mode::from_bits_truncate(mode))
            .with_context(|| format!("cannot set the mode of {}", path.display()))?;
        Ok(File::from(file))
    }

    /// Makes it the working folder of this process.
    pub(super) fn enter(&self) -> Result<()> {
        nix::unistd::fchdir(&self.fd).with_context(|| format!("cannot enter {}", self.path.display()))
    }

    /// The user id of its owner.
    pub(super) fn owner(&self) -> Result<u32> {
        Ok(self.stat()?.st_uid)
    }

    /// Refuses everything that [`Self::give`] would refuse, and changes nothing.
    pub(super) fn can_be_given(&self, ids: &Ids) -> Result<()> {
        self.hand_over(ids, Step::Judge)
    }

    /// Gives the folder with all its content to this account, unless the account has it already. Refuses a
    /// folder with entries of any third owner: the former owner could have linked them there.
    pub(super) fn give(&self, ids: &Ids) -> Result<()> {
        self.hand_over(ids, Step::Judge)?;
        self.hand_over(ids, Step::Give)
    }

    fn hand_over(&self, ids: &Ids, step: Step) -> Result<()> {
        let stat = self.stat()?;
        let handover = Handover { from: stat.st_uid, ids: *ids, step };
        if handover.is_done(&stat) {
            return Ok(());
        }
        handover.whole(&self.fd, &self.path)
    }

    fn stat(&self) -> Result<FileStat> {
        fstat(&self.fd).with_context(|| format!("cannot read {}", self.path.display()))
    }
}

/// Opens something below `at` without following links of any kind.
fn open(at: BorrowedFd<'_>, name: &Path, flags: OFlag, mode: u32) -> nix::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let made = if flags.contains(OFlag::O_CREAT) { Mode::from_bits_truncate(mode) } else { Mode::empty() };
    openat2(at, name, OpenHow::new().flags(flags | OFlag::O_CLOEXEC).mode(made).resolve(resolve))
}

/// The names in an open folder, except `.` and `..`.
fn entries(folder: &OwnedFd, path: &Path) -> Result<Vec<OsString>> {
    let failed = || format!("cannot list {}", path.display());
    let listed = open(folder.as_fd(), Path::new("."), OFlag::O_RDONLY | OFlag::O_DIRECTORY, 0);
    let mut entries = listed.and_then(nix::dir::Dir::from_fd).with_context(failed)?;
    let mut names = Vec::new();
    for entry in entries.iter() {
        let name = OsStr::from_bytes(entry.with_context(failed)?.file_name().to_bytes()).to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// What is done with each entry of a folder that changes its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Judge,
    Give,
}

/// The change of a folder's owner.
#[derive(Debug)]
struct Handover {
    from: u32,
    ids: Ids,
    step: Step,
}

impl Handover {
    fn is_done(&self, stat: &FileStat) -> bool {
        (stat.st_uid, stat.st_gid) == (self.ids.uid.as_raw(), self.ids.gid.as_raw())
    }

    /// Entries come first, so that the next start can continue a change that was interrupted.
    fn whole(&self, folder: &OwnedFd, path: &Path) -> Result<()> {
        for name in entries(folder, path)? {
            self.entry(folder, Path::new(&name), &path.join(&name))?;
        }
        self.one(folder, path)
    }

    fn entry(&self, folder: &OwnedFd, name: &Path, path: &Path) -> Result<()> {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH);
        let failed = || format!("cannot read {}", path.display());
        let fd = openat2(folder, name, how).with_context(failed)?;
        let stat = fstat(&fd).with_context(failed)?;
        if stat.st_uid != self.from && stat.st_uid != self.ids.uid.as_raw() {
            bail!(
                "{} belongs to uid {}, which must not own anything there: remove it",
                path.display(),
                stat.st_uid
            );
        }
        if SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR {
            return self.whole(&fd, path);
        }
        self.one(&fd, path)
    }

    fn one(&self, fd: &OwnedFd, path: &Path) -> Result<()> {
        if self.step == Step::Judge {
            return Ok(());
        }
        fchownat(fd, "", Some(self.ids.uid), Some(self.ids.gid), AtFlags::AT_EMPTY_PATH)
            .with_context(|| format!("cannot change the owner of {}", path.display()))
    }
}

#[cfg(test)]
mod tests;
