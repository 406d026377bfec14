//! The steps that need root, and how privileges are dropped. Each step takes the one before, so that the
//! types fix the order: [`Privileged`] has the data directory, its lock, the keys and the port; [`Launched`]
//! also has the launcher; [`Unprivileged`] is what the server keeps.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use lambd_auth::{AccessRules, Credentials, Keyring, SessionKey, Verifier};
use lambd_sandbox::{Launcher, LauncherConfig};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::Backlog;
use nix::sys::stat::{Mode, umask};

use super::data_dir::{self, CREDENTIALS, ENDPOINT, LOCK, OWN, RUNTIMES, SESSION_KEY, VOLUMES};
use super::{DatabaseKind, instance};
use crate::cli::folder::Folder;
use crate::config::{Config, Ids};
use crate::object_store::ObjectStore;
use crate::runtimes;

/// The only parts of the data directory that the API process sees.
const VIEW: [&str; 3] = [OWN[0], OWN[1], RUNTIMES];
/// The folder in which all launchers of a machine agree on user ids. Only root can enter it, because whoever
/// can open a lock file can also lock it.
const UID_BLOCKS: &str = "/run/lambd";
/// Connections that the kernel keeps until they are accepted; `net.core.somaxconn` also limits them.
const BACKLOG: i32 = 4096;

/// The process as root, with everything that needs root except the launcher.
#[derive(Debug)]
pub(super) struct Privileged {
    kept: Kept,
    /// Kept until the process ends: only one server may use a data directory.
    lock: Flock<File>,
    ids: Ids,
}

/// The process as root, with its launcher.
#[derive(Debug)]
pub(super) struct Launched {
    root: Privileged,
    launcher: Launcher,
}

/// The process without privileges.
#[derive(Debug)]
pub(super) struct Unprivileged {
    pub(super) kept: Kept,
    /// The lock of [`Privileged`].
    pub(super) lock: Flock<File>,
    pub(super) launcher: Launcher,
}

/// What is made as root and used afterwards.
#[derive(Debug)]
pub(super) struct Kept {
    /// The canonical data directory, for the launcher and for messages. It is the working directory.
    pub(super) root: PathBuf,
    pub(super) listener: TcpListener,
    pub(super) keys: Keyring,
    pub(super) access: AccessRules,
    pub(super) sessions: SessionKey,
    /// Where code is that is not in a request.
    pub(super) objects: Option<ObjectStore>,
    /// Tells `lambd logs` where the server is; written when the server serves.
    pub(super) endpoint: File,
}

impl Privileged {
    /// Runs before any thread is started; whatever can fail without altering anything comes first.
    pub(super) fn prepare(config: &Config, database: &DatabaseKind) -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!(
                "lambd serve must be started as root: it makes sandboxes, and gives its privileges up itself"
            );
        }
        let access = config.access_rules()?;
        // Modes are as given here, whatever root's mask is.
        umask(Mode::S_IWGRP | Mode::S_IWOTH);
        let dir = Folder::open_or_make(&config.data_dir, 0o755)?;
        dir.is_roots_alone().context("the data directory cannot be used")?;
        // From here on relative paths are used: they lead to the same directory whatever is renamed, and also
        // if the user of the API process may not enter the directory or one above it.
        dir.enter()?;
        let root = std::env::current_dir().context("cannot name the data directory")?;
        let ids = data_dir::judge(&dir, database, config, &root)?;
        let lock = lock(&dir, &config.data_dir)?;
        let (keys, sessions) = keys(config, &root, &access)?;
        let objects = objects(config, &keys)?;
        let listener = listen(config.listen)?;
        data_dir::make(&dir, &ids)?;
        let uid_blocks = Folder::open_or_make(Path::new(UID_BLOCKS), 0o700)?;
        uid_blocks.is_roots_alone()?;
        uid_blocks.set_mode(0o700)?;
        let endpoint = dir.file(ENDPOINT, 0o644)?;
        raise_descriptor_limit();
        Ok(Self { kept: Kept { root, listener, keys, access, sessions, objects, endpoint }, lock, ids })
    }

    pub(super) fn start_launcher(self, config: &Config) -> Result<Launched> {
        let dir = &self.kept.root;
        let instance = instance::name(dir);
        let mut launcher = LauncherConfig::new(instance, dir.join(VOLUMES), UID_BLOCKS);
        launcher.allowed_sources = vec![dir.join(OWN[1]), dir.join(RUNTIMES)];
        launcher.linked_sources = Some(dir.join(RUNTIMES));
        launcher.shown_sources = runtimes::host_sources().collect();
        launcher.volume_stock = usize::try_from(config.volume_stock).unwrap_or(usize::MAX);
        let launcher = lambd_sandbox::start(&launcher).context("cannot start the launcher")?;
        for note in launcher.notes() {
            tracing::warn!("{note}");
        }
        Ok(Launched { root: self, launcher })
    }
}

