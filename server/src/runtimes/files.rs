//! Operations on whole folders: copy, hard-link, put in place atomically.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::RuntimeError;

/// Prefix of the names of staging folders; no identifier begins with a dot.
const STAGING: &str = ".staging-";

/// Age at which a staging folder is assumed to be left by a process that was killed.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// How files are put into another tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// As a second name of the same file if the file system allows it, which takes no time and no space.
    Link,
    /// As a new file, independent of the source.
    Copy,
}

/// Puts all content of `from` into the empty folder `to`. Folders get mode 0755, symbolic links are kept,
/// special files are refused.
pub(super) fn replicate(from: &Path, to: &Path, by: By) -> Result<(), RuntimeError> {
    for entry in fs::read_dir(from).map_err(RuntimeError::io("list", from))? {
        let entry = entry.map_err(RuntimeError::io("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(RuntimeError::io("read", &source))?;
        if kind.is_dir() {
            make_dir(&target)?;
            replicate(&source, &target, by)?;
        } else if kind.is_symlink() {
            let points_to = fs::read_link(&source).map_err(RuntimeError::io("read the link", &source))?;
            symlink(points_to, &target).map_err(RuntimeError::io("link", &target))?;
        } else if kind.is_file() {
            replicate_file(&source, &target, by)?;
        } else {
            let what = "neither a file, a folder nor a symbolic link".to_owned();
            return Err(RuntimeError::Rule { path: source, what });
        }
    }
    Ok(())
}

fn replicate_file(source: &Path, target: &Path, by: By) -> Result<(), RuntimeError> {
    if by == By::Link && fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    // The target is on another file system, or this user may not make links to the file.
    fs::copy(source, target).map(drop).map_err(RuntimeError::io("write", target))
}

/// Makes a folder of mode 0755.
pub(super) fn make_dir(path: &Path) -> Result<(), RuntimeError> {
    DirBuilder::new().mode(0o755).create(path).map_err(RuntimeError::io("make the folder", path))
}

/// Makes a folder and its parents with mode 0755, if they are absent.
pub(super) fn make_dirs(path: &Path) -> Result<(), RuntimeError> {
    DirBuilder::new()
        .mode(0o755)
        .recursive(true)
        .create(path)
        .map_err(RuntimeError::io("make the folder", path))
}

/// Whether this is a folder (no link to one) of the current user to which nobody else can write.
pub(super) fn is_private(path: &Path) -> Result<bool, RuntimeError> {
    let meta = fs::symlink_metadata(path).map_err(RuntimeError::io("read", path))?;
    let own = meta.uid() == nix::unistd::geteuid().as_raw();
    Ok(meta.is_dir() && own && meta.mode() & 0o022 == 0)
}

/// Writes a file with these permission bits.
pub(super) fn write(path: &Path, mode: u32, content: &str) -> Result<(), RuntimeError> {
    fs::write(path, content).map_err(RuntimeError::io("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(RuntimeError::io("set the mode of", path))
}

/// Removes a file or a whole folder if it exists.
pub(super) fn remove(path: &Path) -> Result<(), RuntimeError> {
    let done = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RuntimeError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// A staging folder beside its final place; removed unless it is put there.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes an empty one in `parent`, which is made if it is absent. Removes old ones that were left.
    pub(super) fn new(parent: &Path, name: &str) -> Result<Self, RuntimeError> {
        make_dirs(parent)?;
        clear_abandoned(parent)?;
        let path = parent.join(format!("{STAGING}{name}-{}", std::process::id()));
        remove(&path)?;
        make_dir(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the folder at `place` into this one in one step, and removes both.
    pub(super) fn take_away(self, place: &Path) -> Result<(), RuntimeError> {
        fs::rename(place, self.path.join("gone")).map_err(RuntimeError::io("remove", place))?;
        remove(&self.path)
    }

    /// Puts the folder at `place` in one step, then removes the folder that was there before.
    pub(super) fn put_at(self, place: &Path) -> Result<(), RuntimeError> {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
        match fs::rename(&self.path, place) {
            // A folder is there: the one to be replaced, or one that another process has just made.
            Err(error) if matches!(error.kind(), DirectoryNotEmpty | AlreadyExists) => {
                renameat2(AT_FDCWD, &self.path, AT_FDCWD, place, RenameFlags::RENAME_EXCHANGE)
                    .map_err(|error| RuntimeError::io("replace", place)(error.into()))?;
                remove(&self.path)
            }
            done => done.map_err(RuntimeError::io("put in place", place)),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing is left after `put_at`; otherwise an error is being reported already.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn clear_abandoned(parent: &Path) -> Result<(), RuntimeError> {
    let now = SystemTime::now();
    for entry in fs::read_dir(parent).map_err(RuntimeError::io("list", parent))? {
        let entry = entry.map_err(RuntimeError::io("list", parent))?;
        let age = entry.metadata().and_then(|meta| meta.modified()).map(|made| now.duration_since(made));
        if entry.file_name().to_string_lossy().starts_with(STAGING)
            && matches!(age, Ok(Ok(age)) if age > ABANDONED_AFTER)
        {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dir: &Path) -> PathBuf {
        let from = dir.join("from");
        fs::create_dir_all(from.join("deep")).unwrap();
        write(&from.join("deep/program"), 0o755, "x").unwrap();
        symlink("deep/program", from.join("link")).unwrap();
        from
    }

    #[test]
    fn a_folder_is_replicated_by_link_and_by_copy() {
        for by in [By::Link, By::Copy] {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (sample(dir.path()), dir.path().join("to"));
            make_dir(&to).unwrap();
            replicate(&from, &to, by).unwrap();
            let inode = |root: &Path| fs::metadata(root.join("deep/program")).unwrap().ino();
            assert_eq!(inode(&from) == inode(&to), by == By::Link, "{by:?}");
            let mode = fs::metadata(to.join("deep/program")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{by:?}");
            assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("deep/program"), "{by:?}");
        }
    }

    #[test]
    fn special_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let from = sample(dir.path());
        nix::unistd::mkfifo(&from.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        make_dir(&dir.path().join("to")).unwrap();
        let error = replicate(&from, &dir.path().join("to"), By::Copy).unwrap_err();
        assert!(matches!(error, RuntimeError::Rule { .. }), "{error}");
    }

    #[test]
    fn a_folder_is_replaced_in_one_step_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("place");
        for content in ["first", "second"] {
            let staging = Staging::new(dir.path(), "x").unwrap();
            fs::write(staging.path().join("file"), content).unwrap();
            staging.put_at(&place).unwrap();
            assert_eq!(fs::read_to_string(place.join("file")).unwrap(), content);
        }
        drop(Staging::new(dir.path(), "x").unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the place itself is left");
    }
}
