//! Deployment packages: folders of unpacked zips, named by the hash of the zip.
//!
//! `packages/<sha256>/` contains `code/` (the unpacked tree, which sandboxes mount read-only), `package.zip`
//! (as it was uploaded, for `Code.Location`; not of merged layers) and `package.json` (its sizes). A folder appears by a rename
//! when all of it is on disk, and is renamed before it is deleted, so that a present folder is always
//! complete.
//!
//! Zips are hostile. Sizes are counted while unpacking, not taken from headers, and every path is made and
//! opened relative to its parent directory without following links.
//!
//! All methods block on the disk: call them from `spawn_blocking`.

mod archive;
mod collector;
mod error;
mod extract;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod merge;
mod name;
mod pins;
mod tree;

pub use collector::Collector;
pub use error::PackageError;
pub use pins::Pin;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lambd_model::Sha256;
use serde::{Deserialize, Serialize};

use extract::Extraction;
use files::{Scratch, io, sync_dir};
use pins::Pins;

/// Limits of a package [fact:package-sizes].
#[derive(Debug, Clone, Copy)]
pub struct PackageLimits {
    /// Most bytes of the zip itself.
    pub zipped_bytes_max: u64,
    /// Most bytes of its unpacked files. If there are layers, pass what they leave.
    pub unzipped_bytes_max: u64,
    /// Most files, directories and links. Each costs the disk up to 4 KiB more than its size: at the default
    /// all of them together as much as the limit of sizes. AWS publishes no limit.
    pub nodes_max: usize,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self { zipped_bytes_max: 52_428_800, unzipped_bytes_max: 262_144_000, nodes_max: 65_535 }
    }
}

/// A package on disk, which is not removed as long as this value or a clone of it lives.
#[derive(Debug, Clone)]
pub struct Package {
    /// SHA-256 of the zip: `CodeSha256`.
    pub sha256: Sha256,
    /// Size of the zip: `CodeSize`.
    pub zipped_bytes: u64,
    /// Size of all files and links, unpacked.
    pub unzipped_bytes: u64,
    /// The unpacked tree, for `/var/task`.
    pub code_dir: PathBuf,
    _pin: Pin,
}

/// The content of `package.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    v: u32,
    zipped_bytes: u64,
    unzipped_bytes: u64,
}

const FACTS_VERSION: u32 = 1;

/// All packages of a data directory, which only one process uses: the directory's lock guarantees it.
#[derive(Debug)]
pub struct Packages {
    dir: PathBuf,
    /// Packages that are being made or removed; emptied at every start.
    scratch: PathBuf,
    pins: Pins,
    collecting: Mutex<()>,
}

/// The result of removing a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It does not exist any more.
    Gone,
    /// It is in use.
    Pinned,
}

