//! Makes images from a template for each size. `mke2fs` makes the template, of which the few nonzero blocks
//! are kept.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::error::{At, StartFailure, StepError};
use crate::root::c_string;
use crate::sys::{loop_device, mount};

const MIB: u64 = 1 << 20;
/// Size in bytes of the pieces in which a template is searched for nonzero bytes.
const PIECE: usize = 4096;
/// A volume is reserved only if this much stays free: the larger of a share of the file system (1/20) and 1
/// GiB. Packages and the database are on the same file system.
const ROOM_SHARE: u64 = 20;
const ROOM_MIN: u64 = 1 << 30;
/// How often a free loop device is tried, because another process may take it first.
const LOOP_TRIES: usize = 64;

/// An empty file system of one size, as the nonzero pieces of its image.
#[derive(Debug)]
pub(super) struct Template {
    bytes: u64,
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Template {
    /// Makes the file system for `tmp_mib` of files, in a file in the current folder.
    pub(super) fn make(tmp_mib: u32) -> Result<Self, StartFailure> {
        let path = PathBuf::from(format!("template-{}-{tmp_mib}", std::process::id()));
        let made = Self::make_at(&path, u64::from(tmp_mib));
        // Fails when the file could not be made.
        let _ = std::fs::remove_file(&path);
        made
    }

    fn make_at(path: &Path, tmp_mib: u64) -> Result<Self, StartFailure> {
        let step = || format!("make the template {}", path.display());
        // The extra space is for a 256-byte inode per 16 KiB, group descriptors and bitmaps, which a user
        // cannot fill.
        let bytes = (tmp_mib * 66 / 64 + 2) * MIB;
        let options = File::options().read(true).write(true).create_new(true).mode(0o600).clone();
        let file = options.open(path).at(step())?;
        file.set_len(bytes).at(step())?;
        run_mke2fs(path)?;
        let mounted = mount_image(&file, None)?;
        let mode = Mode::from_bits_truncate(0o1777);
        fchmodat(&mounted, ".", mode, FchmodatFlags::FollowSymlink).at(step())?;
        unlinkat(&mounted, "lost+found", UnlinkatFlags::RemoveDir).at(step())?;
        drop(mounted); // unmounts it, which writes everything to the file
        Ok(Self { bytes, pieces: read_pieces(&file).at(step())? })
    }

    /// Makes a new empty file system, mounted but not attached.
    pub(super) fn volume(&self) -> Result<OwnedFd, StepError> {
        let step = "make an image";
        let mut options = File::options();
        options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE);
        let file = options.open(".").at(step)?;
        file.set_len(self.bytes).at(step)?;
        let writes = if reserve(&file, self.bytes) { Writes::Later } else { Writes::Through };
        for (offset, piece) in &self.pieces {
            file.write_all_at(piece, *offset).at(step)?;
        }
        mount_image(&file, Some(writes))
    }
}

#[expect(clippy::disallowed_methods, reason = "the launcher's own tool, run before any sandbox exists")]
fn run_mke2fs(path: &Path) -> Result<(), StartFailure> {
    let mut command = Command::new("mke2fs");
    command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").stdin(Stdio::null()).stdout(Stdio::null());
    command.args(["-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-i", "16384", "-I", "256"]);
    command.args(["-O", "^has_journal,^resize_inode,^orphan_file", "-E", "lazy_itable_init=1,nodiscard"]);
    match command.arg(path).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            Err(StepError { step: format!("run mke2fs: {said}"), errno: 0 }.into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StartFailure::Program { program: "mke2fs".into(), package: "e2fsprogs".into() })
        }
        Err(error) => Err(error).at("run mke2fs").map_err(Into::into),
    }
}

/// Reads the file's data (not its holes) in pieces and leaves out zeros.
fn read_pieces(file: &File) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut buffer = [0; PIECE];
    let mut offset = next_data(file, 0)?;
    while let Some(at) = offset {
        let at = at - at % PIECE as u64;
        file.read_exact_at(&mut buffer, at)?;
        if buffer.iter().any(|byte| *byte != 0) {
            match pieces.last_mut() {
                Some((first, piece)) if *first + piece.len() as u64 == at => piece.extend_from_slice(&buffer),
                _ => pieces.push((at, buffer.to_vec())),
            }
        }
        offset = next_data(file, at + PIECE as u64)?;
    }
    Ok(pieces)
}

