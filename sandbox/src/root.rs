//! The root file system of a sandbox: a small tmpfs with the folders that AWS has, and mounts.
//!
//! Nothing is looked up by path from the host's root: every step starts at a descriptor of the new root,
//! stays beneath it and follows no symbolic link. No foreign code runs before it is complete.

pub(crate) mod devices;
pub(crate) mod proc;

use std::ffi::{CString, OsStr};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::symlinkat;

use crate::error::{At, StepError};
use crate::spec::{FileSpec, SymlinkSpec};
use crate::sys::mount;

/// Folders that every sandbox has.
const FOLDERS: [&str; 9] = ["dev", "etc", "opt", "proc", "tmp", "var", "var/lang", "var/runtime", "var/task"];
/// Size limit and inode limit of the skeleton.
const SIZE: &std::ffi::CStr = c"4m";
const INODES: &std::ffi::CStr = c"512";

/// Makes the new root: a mount that is not attached yet.
pub(crate) fn skeleton() -> Result<OwnedFd, StepError> {
    let options = [(c"mode", Some(c"755")), (c"size", Some(SIZE)), (c"nr_inodes", Some(INODES))];
    let root = mount::create(c"tmpfs", &options, mount::NO_SUID | mount::NO_DEV).at("mount the root")?;
    for folder in FOLDERS {
        mkdirat(&root, folder, Mode::from_bits_truncate(0o755)).at(format!("make /{folder}"))?;
    }
    Ok(root)
}

/// Opens something beneath `root`, through no symbolic link.
pub(crate) fn open_beneath(
    root: impl AsFd,
    path: &Path,
    flags: OFlag,
    mode: Mode,
) -> Result<OwnedFd, StepError> {
    let relative = path.strip_prefix("/").unwrap_or(path);
    let resolve =
        ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).mode(mode).resolve(resolve);
    openat2(root.as_fd(), relative, how).at(format!("open {} in the root", path.display()))
}

/// Attaches a detached mount at a path of the root.
pub(crate) fn attach(root: impl AsFd, detached: impl AsFd, path: &Path) -> Result<(), StepError> {
    let place = open_beneath(root, path, OFlag::O_PATH, Mode::empty())?;
    mount::attach(detached.as_fd(), place.as_fd()).at(format!("mount {}", path.display()))
}

/// Writes a file of the skeleton; replaces an existing one.
pub(crate) fn write_file(root: impl AsFd, file: &FileSpec) -> Result<(), StepError> {
    make_parents(root.as_fd(), &file.path)?;
    let flags = OFlag::O_CREAT | OFlag::O_WRONLY | OFlag::O_TRUNC;
    let mode = Mode::from_bits_truncate(file.mode);
    let fd = open_beneath(root, &file.path, flags, mode)?;
    // The launcher's umask must not change the mode.
    fchmod(&fd, mode).at(format!("set the mode of {}", file.path.display()))?;
    std::fs::File::from(fd).write_all(&file.content).at(format!("write {}", file.path.display()))
}

/// Makes a symbolic link of the skeleton.
pub(crate) fn link(root: impl AsFd, symlink: &SymlinkSpec) -> Result<(), StepError> {
    let root = root.as_fd();
    make_parents(root, &symlink.link)?;
    let (folder, name) = parent(root, &symlink.link)?;
    symlinkat(&symlink.to, &folder, name).at(format!("link {}", symlink.link.display()))
}

/// Attaches a bind at its target, which is made as a file or folder like the source.
pub(crate) fn bind(root: impl AsFd, source: impl AsFd, target: &Path) -> Result<(), StepError> {
    let root = root.as_fd();
    make_parents(root, target)?;
    let kind =
        nix::sys::stat::fstat(source.as_fd()).at(format!("stat the source of {}", target.display()))?;
    if kind.st_mode & libc::S_IFMT == libc::S_IFDIR {
        make_folder(root, target)?;
    } else {
        write_file(root, &FileSpec { path: target.into(), mode: 0o444, content: Vec::new() })?;
    }
    attach(root, source, target)
}

fn make_parents(root: BorrowedFd<'_>, path: &Path) -> Result<(), StepError> {
    let parents: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
    for parent in parents.iter().rev().filter(|parent| parent.components().count() > 1) {
        make_folder(root, parent)?;
    }
    Ok(())
}

fn make_folder(root: BorrowedFd<'_>, path: &Path) -> Result<(), StepError> {
    let (folder, name) = parent(root, path)?;
    match mkdirat(&folder, name, Mode::from_bits_truncate(0o755)) {
        Err(nix::Error::EEXIST) => Ok(()),
        made => made.at(format!("make {}", path.display())),
    }
}

/// The folder in which `path` lies, opened beneath the root, and its name there.
fn parent<'a>(root: BorrowedFd<'_>, path: &'a Path) -> Result<(OwnedFd, &'a OsStr), StepError> {
    let folder =
        path.parent().filter(|parent| parent.components().count() > 1).unwrap_or_else(|| Path::new("."));
    let folder = open_beneath(root, folder, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
    Ok((folder, path.file_name().unwrap_or_default()))
}

/// A tmpfs of `size_mib`, writable by every process; its pages are charged to the group of the process that
/// writes them.
pub(crate) fn memory_folder(size_mib: u32) -> Result<OwnedFd, StepError> {
    let size = c_string(format!("{size_mib}m"))?;
    let options = [(c"mode", Some(c"1777")), (c"size", Some(size.as_c_str()))];
    mount::create(c"tmpfs", &options, mount::NO_SUID | mount::NO_DEV).at("mount a tmpfs")
}

/// A C string for the kernel.
pub(crate) fn c_string(text: impl AsRef<OsStr>) -> Result<CString, StepError> {
    let bytes = text.as_ref().as_bytes();
    CString::new(bytes).map_err(|_| StepError { step: "a text holds a NUL byte".into(), errno: libc::EINVAL })
}
