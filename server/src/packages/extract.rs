//! Unpacks a zip into a new folder, with limits that are counted while it is read.

use std::io::{Read, Write as _};
use std::path::Path;

use super::archive::{Archive, EntryKind};
use super::files::io;
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

/// Unpacks `zip` into the new directory `root`, makes it durable, and returns its size in bytes. After an
/// error the directory contains what was unpacked so far, within the limits.
pub(super) fn extract(zip: &[u8], root: &Path, limits: &PackageLimits) -> Result<u64, PackageError> {
    let mut archive = Archive::open(zip, limits.nodes_max)?;
    let mut tree = Tree::create(root, limits.nodes_max)?;
    let mut budget = Budget { used_bytes: 0, limit_bytes: limits.unzipped_bytes_max };
    let mut buffer = vec![0; BUFFER_BYTES];
    archive.each(|path, kind, time, content| match kind {
        EntryKind::Directory => tree.directory(&path),
        EntryKind::File(mode) => {
            let mut file = tree.file(&path)?;
            loop {
                let bytes =
                    content.read(&mut buffer).map_err(|error| PackageError::bad(error.to_string()))?;
                let Some(chunk @ [_, ..]) = buffer.get(..bytes) else { break };
                budget.take(bytes)?;
                file.write_all(chunk).map_err(io("write", &root.join(path.as_str())))?;
            }
            tree.finish_file(&path, &file, mode, time)
        }
        EntryKind::Link => {
            let mut target = String::new();
            let read = content.take(LINK_BYTES_MAX + 1).read_to_string(&mut target);
            let bytes = read.map_err(|error| PackageError::bad(error.to_string()))?;
            budget.take(bytes)?;
            if bytes as u64 > LINK_BYTES_MAX {
                return Err(PackageError::bad("link that is too long"));
            }
            tree.link(&path, &target)
        }
    })?;
    tree.finish()?;
    Ok(budget.used_bytes)
}
