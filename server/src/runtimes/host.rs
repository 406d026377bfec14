//! The system that a sandbox shows: the host's own folders, or those of a runtime's tree.
//!
//! `/etc` is never shown as a whole, because it contains secrets and names of the host. Sandboxes show only
//! the parts that programs need to start and to check certificates. The files of the name service are made
//! here, those of the account by the sandbox.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Manifest, Root, RuntimeError, links, os_release};

/// The host name of every environment, in AWS's form. It resolves to the environment itself.
pub const HOSTNAME: &str = "169-254-100-1";

/// The folders of a root file system that contain programs and libraries.
pub(super) const SYSTEM_DIRS: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Parts of the host's `/etc` that are shown: the loader's cache, Debian's chosen programs, certificates (in
/// Debian's and Fedora's places).
const ETC_BINDS: [&str; 5] =
    ["alternatives", "ld.so.cache", "pki/ca-trust/extracted", "pki/tls/certs", "ssl/certs"];

/// Small files of a root's `/etc` that are copied.
const ETC_COPIES: [&str; 3] = ["protocols", "services", "ssl/openssl.cnf"];
/// Also copied from a tree; the host's own does not say what AWS's image says.
const OS_RELEASE: &str = "os-release";
const ETC_COPY_MAX_BYTES: u64 = 64 << 10;

/// Files that are the same in every sandbox.
const FIXED_FILES: [(&str, u32, &str); 4] = [
    ("/etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 169-254-100-1\n"),
    ("/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("/etc/resolv.conf", 0o644, ""),
    ("/lambda-entrypoint.sh", 0o755, "#!/bin/sh\nexport _HANDLER=\"$1\"\nexec /var/runtime/bootstrap\n"),
];

/// The parts of the host that runtimes may show, whether they exist or not.
pub fn host_sources() -> impl Iterator<Item = PathBuf> {
    let dirs = SYSTEM_DIRS.map(|name| Path::new("/").join(name));
    dirs.into_iter().chain(ETC_BINDS.map(|name| Path::new("/etc").join(name)))
}

/// A folder or file of the host, shown read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostBind {
    /// Path on the host.
    pub source: PathBuf,
    /// Path in the sandbox.
    pub target: PathBuf,
}

/// A symbolic link of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symlink {
    /// Path in the sandbox.
    pub path: PathBuf,
    /// Its target.
    pub points_to: PathBuf,
}

/// A small file of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path in the sandbox.
    pub path: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// Its content.
    pub content: Vec<u8>,
}

/// The parts of a sandbox's root that are the same for all environments of a runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct System {
    pub(super) binds: Vec<HostBind>,
    pub(super) symlinks: Vec<Symlink>,
    pub(super) files: Vec<File>,
}

impl System {
    /// Determines these parts for the runtime in `dir`.
    pub(super) fn of(manifest: &Manifest, dir: &Path) -> Result<Self, RuntimeError> {
        let mut system = Self::default();
        let root = match &manifest.root {
            Root::Host => PathBuf::from("/"),
            Root::Tree(name) => dir.join(name),
        };
        system.add_dirs(&root)?;
        system.add_etc(&root)?;
        match manifest.root {
            Root::Host => {
                let content = os_release::of(&manifest.identifier).into();
                system.files.push(File { path: "/etc/os-release".into(), mode: 0o644, content });
            }
            Root::Tree(_) => system.copy_etc(&root, OS_RELEASE)?,
        }
        for (path, mode, content) in FIXED_FILES {
            let content = content.as_bytes().to_vec();
            system.files.push(File { path: path.into(), mode, content });
        }
        for (name, target) in [("runtime", "/var/runtime"), ("lang", "/var/lang")] {
            let source = dir.join(name);
            if source.is_dir() {
                system.binds.push(HostBind { source, target: target.into() });
            }
        }
        system.binds.extend(links::binds(manifest, dir)?);
        Ok(system)
    }

