//! What is done as root, before the server gives its privileges up: the data directory, its lock, the keys,
//! the port, the launcher.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use lambd_sandbox::{Launcher, LauncherConfig};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{endpoint_file, instance};
use crate::auth::Credentials;
use crate::config::{Config, Ids};

/// Folders that the API process writes.
const OWN_FOLDERS: [&str; 2] = ["db", "packages"];
/// Folders that only root writes: what the launcher trusts.
const ROOT_FOLDERS: [&str; 2] = ["runtimes", "volumes"];
/// System folders of the host that a runtime may show, read-only.
const SYSTEM_FOLDERS: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc"];
/// Where the launchers of one machine share out user ids.
const UID_BLOCKS: &str = "/run/lambd";

/// Everything that was made as root.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The data directory, canonical: how the launcher knows it.
    pub(super) root: PathBuf,
    /// Taken by the one who serves: a second descriptor would keep the port open through the drain.
    pub(super) listener: Option<TcpListener>,
    pub(super) credentials: Credentials,
    ids: Ids,
    /// Held until the process ends: the data directory has one owner.
    _lock: Flock<File>,
}

pub(super) fn prepare(config: &Config) -> Result<Prepared> {
    if !nix::unistd::geteuid().is_root() {
        bail!("lambd serve must be started as root: it makes sandboxes, and gives its privileges up itself");
    }
    let ids = Ids::of(&config.user).with_context(|| format!("failed to look up user {}", config.user))?;
    let dir = &config.data_dir;
    make_dir(dir, 0o755)?;
    let lock = lock(dir)?;
    for name in ROOT_FOLDERS {
        make_dir(&dir.join(name), 0o755)?;
    }
    for name in OWN_FOLDERS {
        let folder = dir.join(name);
        make_dir(&folder, 0o700)?;
        own(&folder, &ids)?;
    }
    let credentials = Credentials::load_or_create(&dir.join("credentials"))?;
    let listener =
        TcpListener::bind(config.listen).with_context(|| format!("failed to listen on {}", config.listen))?;
    listener.set_nonblocking(true).context("failed to prepare the listener")?;
    let endpoint =
        format!("{}\n", url(listener.local_addr().context("failed to read the listener's address")?));
    write(&endpoint_file(dir), &endpoint)?;
    raise_descriptor_limit();
    let root = fs::canonicalize(dir).with_context(|| format!("failed to resolve {}", dir.display()))?;
    // From here on the API process reaches its data by relative paths: a folder above it may be closed to
    // the user that it becomes.
    std::env::set_current_dir(&root).with_context(|| format!("failed to enter {}", root.display()))?;
    Ok(Prepared { root, listener: Some(listener), credentials, ids, _lock: lock })
}

impl Prepared {
    pub(super) fn start_launcher(&self, config: &Config) -> Result<Launcher> {
        let dir = &self.root;
        let instance = instance::name(dir);
        let mut launcher = LauncherConfig::new(instance, dir.join("volumes"), UID_BLOCKS);
        launcher.allowed_sources = SYSTEM_FOLDERS.iter().map(PathBuf::from).filter(|p| p.is_dir()).collect();
        launcher.allowed_sources.extend([dir.join("packages"), dir.join("runtimes")]);
        launcher.volume_stock = usize::try_from(config.volume_stock).unwrap_or(usize::MAX);
        let launcher = lambd_sandbox::start(&launcher).context("failed to start the launcher")?;
        for note in launcher.notes() {
            tracing::warn!("{note}");
        }
        Ok(launcher)
    }

    pub(super) fn drop_privileges(&self) -> Result<()> {
        lambd_sandbox::drop_privileges(self.ids.uid.as_raw(), self.ids.gid.as_raw())
            .context("failed to give up privileges")?;
        tracing::info!(uid = self.ids.uid.as_raw(), "privileges given up");
        Ok(())
    }
}

/// Says on standard output and to systemd that the server serves.
pub(super) fn announce(address: SocketAddr) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", url(address)).and_then(|()| out.flush()).context("failed to write")?;
    crate::http::notify::ready();
    Ok(())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn lock(dir: &Path) -> Result<Flock<File>> {
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("failed to open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            bail!(
                "data directory {} is in use by another lambd (lock held on {})",
                dir.display(),
                path.display()
            )
        }
        Err((_, errno)) => Err(errno).with_context(|| format!("failed to lock {}", path.display())),
    }
}

fn make_dir(path: &Path, mode: u32) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .with_context(|| format!("failed to make {}", path.display()))
}

/// Gives a folder with all it holds to the API process, unless it has it already.
fn own(path: &Path, ids: &Ids) -> Result<()> {
    let (uid, gid) = (ids.uid.as_raw(), ids.gid.as_raw());
    let meta = fs::symlink_metadata(path).with_context(|| format!("failed to read {}", path.display()))?;
    if (meta.uid(), meta.gid()) == (uid, gid) {
        return Ok(());
    }
    if meta.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("failed to list {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to list {}", path.display()))?;
            own(&entry.path(), ids)?;
        }
    }
    // Last, so that an interrupted change is taken up again by the next start.
    if meta.is_symlink() {
        return Ok(());
    }
    chown(path, Some(uid), Some(gid)).with_context(|| format!("failed to give away {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

/// Every environment holds several descriptors in the server; the usual soft limit of 1,024 is too small.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%errno, soft, hard, "failed to raise the limit of open files");
    }
}
