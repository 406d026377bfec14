//! The launcher's configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What [`start`](crate::start) needs to know. It is fixed for the launcher's life. Paths are absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LauncherConfig {
    /// Names the control group; `[a-z0-9-]{1,32}`. One launcher per instance at a time.
    pub instance: String,
    /// Folders beneath which the sources of binds must lie. Opened at start.
    pub allowed_sources: Vec<PathBuf>,
    /// Files and folders of the host that may be shown as they are; what lies beneath them is not a source by
    /// itself. They are looked up for each sandbox, because packages of the host may replace or add them.
    pub shown_sources: Vec<PathBuf>,
    /// One of [`allowed_sources`](Self::allowed_sources) in which a symbolic link stands for the file or
    /// folder that it names, wherever that is. It is followed only if root made it and only root can change
    /// it and the folders on the way to it.
    pub linked_sources: Option<PathBuf>,
    /// Folder for the images of `/tmp`, owned by root; it is made when absent.
    pub volumes_dir: PathBuf,
    /// Folder of lock files by which the launchers of a machine share the user ids; it is made when absent.
    pub uid_block_dir: PathBuf,
    /// How many `/tmp` volumes of [`volume_stock_mib`](Self::volume_stock_mib) are kept ready; 0–64.
    pub volume_stock: usize,
    /// Size of the volumes kept ready, in MiB.
    pub volume_stock_mib: u32,
    /// How many blank sandboxes are kept ready; 0–64.
    pub blank_stock: usize,
    /// The program whose `main` calls [`launcher_entry`](crate::launcher_entry); `None` means this program.
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
            shown_sources: Vec::new(),
            linked_sources: None,
            volumes_dir: volumes_dir.into(),
            uid_block_dir: uid_block_dir.into(),
            volume_stock: 4,
            volume_stock_mib: 512,
            blank_stock: 2,
            exe: None,
        }
    }
}
