//! A view of the working folder for the unprivileged server: it sees the folders that belong to it and
//! nothing of what root keeps beside them, whatever the folder's mode.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::fchdir;

use crate::error::{At, StepError};
use crate::root::open_beneath;
use crate::sys::mount;

/// Replaces the working folder, for this process only, by an empty read-only one that holds only `folders`,
/// which lie in it, and changes into it. Paths relative to the working folder keep working for these folders,
/// also when the user that the process will become may not enter the working folder itself.
///
/// It concerns the calling thread: call it as root, before any other thread exists.
///
/// # Errors
/// When a folder is missing or a symbolic link, or the kernel refuses a step; the process must then end.
pub fn enter_view(folders: &[&str]) -> Result<(), StepError> {
    unshare(CloneFlags::CLONE_NEWNS).at("make a mount namespace")?;
    // Slave rather than private, so that mounts which the host removes do not stay busy because of this
    // process.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .at("keep mounts from the host")?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    // Opened after `unshare`, because the kernel copies only mounts of the caller's own namespace.
    let here = open(".", flags, Mode::empty()).at("open the working folder")?;
    let options = [(c"mode", Some(c"755")), (c"size", Some(c"64k"))];
    let attributes = mount::NO_SUID | mount::NO_DEV | mount::NO_EXEC;
    let view = mount::create(c"tmpfs", &options, attributes).at("mount the view")?;
    let parts = folders.iter().map(|name| {
        let part = open_beneath(&here, Path::new(name), OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
        mkdirat(&view, *name, Mode::from_bits_truncate(0o755)).at(format!("make {name} in the view"))?;
        Ok((Path::new(*name), mount::copy(part.as_fd()).at(format!("copy {name}"))?))
    });
    let parts: Vec<(&Path, OwnedFd)> = parts.collect::<Result<_, StepError>>()?;
    mount::attach(view.as_fd(), here.as_fd()).at("attach the view")?;
    for (name, part) in parts {
        let place = open_beneath(&view, name, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
        mount::attach(part.as_fd(), place.as_fd()).at(format!("attach {}", name.display()))?;
    }
    mount::restrict(view.as_fd(), mount::READ_ONLY).at("make the view read-only")?;
    fchdir(&view).at("enter the view")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Needs root. The test has a thread of its own, because the working folder and the namespace are
    /// changed.
    #[test]
    fn only_the_named_folders_are_seen_and_only_by_the_caller() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["db", "packages", "volumes"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("credentials"), "secret").unwrap();
        let path = dir.path().to_owned();
        let inside = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_FS).unwrap();
            nix::unistd::chdir(&path).unwrap();
            enter_view(&["db", "packages"]).unwrap();
            fs::write("db/written", "x").unwrap();
            let refused = fs::write("written", "x").unwrap_err().kind();
            (names(Path::new(".")), names(&path), refused)
        });
        let (here, by_path, refused) = inside.join().unwrap();
        assert_eq!(here, ["db", "packages"]);
        assert_eq!(by_path, here, "the same by its path");
        assert_eq!(refused, ErrorKind::ReadOnlyFilesystem);
        assert_eq!(
            names(dir.path()),
            ["credentials", "db", "packages", "volumes"],
            "outside nothing changed"
        );
        assert!(dir.path().join("db/written").exists());
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("db")).unwrap();
        let path = dir.path().to_owned();
        let entered = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_FS).unwrap();
            nix::unistd::chdir(&path).unwrap();
            enter_view(&["db"])
        });
        assert!(entered.join().unwrap().is_err());
    }
}
