//! Records the last acknowledged change, so that recovery can distinguish a log that a power loss cut from
//! one that lost changes.
//!
//! RocksDB numbers every change. Replay ends at the first record that cannot be read. This is right for the
//! unflushed tail after a power loss, but wrong for a flipped bit in the middle: all later changes would be
//! lost silently. So a file beside the log keeps the highest number known to be on disk, the mark. It is
//! written after each flush and never flushed itself: after a power loss it may be too low, which only
//! weakens the check, but never too high.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::OpenError;
use crate::folder::Folder;

/// Name of the file in the folder of the database.
pub(crate) const NAME: &str = "acknowledged";
/// Length of the file: the number and its complement, by which a damaged mark is detected.
const BYTES: usize = 16;

pub(crate) struct Acknowledged {
    file: File,
    /// The number in the file. Only the committer changes it.
    number: AtomicU64,
}

/// Reads the highest number known to be on disk; 0 if there is no valid mark.
pub(crate) fn read(db: &Path) -> u64 {
    let mut bytes = [0; BYTES];
    let read = File::open(db.join(NAME)).and_then(|file| file.read_exact_at(&mut bytes, 0));
    read.ok().and_then(|()| decode(bytes)).unwrap_or_default()
}

impl Acknowledged {
    /// Opens the mark of the database, or makes a new one.
    pub(crate) fn open(folder: &Folder) -> Result<Self, OpenError> {
        let file = File::options().write(true).create(true).truncate(false).open(folder.path.join(NAME));
        let path = || folder.name.join(NAME);
        let file = file.map_err(|source| OpenError::Io { action: "open", path: path(), source })?;
        Ok(Self { file, number: AtomicU64::new(read(&folder.path)) })
    }

    /// Records that every change up to `number` is on disk. For one thread only.
    pub(crate) fn advance(&self, number: u64) -> io::Result<()> {
        if number <= self.number.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.file.write_all_at(&encode(number), 0)?;
        self.number.store(number, Ordering::Relaxed);
        Ok(())
    }
}

fn encode(number: u64) -> [u8; BYTES] {
    (u128::from(number) << 64 | u128::from(!number)).to_be_bytes()
}

fn decode(bytes: [u8; BYTES]) -> Option<u64> {
    let both = u128::from_be_bytes(bytes);
    let number = u64::try_from(both >> 64).ok()?;
    (encode(number) == bytes).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_mark_is_detected() {
        for number in [0, 1, 0x1234_5678_9abc_def0, u64::MAX] {
            assert_eq!(decode(encode(number)), Some(number));
            for bit in 0..u8::BITS as usize * BYTES {
                let mut bytes = encode(number);
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(bytes), None, "{number} bit {bit}");
            }
        }
    }
}
