//! Deployment packages made in memory, entry by entry, so that headers can also be wrong on purpose.

use std::io::Write;

use anyhow::Result;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

const ENCRYPTED: u16 = 1;
const DEFLATED: u16 = 8;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

/// One entry of a zip file.
#[derive(Debug, Clone)]
pub struct ZipEntry {
    name: String,
    mode: u32,
    packed: Vec<u8>,
    crc: u32,
    size: u32,
    method: u16,
    flags: u16,
}

impl ZipEntry {
    /// A stored file, without compression.
    #[must_use]
    pub fn file(name: &str, data: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(data);
        let (name, packed) = (name.to_owned(), data.to_vec());
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { name, mode: REGULAR | 0o644, packed, crc: crc.sum(), size, method: 0, flags: 0 }
    }

    /// An executable file.
    #[must_use]
    pub fn executable(name: &str, data: &[u8]) -> Self {
        Self { mode: REGULAR | 0o755, ..Self::file(name, data) }
    }

    /// A symbolic link.
    #[must_use]
    pub fn link(name: &str, to: &str) -> Self {
        Self { mode: SYMLINK | 0o777, ..Self::file(name, to.as_bytes()) }
    }

    /// A file of this many MiB of zeros, deflated to about a thousandth.
    ///
    /// # Errors
    /// None in practice, because the encoder writes to memory.
    pub fn zeros(name: &str, mib: u32) -> Result<Self> {
        let (block, mut crc) = (vec![0; 1 << 20], Crc::new());
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        for _ in 0..mib {
            deflate.write_all(&block)?;
            crc.update(&block);
        }
        let packed = deflate.finish()?;
        let name = name.to_owned();
        let (crc, size, method) = (crc.sum(), mib << 20, DEFLATED);
        Ok(Self { name, mode: REGULAR | 0o644, packed, crc, size, method, flags: 0 })
    }

    /// The same entry with headers that state this size.
    #[must_use]
    pub fn claiming(self, size: u32) -> Self {
        Self { size, ..self }
    }

    /// The same entry, marked as encrypted.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { flags: ENCRYPTED, ..self }
    }

    /// The fields that the local and the central header have in common (APPNOTE 4.3.7, 4.3.12).
    fn common(&self) -> Vec<u8> {
        let packed = u32::try_from(self.packed.len()).unwrap_or(u32::MAX);
        let name = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        let mut out = Vec::new();
        for short in [20, self.flags, self.method, 0, 0x21] {
            out.extend(u16::to_le_bytes(short));
        }
        for long in [self.crc, packed, self.size] {
            out.extend(u32::to_le_bytes(long));
        }
        out.extend(name.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out
    }
}

/// A zip file of these entries; names and order are kept, also duplicates.
#[must_use]
pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = u32::try_from(out.len()).unwrap_or(u32::MAX);
        out.extend(b"PK\x03\x04");
        out.extend(entry.common());
        out.extend(entry.name.as_bytes());
        out.extend(&entry.packed);
        directory.extend(b"PK\x01\x02\x14\x03"); // made by version 2.0 on unix
        directory.extend(entry.common());
        directory.extend([0; 6]); // comment, disk, internal attributes
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX).to_le_bytes();
    let (start, size) = (out.len(), directory.len());
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
    out.extend([0; 2]);
    out
}

/// A package of ordinary files.
#[must_use]
pub fn files(files: &[(&str, &str)]) -> Vec<u8> {
    zip(&files.iter().map(|(name, text)| ZipEntry::file(name, text.as_bytes())).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{command, run};

    /// Python's zipfile reads the same names, contents, modes and kinds.
    #[test]
    fn python_reads_the_entries_that_were_written() -> Result<()> {
        let entries = [
            ZipEntry::file("a.txt", b"text"),
            ZipEntry::executable("run", b"#!/bin/sh"),
            ZipEntry::link("link", "a.txt"),
            ZipEntry::zeros("zeros", 2)?,
        ];
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), zip(&entries))?;
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                      print([(i.filename, oct(i.external_attr >> 16), i.file_size) for i in z.infolist()])";
        let output = run(command("python3").args(["-c", script]).arg(file.path()))?;
        assert_eq!(
            String::from_utf8(output.stdout)?.trim(),
            "[('a.txt', '0o100644', 4), ('run', '0o100755', 9), ('link', '0o120777', 5), ('zeros', '0o100644', 2097152)]"
        );
        Ok(())
    }
}
