//! Tells a log that was cut by a power loss from one that lost acknowledged changes.
//!
//! RocksDB numbers every change. Replay ends at the first record that cannot be read, which is right for
//! the unflushed tail that a power loss leaves behind, and wrong for a flipped bit in the middle: all
//! later changes would vanish without a word. So the highest number known to be on disk is kept in a file
//! beside the log. The file is written behind each flush and never flushed itself: it may lag after a
//! power loss, which only weakens the check, and never runs ahead.

use super::{error, options};
use crate::store::{StoreError, Table};
use rocksdb::DB;
use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The number, then its complement, so that a damaged mark is not believed.
const BYTES: usize = 16;

pub(super) struct Mark {
    path: PathBuf,
    file: File,
    acknowledged: Mutex<u64>,
}

impl Mark {
    pub(super) fn open(db: &Path) -> Result<Self, StoreError> {
        let path = db.join("acknowledged");
        let io = |source| StoreError::Io { action: "open", path: path.clone(), source };
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(&path).map_err(io)?;
        let mut bytes = [0; BYTES];
        let acknowledged = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => decode(bytes).unwrap_or_default(),
            Err(_) => 0, // new
        };
        Ok(Self { path, file, acknowledged: Mutex::new(acknowledged) })
    }

    /// Refuses a database that does not reach the mark, without altering it.
    pub(super) fn verify(&self, db: &Path) -> Result<(), StoreError> {
        let acknowledged = *self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = Table::ALL.map(Table::name);
        let read_only = DB::open_cf_for_read_only(&options::inspection(), db, present(db, &tables)?, false)
            .map_err(error)?;
        let found = read_only.latest_sequence_number();
        if found >= acknowledged {
            return Ok(());
        }
        Err(StoreError::LostChanges { db: db.to_path_buf(), acknowledged, found, mark: self.path.clone() })
    }

    /// Notes that every change up to `number` is on disk.
    pub(super) fn advance(&self, number: u64) -> Result<(), StoreError> {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        if number <= *acknowledged {
            return Ok(());
        }
        let io = |source| StoreError::Io { action: "write", path: self.path.clone(), source };
        self.file.write_all_at(&encode(number), 0).map_err(io)?;
        *acknowledged = number;
        Ok(())
    }
}

/// The tables that the database already has.
fn present<'a>(db: &Path, tables: &[&'a str]) -> Result<Vec<&'a str>, StoreError> {
    let names = DB::list_cf(&options::inspection(), db).map_err(error)?;
    Ok(tables.iter().copied().filter(|table| names.iter().any(|name| name == table)).collect())
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
    fn a_damaged_mark_is_not_believed() {
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
