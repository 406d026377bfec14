//! Zips for tests, including those that no ordinary tool makes.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// One stored entry, each field of whose headers may be wrong.
#[derive(Debug, Clone)]
pub(crate) struct ZipEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) system: u8,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    /// Time and date in the format of DOS.
    pub(crate) time: [u16; 2],
    /// Added to the true checksum.
    pub(crate) crc_error: u32,
    /// The unpacked size that the headers state.
    pub(crate) claimed_size: Option<u32>,
}

pub(crate) fn file(name: &str, data: &str) -> ZipEntry {
    ZipEntry {
        name: name.into(),
        data: data.into(),
        mode: 0o100_644,
        system: 3,
        flags: 0,
        method: 0,
        time: [0, 33],
        crc_error: 0,
        claimed_size: None,
    }
}

pub(crate) fn with_mode(mode: u32, name: &str, data: &str) -> ZipEntry {
    ZipEntry { mode, ..file(name, data) }
}

pub(crate) fn link(name: &str, target: &str) -> ZipEntry {
    with_mode(0o120_777, name, target)
}

impl ZipEntry {
    /// The fields that the two headers of an entry have in common.
    fn common(&self) -> Vec<u8> {
        let size = u32::try_from(self.data.len()).unwrap();
        let name = u16::try_from(self.name.len()).unwrap();
        let mut fields = Vec::new();
        fields
            .extend([20, self.flags, self.method, self.time[0], self.time[1]].map(u16::to_le_bytes).concat());
        fields.extend(crc32(&self.data).wrapping_add(self.crc_error).to_le_bytes());
        fields.extend([size, self.claimed_size.unwrap_or(size)].map(u32::to_le_bytes).concat());
        fields.extend([name, 0].map(u16::to_le_bytes).concat());
        fields
    }
}

/// A zip of these entries.
pub(crate) fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = u32::try_from(local.len()).unwrap();
        local.extend([b"PK\x03\x04", &*entry.common(), &entry.name, &entry.data].concat());
        central.extend([b"PK\x01\x02", &[20, entry.system][..], &entry.common()].concat());
        central.extend([0_u8; 6]);
        central.extend([entry.mode << 16, offset].map(u32::to_le_bytes).concat());
        central.extend(&entry.name);
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let sizes = [central.len(), local.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes()).concat();
    [&local, &central, &b"PK\x05\x06\0\0\0\0"[..], &count, &count, &sizes, &[0, 0]].concat()
}

/// Deflated zeros.
pub(crate) fn zeros(files: &[(&str, usize)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let block = vec![0; 1 << 20];
    for (name, mut bytes) in files.iter().copied() {
        writer.start_file(name, options).unwrap();
        while bytes > 0 {
            let now = bytes.min(block.len());
            writer.write_all(&block[..now]).unwrap();
            bytes -= now;
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Replaces every occurrence by as many bytes.
pub(crate) fn replace(zip: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let (mut out, mut at) = (zip.to_vec(), 0);
    while at + from.len() <= out.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
        at += 1;
    }
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}