impl Packages {
    /// Opens `data_dir/packages`, makes it if it is absent, and removes what a crash left incomplete.
    ///
    /// # Errors
    /// [`PackageError::Io`] or [`PackageError::DiskFull`].
    pub fn open(data_dir: &Path) -> Result<Self, PackageError> {
        let dir = data_dir.join("packages");
        let scratch = dir.join(".staging");
        match fs::remove_dir_all(&scratch) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io("remove", &scratch)(error)),
            _ => {}
        }
        files::create_dir(&scratch)?;
        Ok(Self { dir, scratch, pins: Pins::default(), collecting: Mutex::new(()) })
    }

    /// Unpacks `zip` unless the same bytes are there already, and pins the package. Keep the value until the
    /// record that refers to it is committed. When this returns, the package is durable.
    ///
    /// # Errors
    /// [`PackageError::BadZip`], [`PackageError::ZippedTooLarge`] and [`PackageError::UnzippedTooLarge`] are
    /// faults of the client; the others are the server's. In no case does anything stay on disk.
    pub fn stage(&self, zip: &[u8], limits: &PackageLimits) -> Result<Package, PackageError> {
        if zip.len() as u64 > limits.zipped_bytes_max {
            return Err(PackageError::ZippedTooLarge { limit_bytes: limits.zipped_bytes_max });
        }
        let sha256 = Sha256::of(zip);
        // Pinned before it is read: from here on the package cannot be collected.
        let pin = self.pins.pin(sha256);
        let package = match self.load(sha256, &pin)? {
            Some(package) => package,
            None => self.unpack(zip, sha256, pin, limits)?,
        };
        if package.unzipped_bytes > limits.unzipped_bytes_max {
            return Err(PackageError::UnzippedTooLarge { limit_bytes: limits.unzipped_bytes_max });
        }
        // Also if another thread made the folder, because that thread may not have synced yet.
        sync_dir(&self.dir)?;
        Ok(package)
    }

    /// The package with this hash, pinned.
    ///
    /// # Errors
    /// [`PackageError::Missing`] if it does not exist.
    pub fn get(&self, sha256: Sha256) -> Result<Package, PackageError> {
        let pin = self.pins.pin(sha256);
        self.load(sha256, &pin)?.ok_or(PackageError::Missing { sha256 })
    }

    /// The zip as it was uploaded, opened for reading.
    ///
    /// # Errors
    /// [`PackageError::Missing`] if it does not exist.
    pub fn open_zip(&self, sha256: Sha256) -> Result<File, PackageError> {
        let path = self.folder(sha256).join("package.zip");
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(PackageError::Missing { sha256 }),
            other => other.map_err(io("open", &path)),
        }
    }

    /// The hashes of all packages, unordered.
    ///
    /// # Errors
    /// [`PackageError::Io`].
    pub fn list(&self) -> Result<Vec<Sha256>, PackageError> {
        let entries = fs::read_dir(&self.dir).map_err(io("list", &self.dir))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(io("list", &self.dir)));
        names.filter_map(|name| name.map(|name| Sha256::from_hex(name.to_str()?)).transpose()).collect()
    }

    /// Removes a package unless it is pinned.
    ///
    /// # Errors
    /// [`PackageError::Io`].
    pub fn remove(&self, sha256: Sha256) -> Result<Removal, PackageError> {
        let trash = Scratch::name(&self.scratch);
        let renamed = self.pins.unless_pinned(sha256, || fs::rename(self.folder(sha256), trash.path()));
        match renamed {
            None => Ok(Removal::Pinned),
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
                Err(io("remove", &self.folder(sha256))(error))
            }
            Some(_) => Ok(Removal::Gone),
        }
    }

    /// Removes every package that is neither in `live` nor in use, and returns their number.
    ///
    /// `live` returns the hashes of all committed records; it is called after the candidates were listed. A
    /// package that was pinned since then is not removed, because its record may be newer than `live`.
    ///
    /// # Errors
    /// [`PackageError::Io`].
    pub fn collect(&self, live: impl FnOnce() -> HashSet<Sha256>) -> Result<usize, PackageError> {
        let _one_at_a_time = self.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let _watch = self.pins.watch();
        let candidates = self.list()?;
        let live = live();
        let mut removed = 0;
        for sha256 in candidates.into_iter().filter(|sha256| !live.contains(sha256)) {
            removed += usize::from(self.remove(sha256)? == Removal::Gone);
        }
        Ok(removed)
    }

    fn folder(&self, sha256: Sha256) -> PathBuf {
        self.dir.join(sha256.hex())
    }

    fn load(&self, sha256: Sha256, pin: &Pin) -> Result<Option<Package>, PackageError> {
        let folder = self.folder(sha256);
        let path = folder.join("package.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io("read", &path))?,
        };
        match serde_json::from_slice(&bytes) {
            Ok(Facts { v: FACTS_VERSION, zipped_bytes, unzipped_bytes }) => Ok(Some(Package {
                sha256,
                zipped_bytes,
                unzipped_bytes,
                code_dir: folder.join("code"),
                _pin: pin.clone(),
            })),
            Ok(Facts { v, .. }) => {
                Err(PackageError::Damaged { path, detail: format!("unknown version {v}") })
            }
            Err(error) => Err(PackageError::Damaged { path, detail: error.to_string() }),
        }
    }

    fn unpack(
        &self,
        zip: &[u8],
        sha256: Sha256,
        pin: Pin,
        limits: &PackageLimits,
    ) -> Result<Package, PackageError> {
        let scratch = Scratch::create(&self.scratch)?;
        let mut extraction = Extraction::begin(&scratch.path().join("code"), limits)?;
        extraction.add(zip)?;
        let unzipped_bytes = extraction.finish()?;
        files::write_synced(&scratch.path().join("package.zip"), zip)?;
        self.publish(&scratch, sha256, pin, zip.len() as u64, unzipped_bytes)
    }

    /// Makes a folder that is complete but for its sizes a package.
    fn publish(
        &self,
        scratch: &Scratch,
        sha256: Sha256,
        pin: Pin,
        zipped_bytes: u64,
        unzipped_bytes: u64,
    ) -> Result<Package, PackageError> {
        let facts = Facts { v: FACTS_VERSION, zipped_bytes, unzipped_bytes };
        let path = scratch.path().join("package.json");
        let facts = serde_json::to_vec(&facts).map_err(|error| io("write", &path)(error.into()))?;
        files::write_synced(&path, &facts)?;
        sync_dir(scratch.path())?;
        let folder = self.folder(sha256);
        match fs::rename(scratch.path(), &folder) {
            // Another thread has staged the same bytes; its folder is the same.
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            }
            other => other.map_err(io("create", &folder))?,
        }
        Ok(Package { sha256, zipped_bytes, unzipped_bytes, code_dir: folder.join("code"), _pin: pin })
    }
}

#[cfg(test)]
mod tests;
