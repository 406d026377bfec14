//! The launcher's configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What [`start`](crate::start) needs to know. All of it is fixed for the launcher's life. Paths are absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LauncherConfig {
    /// Names the control group; `[a-z0-9-]{1,32}`. One launcher per instance at a time.
    pub instance: String,
    /// Folders beneath which the sources of binds must lie. Opened at start.
    pub allowed_sources: Vec<PathBuf>,
    /// Folder for the images of `/tmp`, owned by root; made when absent.
    pub volumes_dir: PathBuf,
    /// Folder of lock files by which the launchers of one machine share the user ids; made when absent.
    pub uid_block_dir: PathBuf,
    /// How many `/tmp` volumes of [`volume_stock_mib`](Self::volume_stock_mib) are kept ready; 0–64.
    pub volume_stock: usize,
    /// Size of the volumes kept ready, in MiB.
    pub volume_stock_mib: u32,
    /// How many blank sandboxes are kept ready; 0–64.
    pub blank_stock: usize,
    /// The program whose `main` calls [`launcher_entry`](crate::launcher_entry); `None`: this one.
    pub exe: Option<PathBuf>,
}

impl LauncherConfig {
    /// A configuration with the default stocks and no allowed source.
    pub fn new(
        instance: impl Into<String>,
        volumes_dir: impl Into<PathBuf>,
        uid_block_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            instance: instance.into(),
            allowed_sources: Vec::new(),
            volumes_dir: volumes_dir.into(),
            uid_block_dir: uid_block_dir.into(),
            volume_stock: 4,
            volume_stock_mib: 512,
            blank_stock: 2,
            exe: None,
        }
    }
}