    /// A path at which two things would be shown, or one inside the other, which a sandbox cannot do.
    pub(super) fn contested(&self) -> Option<&Path> {
        let contests = |(n, bind): &(usize, &HostBind)| {
            let others =
                self.binds.iter().enumerate().filter(|(m, _)| m != n).map(|(_, other)| &other.target);
            let links = self.symlinks.iter().map(|link| &link.path);
            others.chain(links).any(|other| bind.target.starts_with(other))
        };
        self.binds.iter().enumerate().find(contests).map(|(_, bind)| bind.target.as_path())
    }

    fn add_dirs(&mut self, root: &Path) -> Result<(), RuntimeError> {
        for name in SYSTEM_DIRS {
            let source = root.join(name);
            let Ok(meta) = fs::symlink_metadata(&source) else { continue };
            let target = Path::new("/").join(name);
            if meta.is_symlink() {
                let points_to = fs::read_link(&source).map_err(RuntimeError::io("read the link", &source))?;
                self.symlinks.push(Symlink { path: target, points_to });
            } else if meta.is_dir() {
                self.binds.push(HostBind { source, target });
            }
        }
        Ok(())
    }

    fn add_etc(&mut self, root: &Path) -> Result<(), RuntimeError> {
        for name in ETC_BINDS {
            let source = root.join("etc").join(name);
            if source.exists() {
                self.binds.push(HostBind { source, target: Path::new("/etc").join(name) });
            }
        }
        ETC_COPIES.iter().try_for_each(|name| self.copy_etc(root, name))
    }

    /// Copies one file of the root's `/etc`, if it exists, is small and can be read by everyone.
    fn copy_etc(&mut self, root: &Path, name: &str) -> Result<(), RuntimeError> {
        let source = root.join("etc").join(name);
        let Ok(meta) = fs::metadata(&source) else { return Ok(()) };
        if meta.is_file() && meta.len() <= ETC_COPY_MAX_BYTES && meta.permissions().mode() & 0o004 != 0 {
            let content = fs::read(&source).map_err(RuntimeError::io("read", &source))?;
            self.files.push(File { path: Path::new("/etc").join(name), mode: 0o644, content });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_shows_its_own_system() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["root/usr/bin", "root/lib", "root/etc/ssl/certs", "root/etc/ssl/private", "runtime"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        symlink("usr/bin", dir.path().join("root/bin")).unwrap();
        fs::write(dir.path().join("root/etc/services"), "http 80/tcp\n").unwrap();
        fs::write(dir.path().join("root/etc/os-release"), "ID=mine\n").unwrap();
        fs::write(dir.path().join("root/etc/shadow"), "secret").unwrap();
        let manifest = Manifest {
            identifier: "x".to_owned(),
            root: Root::Tree("root".to_owned()),
            interpreter: None,
            build: None,
            bootstrap: vec!["/var/runtime/bootstrap".into()],
            bind: [("/var/lang".into(), "/opt/lang".into())].into(),
            environment: [].into(),
        };
        fs::create_dir(dir.path().join("bind")).unwrap();
        symlink("/opt/lang", dir.path().join("bind/0")).unwrap();
        let system = System::of(&manifest, dir.path()).unwrap();
        let targets: Vec<_> = system.binds.iter().map(|bind| bind.target.to_str().unwrap()).collect();
        assert_eq!(targets, ["/usr", "/lib", "/etc/ssl/certs", "/var/runtime", "/var/lang"]);
        assert_eq!(system.symlinks, [Symlink { path: "/bin".into(), points_to: "usr/bin".into() }]);
        let files: Vec<_> = system.files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(
            files,
            [
                "/etc/services",
                "/etc/os-release",
                "/etc/hosts",
                "/etc/nsswitch.conf",
                "/etc/resolv.conf",
                "/lambda-entrypoint.sh"
            ]
        );
    }

    #[test]
    fn every_environment_resolves_its_own_name() {
        let (_, _, hosts) = FIXED_FILES.iter().find(|(path, _, _)| *path == "/etc/hosts").unwrap();
        assert!(hosts.lines().any(|line| line == format!("127.0.0.1 {HOSTNAME}")), "{hosts}");
    }
}
