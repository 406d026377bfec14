//! What is done as root, before the server gives its privileges up: the data directory, its lock, the keys,
//! the port, the launcher.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use lambd_auth::Keyring;
use lambd_sandbox::{Launcher, LauncherConfig};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::Backlog;
use nix::sys::stat::{Mode, umask};

use super::{ENDPOINT_FILE, instance};
use crate::cli::folder::Folder;
use crate::config::{Config, Ids};
use crate::runtimes;

/// Folders that the API process writes.
const OWN_FOLDERS: [&str; 2] = ["db", "packages"];
/// Where root alone writes what the API process reads, and the launcher trusts.
const RUNTIMES: &str = "runtimes";
/// Where the launcher keeps images of `/tmp`.
const VOLUMES: &str = "volumes";
/// All that the API process sees of the data directory.
const VIEW: [&str; 3] = [OWN_FOLDERS[0], OWN_FOLDERS[1], RUNTIMES];
/// Where the launchers of one machine share out user ids. Only root can look into it: whoever can open a lock
/// can hold it.
const UID_BLOCKS: &str = "/run/lambd";

/// Connections that the kernel keeps until they are accepted; it has a limit of its own, `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Everything that was made as root.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The data directory, canonical: how the launcher knows it.
    pub(super) root: PathBuf,
    /// Taken by the one who serves: a second descriptor would keep the port open through the drain.
    pub(super) listener: Option<TcpListener>,
    pub(super) keys: Keyring,
    ids: Ids,
    /// Held until the process ends: the data directory has one owner.
    _lock: Flock<File>,
}

pub(super) fn prepare(config: &Config) -> Result<Prepared> {
    if !nix::unistd::geteuid().is_root() {
        bail!("lambd serve must be started as root: it makes sandboxes, and gives its privileges up itself");
    }
    // Whatever root's own mask: what is made here says who may use it.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    let dir = Folder::open_or_make(&config.data_dir, 0o755)?;
    dir.is_roots_alone().context("the data directory cannot be used")?;
    let lock = lock(&dir, &config.data_dir)?;
    // From here on everything is reached by relative paths: whatever its path leads to later, and also when the
    // directory or a folder above it is closed to the user that the API process becomes.
    dir.enter()?;
    let root = std::env::current_dir().context("cannot name the data directory")?;
    let ids = folders(&dir, config, &root)?;
    let keys = Keyring::load_or_create(Path::new("credentials"))
        .with_context(|| format!("in {}", root.display()))?;
    if let Some(account) = keys.own_account.as_ref().filter(|account| **account != config.account_id) {
        bail!(
            "profile default of {} is of account {account}, and the server's own account is {}: set account_id, or \
             change the profile",
            root.join("credentials").display(),
            config.account_id
        );
    }
    let listener =
        TcpListener::bind(config.listen).with_context(|| format!("cannot listen on {}", config.listen))?;
    listener.set_nonblocking(true).context("cannot prepare the listener")?;
    // What the standard library asks for is less than a burst of callers.
    Backlog::new(BACKLOG)
        .and_then(|backlog| nix::sys::socket::listen(&listener, backlog))
        .context("cannot prepare the listener")?;
    let address = listener.local_addr().context("cannot read the listener's address")?;
    write(dir.file(ENDPOINT_FILE, 0o644)?, &format!("{}\n", url(address)))?;
    raise_descriptor_limit();
    Ok(Prepared { root, listener: Some(listener), keys, ids, _lock: lock })
}

/// Makes the folders of the data directory and sees to it that each is its owner's alone.
fn folders(dir: &Folder, config: &Config, root: &Path) -> Result<Ids> {
    for (name, mode) in [(RUNTIMES, 0o755), (VOLUMES, 0o700)] {
        let folder = dir.child(name, mode)?;
        folder.is_roots_alone()?;
        folder.set_mode(mode)?;
    }
    let own = OWN_FOLDERS.iter().map(|name| dir.child(name, 0o700)).collect::<Result<Vec<_>>>()?;
    let owner = own.first().map(Folder::owner).transpose()?;
    let ids = Ids::of(&config.user).with_context(|| format!("cannot look up user {}", config.user))?;
    let ids = ids.unwrap_or_else(|| Ids::stand_in(instance::number(root), owner));
    for folder in own {
        folder.set_mode(0o700)?;
        folder.give(&ids)?;
    }
    let locks = Folder::open_or_make(Path::new(UID_BLOCKS), 0o700)?;
    locks.is_roots_alone()?;
    locks.set_mode(0o700)?;
    Ok(ids)
}

impl Prepared {
    pub(super) fn start_launcher(&self, config: &Config) -> Result<Launcher> {
        let dir = &self.root;
        let instance = instance::name(dir);
        let mut launcher = LauncherConfig::new(instance, dir.join(VOLUMES), UID_BLOCKS);
        launcher.allowed_sources = vec![dir.join("packages"), dir.join(RUNTIMES)];
        launcher.linked_sources = Some(dir.join(RUNTIMES));
        launcher.shown_sources = runtimes::host_sources().collect();
        launcher.volume_stock = usize::try_from(config.volume_stock).unwrap_or(usize::MAX);
        let launcher = lambd_sandbox::start(&launcher).context("cannot start the launcher")?;
        for note in launcher.notes() {
            tracing::warn!("{note}");
        }
        Ok(launcher)
    }

    pub(super) fn drop_privileges(&self) -> Result<()> {
        lambd_sandbox::enter_view(&VIEW).context("cannot hide what is root's of the data directory")?;
        lambd_sandbox::drop_privileges(self.ids.uid.as_raw(), self.ids.gid.as_raw())
            .context("cannot give up privileges")?;
        // The keys are in this process. Its change of user forbids reading it too, but only where the machine's
        // `fs.suid_dumpable` is 0.
        set_dumpable(false).context("cannot forbid reading this process")?;
        tracing::info!(uid = self.ids.uid.as_raw(), "privileges given up");
        Ok(())
    }
}

/// Says on standard output and to systemd that the server serves.
pub(super) fn announce(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", url(address)).and_then(|()| out.flush()).context("cannot write")?;
    crate::http::notify::ready();
    Ok(())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn lock(dir: &Folder, path: &Path) -> Result<Flock<File>> {
    match Flock::lock(dir.file("lock", 0o600)?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            let lock = path.join("lock");
            bail!(
                "data directory {} is in use by another lambd (lock held on {})",
                path.display(),
                lock.display()
            )
        }
        Err((_, errno)) => Err(errno).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn write(mut file: File, text: &str) -> Result<()> {
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {ENDPOINT_FILE}"))
}

/// Every environment holds several descriptors in the server; the usual soft limit of 1,024 is too small.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%errno, soft, hard, "cannot raise the limit of open files");
    }
}
