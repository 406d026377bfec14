//! The data directory as root prepares it: everything is checked before anything is made or altered, then the
//! folders are made and get their owners.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{DatabaseKind, instance};
use crate::cli::folder::Folder;
use crate::config::{Config, Ids};

/// Folders to which the API process writes: the database and the packages.
pub(super) const OWN: [&str; 2] = ["db", "packages"];
/// Only root writes to it; the API process reads it, and the launcher trusts it.
pub(super) const RUNTIMES: &str = "runtimes";
/// The launcher's images of `/tmp`.
pub(super) const VOLUMES: &str = "volumes";
/// Locked by the one server that uses the directory.
pub(super) const LOCK: &str = "lock";
/// The keys of the API.
pub(in crate::cli) const CREDENTIALS: &str = "credentials";
/// The key for temporary keys.
pub(super) const SESSION_KEY: &str = "session-key";
/// Contains the server's address, for `lambd logs`.
pub(in crate::cli) const ENDPOINT: &str = "endpoint";
/// Folders that root owns, with their modes.
const ROOTS: [(&str, u32); 2] = [(RUNTIMES, 0o755), (VOLUMES, 0o700)];
/// Names by which a data directory is recognised; a file system of its own contains the last one.
const NAMES: [&str; 9] =
    [OWN[0], OWN[1], RUNTIMES, VOLUMES, LOCK, CREDENTIALS, SESSION_KEY, ENDPOINT, "lost+found"];

/// Refuses a directory that this server cannot use, or that another program uses. Returns the account that
/// must own the data. Alters nothing.
pub(in crate::cli) fn judge(
    dir: &Folder,
    database: &DatabaseKind,
    config: &Config,
    root: &Path,
) -> Result<Ids> {
    refuse_another_s(dir)?;
    for (name, _) in ROOTS {
        dir.existing(name)?.map_or(Ok(()), |folder| folder.is_roots_alone())?;
    }
    let own = OWN.iter().map(|name| dir.existing(name)).collect::<Result<Vec<_>>>()?;
    (database.refuse_at_first_sight)(root)?;
    let owner = own.first().and_then(Option::as_ref).map(Folder::owner).transpose()?;
    let ids = Ids::of(&config.user).with_context(|| format!("cannot look up user {}", config.user))?;
    let ids = ids.unwrap_or_else(|| Ids::stand_in(instance::number(root), owner));
    own.iter().flatten().try_for_each(|folder| folder.can_be_given(&ids))?;
    Ok(ids)
}

/// Refuses a folder that has files, but none of lambd's.
fn refuse_another_s(dir: &Folder) -> Result<()> {
    let names = dir.names()?;
    let is_ours = |name: &String| NAMES.contains(&name.as_str());
    match names.iter().find(|name| !name.starts_with('.')) {
        Some(name) if !names.iter().any(is_ours) => bail!(
            "{} is no data directory of lambd (it contains {name}, and nothing of lambd's): choose an empty folder",
            dir.path().display()
        ),
        _ => Ok(()),
    }
}

/// Makes the folders, and gives each its owner and its mode.
pub(super) fn make(dir: &Folder, ids: &Ids) -> Result<()> {
    for (name, mode) in ROOTS {
        let folder = dir.child(name, mode)?;
        folder.is_roots_alone()?;
        folder.set_mode(mode)?;
    }
    for name in OWN {
        let folder = dir.child(name, 0o700)?;
        folder.set_mode(0o700)?;
        folder.give(ids)?;
    }
    Ok(())
}
