//! The stored form of rows: in a versioned table the value follows its version, 8 bytes, big-endian.

use lambd_store::{Row, RowVersion, StoreError, Table};

/// Makes the stored form of a value.
pub(crate) fn encode(table: Table, version: RowVersion, value: Vec<u8>) -> Vec<u8> {
    if !table.is_versioned() {
        return value;
    }
    [&version.0.to_be_bytes(), value.as_slice()].concat()
}

/// Reads a stored row.
pub(crate) fn decode(table: Table, key: Vec<u8>, stored: &[u8]) -> Result<Row, StoreError> {
    let (version, value) = split(table, &key, stored)?;
    let value = value.to_vec();
    Ok(Row { key, value, version })
}

/// Reads the version of a stored value.
pub(crate) fn version(table: Table, key: &[u8], stored: &[u8]) -> Result<RowVersion, StoreError> {
    split(table, key, stored).map(|(version, _)| version)
}

fn split<'a>(table: Table, key: &[u8], stored: &'a [u8]) -> Result<(RowVersion, &'a [u8]), StoreError> {
    if !table.is_versioned() {
        return Ok((RowVersion::NONE, stored));
    }
    let damaged = || StoreError::Damaged {
        detail: format!("row {} {:?} has no version", table.name(), String::from_utf8_lossy(key)),
    };
    let (version, value) = stored.split_first_chunk().ok_or_else(damaged)?;
    Ok((RowVersion(u64::from_be_bytes(*version)), value))
}
