//! The links by which an installed runtime names further files and folders of the host that it shows.
//!
//! The launcher does not trust paths from the API process, but it follows links that root has made in the
//! folder of runtimes. So installing a runtime makes links `bind/0`, `bind/1`, … beside the manifest, one for
//! each entry of its `[bind]`, and checks their sources.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::manifest::{self, Manifest};
use super::{HostBind, RuntimeError, files};

/// The folder of the links, beside the manifest.
const FOLDER: &str = "bind";

/// Makes the links of the runtime in `dir`; replaces any that exist.
///
/// # Errors
/// A source is missing, another user than root could replace it, or nothing can be written.
pub(super) fn make(manifest: &Manifest, dir: &Path) -> Result<(), RuntimeError> {
    let folder = dir.join(FOLDER);
    files::remove(&folder)?;
    if manifest.bind.is_empty() {
        return Ok(());
    }
    files::make_dir(&folder)?;
    for (n, source) in manifest.bind.values().enumerate() {
        check(source)?;
        let link = folder.join(n.to_string());
        symlink(source, &link).map_err(RuntimeError::io("link", &link))?;
    }
    Ok(())
}

/// The binds of the runtime in `dir`.
///
/// # Errors
/// The manifest names another source than when the runtime was installed.
pub(super) fn binds(manifest: &Manifest, dir: &Path) -> Result<Vec<HostBind>, RuntimeError> {
    let bind = |(n, (target, source)): (usize, (&PathBuf, &PathBuf))| {
        let link = dir.join(FOLDER).join(n.to_string());
        if fs::read_link(&link).is_ok_and(|named| named == *source) {
            return Ok(HostBind { source: link, target: target.clone() });
        }
        let what = format!(
            "bind {} was not {} when the runtime was installed; install it again, by lambd runtime add",
            target.display(),
            source.display()
        );
        Err(RuntimeError::Rule { path: dir.join(manifest::FILE_NAME), what })
    };
    manifest.bind.iter().enumerate().map(bind).collect()
}

/// A source may be shown only if nobody but root (or the installing user) can replace it, because whoever can
/// do that chooses what functions see of the host.
fn check(source: &Path) -> Result<(), RuntimeError> {
    let real = fs::canonicalize(source).map_err(RuntimeError::io("read", source))?;
    for path in source.ancestors().chain(real.ancestors()) {
        let meta = fs::symlink_metadata(path).map_err(RuntimeError::io("read", path))?;
        let owned = meta.uid() == 0 || meta.uid() == nix::unistd::geteuid().as_raw();
        // Content of a sticky folder can be moved only by its owner; the mode of a link has no meaning.
        let is_shown = path == source || path == real;
        let closed =
            meta.is_symlink() || meta.mode() & 0o022 == 0 || (meta.mode() & 0o1000 != 0 && !is_shown);
        if !owned || !closed {
            let what = format!(
                "others than root can change it, and so what functions see of {}: chown it to root and chmod \
                 go-w it, or copy what is needed to a folder of root's",
                source.display()
            );
            return Err(RuntimeError::Rule { path: path.to_owned(), what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn manifest(source: &Path) -> Manifest {
        let text = format!(
            "identifier = 'ruby3.4'\nroot = 'host'\nbootstrap = ['/x']\n[bind]\n'/var/lang' = '{}'\n",
            source.display()
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_folder_that_all_can_write_to_is_refused_by_any_path() {
        let dir = tempfile::tempdir().unwrap();
        let (open, link) = (dir.path().join("open"), dir.path().join("link"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
        symlink(&open, &link).unwrap();
        for source in [&open, &link] {
            assert!(matches!(check(source), Err(RuntimeError::Rule { .. })), "{}", source.display());
        }
    }

    #[test]
    fn a_bind_must_be_the_installed_one() {
        let (dir, lang) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut manifest = manifest(lang.path());
        assert!(binds(&manifest, dir.path()).is_err(), "never installed");
        for _ in 0..2 {
            make(&manifest, dir.path()).unwrap();
        }
        let link = dir.path().join("bind/0");
        let want = [HostBind { source: link, target: "/var/lang".into() }];
        assert_eq!(binds(&manifest, dir.path()).unwrap(), want);

        manifest.bind.insert("/var/lang".into(), "/etc".into());
        let error = binds(&manifest, dir.path()).unwrap_err().to_string();
        assert!(error.contains("lambd runtime add"), "{error}");
        manifest.bind.clear();
        make(&manifest, dir.path()).unwrap();
        assert!(!dir.path().join(FOLDER).exists());
    }

    #[test]
    fn sources_must_not_belong_to_others() {
        let (dir, lang) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let inner = lang.path().join("ruby");
        let install = || make(&manifest(&inner), dir.path()).map_err(|error| error.to_string());
        assert!(install().unwrap_err().contains("ruby"), "it is missing");
        fs::create_dir(&inner).unwrap();
        install().unwrap();
        for open in [lang.path(), &inner] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
            let error = install().unwrap_err();
            assert!(error.starts_with(&*open.to_string_lossy()) && error.contains("chmod go-w"), "{error}");
            fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
        }
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&inner, Some(65_534), None).unwrap();
            assert!(install().unwrap_err().contains("chown it to root"));
        }
    }
}
