//! Builds a directory tree from hostile names. Every step is relative to an open directory and follows no
//! link, so that nothing outside the root can be reached, whatever was made before.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, symlinkat, syncfs, unlinkat};

use super::PackageError;
use super::files::io;
use super::name::EntryPath;

/// Number of nodes up to which each is flushed. Beyond it one flush of the whole file system is faster,
/// although it also waits for data of others.
const SYNC_EACH_MAX: usize = 32;
/// The sandbox's user, who is not the owner, must be able to enter directories.
const DIRECTORY_MODE: Mode = Mode::from_bits_truncate(0o755);

const OPEN_DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);
const CREATE_FILE: OFlag = OFlag::O_WRONLY
    .union(OFlag::O_CREAT)
    .union(OFlag::O_EXCL)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

pub(super) struct Tree {
    path: PathBuf,
    root: OwnedFd,
    /// The directory of the last entry, which most following entries share.
    parent: Option<(String, OwnedFd)>,
    nodes: usize,
    nodes_max: usize,
    /// Whether files and links that are there are replaced, not refused.
    replaces: bool,
    /// Directories to flush at the end, as long as each is flushed separately.
    unsynced: Vec<OwnedFd>,
}

impl Tree {
    /// Makes the root directory.
    pub(super) fn create(path: &Path, nodes_max: usize) -> Result<Self, PackageError> {
        super::files::create_dir(path)?;
        let root: OwnedFd = File::open(path).map_err(io("open", path))?.into();
        fchmod(&root, DIRECTORY_MODE).map_err(|errno| io("create", path)(errno.into()))?;
        Ok(Self {
            path: path.into(),
            root,
            parent: None,
            nodes: 0,
            nodes_max,
            replaces: false,
            unsynced: Vec::new(),
        })
    }

    /// Whether the following entries replace what is there. A directory is never replaced.
    pub(super) fn replace(&mut self, replaces: bool) {
        self.replaces = replaces;
        self.parent = None;
    }

    /// Makes a directory and those above it, if they are absent.
    pub(super) fn directory(&mut self, path: &EntryPath) -> Result<(), PackageError> {
        self.enter(path.as_str())
    }

    /// Makes an empty file, which only its owner may use until it is complete.
    pub(super) fn file(&mut self, path: &EntryPath) -> Result<File, PackageError> {
        let (directory, name) = path.split();
        self.enter(directory)?;
        self.count()?;
        self.make_room(name);
        let file = openat(self.parent(), name, CREATE_FILE, Mode::S_IRUSR | Mode::S_IWUSR);
        file.map(File::from).map_err(|errno| self.error(path.as_str(), errno))
    }

    /// Completes a file: sets its permission bits, and its time if the zip has one.
    pub(super) fn finish_file(
        &self,
        path: &EntryPath,
        file: &File,
        mode: u32,
        time: Option<SystemTime>,
    ) -> Result<(), PackageError> {
        fchmod(file, Mode::from_bits_truncate(mode)).map_err(|errno| self.error(path.as_str(), errno))?;
        if let Some(time) = time {
            file.set_modified(time).map_err(io("set the time of", &self.path.join(path.as_str())))?;
        }
        if self.nodes > SYNC_EACH_MAX {
            return Ok(());
        }
        file.sync_all().map_err(io("sync", &self.path.join(path.as_str())))
    }

    /// Makes a link with any target: only sandboxes follow it, and there it reaches nothing that the function
    /// cannot reach anyway.
    pub(super) fn link(&mut self, path: &EntryPath, target: &str) -> Result<(), PackageError> {
        if target.is_empty() || target.contains('\0') {
            return Err(PackageError::bad(format!("link to {target:?}")));
        }
        let (directory, name) = path.split();
        self.enter(directory)?;
        self.count()?;
        self.make_room(name);
        symlinkat(target, self.parent(), name).map_err(|errno| self.error(path.as_str(), errno))
    }

    /// Makes the tree durable.
    pub(super) fn finish(self) -> Result<(), PackageError> {
        let synced = if self.nodes > SYNC_EACH_MAX {
            syncfs(&self.root)
        } else {
            self.unsynced.iter().chain([&self.root]).try_for_each(fsync)
        };
        synced.map_err(|errno| io("sync", &self.path)(errno.into()))
    }

    /// Removes a file or link that is to be replaced. Where it stays, making the new one fails and tells why.
    fn make_room(&self, name: &str) {
        if self.replaces {
            let _ = unlinkat(self.parent(), name, UnlinkatFlags::NoRemoveDir);
        }
    }

    fn parent(&self) -> &OwnedFd {
        self.parent.as_ref().map_or(&self.root, |(_, directory)| directory)
    }

    /// Makes `directory` the parent of the next node.
    fn enter(&mut self, directory: &str) -> Result<(), PackageError> {
        if self.parent.as_ref().map_or("", |(parent, _)| parent) == directory {
            return Ok(());
        }
        self.parent = None;
        let mut walked = String::new();
        for part in directory.split('/').filter(|part| !part.is_empty()) {
            let mut made = match mkdirat(self.parent(), part, DIRECTORY_MODE) {
                Ok(()) => true,
                Err(Errno::EEXIST) => false,
                Err(errno) => return Err(self.error(directory, errno)),
            };
            let mut opened = openat(self.parent(), part, OPEN_DIRECTORY, Mode::empty());
            if self.replaces && matches!(opened, Err(Errno::ELOOP | Errno::ENOTDIR)) {
                self.make_room(part);
                mkdirat(self.parent(), part, DIRECTORY_MODE).map_err(|errno| self.error(directory, errno))?;
                made = true;
                opened = openat(self.parent(), part, OPEN_DIRECTORY, Mode::empty());
            }
            let opened = opened.map_err(|errno| self.error(directory, errno))?;
            if made {
                self.made_directory(directory, &opened)?;
            }
            walked.push_str(part);
            self.parent = Some((walked.clone(), opened));
            walked.push('/');
        }
        Ok(())
    }

    fn made_directory(&mut self, path: &str, directory: &OwnedFd) -> Result<(), PackageError> {
        // Set again, because the umask of the process may have removed bits.
        fchmod(directory, DIRECTORY_MODE).map_err(|errno| self.error(path, errno))?;
        self.count()?;
        if self.nodes > SYNC_EACH_MAX {
            self.unsynced.clear();
            return Ok(());
        }
        let copy = directory.as_fd().try_clone_to_owned().map_err(io("open", &self.path.join(path)))?;
        self.unsynced.push(copy);
        Ok(())
    }

    fn count(&mut self) -> Result<(), PackageError> {
        self.nodes += 1;
        if self.nodes > self.nodes_max {
            return Err(PackageError::bad("too many files and directories"));
        }
        Ok(())
    }

    /// Separates errors that hostile names cause from errors of the file system.
    fn error(&self, path: &str, errno: Errno) -> PackageError {
        match errno {
            Errno::EEXIST => PackageError::bad(format!("two entries make {path:?}")),
            Errno::ELOOP | Errno::ENOTDIR => {
                PackageError::bad(format!("{path:?} leads through something that is no directory"))
            }
            Errno::EISDIR | Errno::ENAMETOOLONG | Errno::EILSEQ => {
                PackageError::bad(format!("{path:?} cannot be made: {errno}"))
            }
            _ => io("create", &self.path.join(path))(errno.into()),
        }
    }
}