impl Launched {
    pub(super) fn drop_privileges(self) -> Result<Unprivileged> {
        let Self { root: Privileged { kept, lock, ids }, launcher } = self;
        lambd_sandbox::enter_view(&VIEW).context("cannot hide root's part of the data directory")?;
        lambd_sandbox::drop_privileges(ids.uid.as_raw(), ids.gid.as_raw())
            .context("cannot drop privileges")?;
        // This process contains the keys. Changing its user also forbids other processes to read it, but only
        // if the machine's `fs.suid_dumpable` is 0.
        set_dumpable(false).context("cannot forbid reading this process")?;
        tracing::info!(uid = ids.uid.as_raw(), "privileges given up");
        Ok(Unprivileged { kept, lock, launcher })
    }
}

fn keys(config: &Config, root: &Path, access: &AccessRules) -> Result<(Keyring, SessionKey)> {
    let place = || format!("in {}", root.display());
    let keys = Keyring::load_or_create(Path::new(CREDENTIALS)).with_context(place)?;
    if let Some(account) = keys.own_account.as_ref().filter(|account| **account != config.account_id) {
        bail!(
            "profile default of {} belongs to account {account}, but the server's own account is {}: set account_id, or \
             change the profile",
            root.join(CREDENTIALS).display(),
            config.account_id
        );
    }
    let sessions = SessionKey::load_or_create(Path::new(SESSION_KEY)).with_context(place)?;
    // Only to refuse a key whose policy is missing before anything else happens.
    Verifier::new(keys.keys(&config.account_id), access.clone(), sessions.clone()).with_context(place)?;
    Ok((keys, sessions))
}

/// The server with the code of functions, if the configuration names one.
fn objects(config: &Config, keys: &Keyring) -> Result<Option<ObjectStore>> {
    if config.s3_endpoint.is_empty() {
        return Ok(None);
    }
    let credentials = match config.s3_credentials_file.as_path() {
        none if none.as_os_str().is_empty() => keys.own.clone(),
        file => Credentials::load(file, "default").context("setting s3_credentials_file")?,
    };
    Ok(Some(ObjectStore::new(&config.s3_endpoint, credentials)))
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true).context("cannot prepare the listener")?;
    // The standard library's backlog is too small for a burst of callers.
    Backlog::new(BACKLOG)
        .and_then(|backlog| nix::sys::socket::listen(&listener, backlog))
        .context("cannot prepare the listener")?;
    Ok(listener)
}

fn lock(dir: &Folder, path: &Path) -> Result<Flock<File>> {
    match Flock::lock(dir.file(LOCK, 0o600)?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            let lock = path.join(LOCK);
            bail!(
                "data directory {} is in use by another lambd (lock held on {})",
                path.display(),
                lock.display()
            )
        }
        Err((_, errno)) => Err(errno).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Every environment needs several descriptors in the server; the usual soft limit of 1,024 is too small.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%errno, soft, hard, "cannot raise the limit of open files");
    }
}