fn next_data(file: &File, from: u64) -> io::Result<Option<u64>> {
    let from = i64::try_from(from).map_err(io::Error::other)?;
    match nix::unistd::lseek64(file, from, nix::unistd::Whence::SeekData) {
        Ok(at) => u64::try_from(at).map(Some).map_err(io::Error::other),
        Err(nix::Error::ENXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Reserves the disk space of a whole image, so that there is room for everything that its file system
/// accepts later. False when the host's file system cannot do this, or when too little would stay free for
/// its other users.
fn reserve(file: &File, bytes: u64) -> bool {
    let Ok(length) = i64::try_from(bytes) else { return false };
    // On a tmpfs the reservation would use memory.
    if fstatfs(file).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC) {
        return false;
    }
    let leaves_room = fstatvfs(file).is_ok_and(|found| {
        let [all, free] =
            [found.blocks(), found.blocks_available()].map(|n| n.saturating_mul(found.fragment_size()));
        free.saturating_sub(bytes) >= (all / ROOM_SHARE).max(ROOM_MIN)
    });
    leaves_room && fallocate(file, FallocateFlags::empty(), 0, length).is_ok()
}

/// When writes to a throwaway file system reach its image.
#[derive(Debug, Clone, Copy)]
enum Writes {
    /// At a time that the kernel chooses: the space is reserved.
    Later,
    /// Before the call returns, because the host's disk may be full. This is slower, but the error comes from
    /// the write and not from a later `fsync`, or not at all.
    Through,
}

/// Mounts an image, detached. With `writes` it is a throwaway file system: its content need not survive a
/// crash, so the kernel never waits for the disk's own cache.
fn mount_image(file: &File, writes: Option<Writes>) -> Result<OwnedFd, StepError> {
    // The device must stay open until the mount holds it: with AUTO_CLEAR it is freed when its last user
    // closes it.
    let (path, _device) = attach_loop(file)?;
    let source = c_string(&path)?;
    let mut options = vec![(c"source", Some(source.as_c_str())), (c"noinit_itable", None)];
    if writes.is_some() {
        options.push((c"nobarrier", None));
    }
    if matches!(writes, Some(Writes::Through)) {
        options.push((c"sync", None));
    }
    mount::create(c"ext4", &options, mount::NO_SUID | mount::NO_DEV).at(format!("mount {}", path.display()))
}

fn attach_loop(file: &File) -> Result<(PathBuf, File), StepError> {
    let both = || File::options().read(true).write(true).clone();
    let control = both().open("/dev/loop-control").at("open /dev/loop-control")?;
    let mut flags = loop_device::AUTO_CLEAR | loop_device::DIRECT_IO;
    for _ in 0..LOOP_TRIES {
        let number = loop_device::free_number(&control).at("find a free loop device")?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = both().open(&path).at(format!("open {}", path.display()))?;
        match loop_device::configure(&device, file.as_fd(), flags) {
            Ok(()) => return Ok((path, device)),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            // The folder's file system cannot do direct I/O: use the page cache.
            Err(error)
                if error.raw_os_error() == Some(libc::EINVAL) && flags & loop_device::DIRECT_IO != 0 =>
            {
                flags = loop_device::AUTO_CLEAR;
            }
            Err(error) => return Err(error).at(format!("set up {}", path.display())),
        }
    }
    Err(StepError { step: "find a free loop device".into(), errno: libc::EBUSY })
}

/// Whether this machine has loop devices and ext4; otherwise the reason.
pub(super) fn is_possible() -> Result<(), String> {
    File::open("/dev/loop-control").map_err(|error| format!("/dev/loop-control: {error}"))?;
    let mut known = String::new();
    let read = File::open("/proc/filesystems").and_then(|mut file| file.read_to_string(&mut known));
    read.map_err(|error| format!("/proc/filesystems: {error}"))?;
    if known.lines().any(|line| line.trim() == "ext4") {
        Ok(())
    } else {
        Err("no ext4 in this kernel".into())
    }
}
