//! What an unprivileged server sees of the folder that it works in: the parts that are its own, and nothing of
//! what root keeps beside them, whatever the folder's mode.

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

/// Hides the working folder from this process behind an empty one that holds only `folders`, which lie in it,
/// and stays in that. Nobody else sees a change. Paths relative to the working folder go on working for these
/// folders also when the working folder itself is closed to the user that the process is to become.
///
/// Concerns the calling thread: call it as root, and before any other exists.
///
/// # Errors
/// A folder is missing or a symbolic link, or the first step that the kernel refuses; the process must then end.
pub fn enter_view(folders: &[&str]) -> Result<(), StepError> {
    unshare(CloneFlags::CLONE_NEWNS).at("make a mount namespace")?;
    // Slave rather than private: what the host unmounts must not stay busy because of this process.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .at("keep mounts from the host")?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    // After that: the kernel copies only mounts of the own namespace.
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

    /// Needs root. A thread has a working folder and a namespace of its own here.
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
    fn a_link_is_no_folder() {
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
