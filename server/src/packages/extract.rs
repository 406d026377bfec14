//! Unpacks a zip into a new folder, with limits that are counted while it is read.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::archive::{Archive, EntryKind};
use super::files::io;
use super::name::EntryPath;
use super::tree::Tree;
use super::{PackageError, PackageLimits};

/// Longest target of a link in bytes: Linux's limit.
const LINK_BYTES_MAX: u64 = 4095;
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes that have been unpacked, and their limit.
struct Budget {
    used_bytes: u64,
    limit_bytes: u64,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), PackageError> {
        self.used_bytes = self.used_bytes.saturating_add(bytes as u64);
        if self.used_bytes > self.limit_bytes {
            return Err(PackageError::UnzippedTooLarge { limit_bytes: self.limit_bytes });
        }
        Ok(())
    }
}

/// A new directory into which zips are unpacked. After an error it contains what was unpacked so far, within the
/// limits.
pub(super) struct Extraction {
    root: PathBuf,
    tree: Tree,
    budget: Budget,
    nodes_max: usize,
    buffer: Vec<u8>,
    zips: usize,
}

impl Extraction {
    /// Makes the directory `root`.
    pub(super) fn begin(root: &Path, limits: &PackageLimits) -> Result<Self, PackageError> {
        Ok(Self {
            root: root.to_owned(),
            tree: Tree::create(root, limits.nodes_max)?,
            budget: Budget { used_bytes: 0, limit_bytes: limits.unzipped_bytes_max },
            nodes_max: limits.nodes_max,
            buffer: vec![0; BUFFER_BYTES],
            zips: 0,
        })
    }

    /// Unpacks a zip. Its files replace those of zips before it.
    pub(super) fn add(&mut self, zip: &[u8]) -> Result<(), PackageError> {
        self.tree.replace(self.zips > 0);
        self.zips += 1;
        let mut archive = Archive::open(zip, self.nodes_max)?;
        archive.each(|path, kind, time, content| match kind {
            EntryKind::Directory => self.tree.directory(&path),
            EntryKind::File(mode) => self.file(&path, mode, time, content),
            EntryKind::Link => self.link(&path, content),
        })
    }

    /// Makes the directory durable, and returns its size in bytes.
    pub(super) fn finish(self) -> Result<u64, PackageError> {
        self.tree.finish()?;
        Ok(self.budget.used_bytes)
    }

    fn file(
        &mut self,
        path: &EntryPath,
        mode: u32,
        time: Option<SystemTime>,
        content: &mut dyn Read,
    ) -> Result<(), PackageError> {
        let mut file = self.tree.file(path)?;
        loop {
            let bytes =
                content.read(&mut self.buffer).map_err(|error| PackageError::bad(error.to_string()))?;
            let Some(chunk @ [_, ..]) = self.buffer.get(..bytes) else { break };
            self.budget.take(bytes)?;
            file.write_all(chunk).map_err(io("write", &self.root.join(path.as_str())))?;
        }
        self.tree.finish_file(path, &file, mode, time)
    }

    fn link(&mut self, path: &EntryPath, content: &mut dyn Read) -> Result<(), PackageError> {
        let mut target = String::new();
        let read = content.take(LINK_BYTES_MAX + 1).read_to_string(&mut target);
        let bytes = read.map_err(|error| PackageError::bad(error.to_string()))?;
        self.budget.take(bytes)?;
        if bytes as u64 > LINK_BYTES_MAX {
            return Err(PackageError::bad("link that is too long"));
        }
        self.tree.link(path, &target)
    }
}
