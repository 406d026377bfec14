//! Versioned JSON records: `{"v":1,"record":{…}}`.
//!
//! The version belongs to the kind of record, not to the data directory: a kind that changes raises its
//! own version and keeps the reader of the older ones.

use super::Table;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A record that cannot be written or read. Messages name the key, so that one damaged record can be
/// found, repaired or removed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record was written by a newer lambd.
    #[error("record {} {key:?} has version {found}, newer than {known}", table.name())]
    Newer {
        /// The table of the record.
        table: Table,
        /// Its key.
        key: String,
        /// The version found.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// The bytes are not such a record.
    #[error("record {} {key:?} cannot be read", table.name())]
    Decode {
        /// The table of the record.
        table: Table,
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The key is none that this program writes.
    #[error(
        "record {} {key:?} is of a kind that this lambd does not know: use the lambd that wrote it, or restore a \
         backup",
        table.name()
    )]
    UnknownKey {
        /// The table of the record.
        table: Table,
        /// Its key.
        key: String,
    },
    /// The value has no JSON form, such as a map whose keys are not strings.
    #[error("record cannot be written")]
    Encode(#[source] serde_json::Error),
}

impl RecordError {
    /// The key is none that this program writes.
    pub fn unknown_key(table: Table, key: &[u8]) -> Self {
        Self::UnknownKey { table, key: printable(key) }
    }

    /// A record of an older version lacks a member that all of that version have.
    pub fn shape(table: Table, key: &[u8]) -> Self {
        let source = serde::de::Error::custom("a member is missing");
        Self::Decode { table, key: printable(key), source }
    }
}

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    record: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Read<T> {
    record: T,
}

/// Writes `record` as version `version` of its kind.
///
/// # Errors
/// [`RecordError::Encode`] if `record` has no JSON form.
pub fn encode<T: Serialize>(version: u32, record: &T) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(&Written { v: version, record }).map_err(RecordError::Encode)
}

/// The version of the record in `bytes`, for kinds of which several versions are in use.
///
/// # Errors
/// [`RecordError::Decode`] if there is none.
pub fn version(table: Table, key: &[u8], bytes: &[u8]) -> Result<u32, RecordError> {
    let version: Version = parse(table, key, bytes)?;
    Ok(version.v)
}

/// Reads a record whose newest version is `known` and whose older versions have the same shape.
///
/// # Errors
/// [`RecordError::Newer`] or [`RecordError::Decode`].
pub fn decode<T: DeserializeOwned>(
    known: u32,
    table: Table,
    key: &[u8],
    bytes: &[u8],
) -> Result<T, RecordError> {
    let found = version(table, key, bytes)?;
    if found > known {
        return Err(RecordError::Newer { table, key: printable(key), found, known });
    }
    let read: Read<T> = parse(table, key, bytes)?;
    Ok(read.record)
}

fn parse<T: DeserializeOwned>(table: Table, key: &[u8], bytes: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(bytes).map_err(|source| RecordError::Decode { table, key: printable(key), source })
}

fn printable(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<u32>, String> {
        decode(2, Table::Functions, b"f/hello", bytes).map_err(|e| e.to_string())
    }

    #[test]
    fn round_trip() {
        let bytes = encode(2, &vec![1, 2]).unwrap();
        assert_eq!(bytes, br#"{"v":2,"record":[1,2]}"#);
        assert_eq!(read(&bytes).unwrap(), [1, 2]);
        assert_eq!(version(Table::Meta, b"k", &bytes).unwrap(), 2);
        assert_eq!(read(br#"{"v":1,"record":[3]}"#).unwrap(), [3], "older versions of the same shape");
    }

    #[test]
    fn errors_name_the_key() {
        let unreadable = r#"record functions "f/hello" cannot be read"#;
        let cases: [(&[u8], &str); 4] = [
            (br#"{"v":3,"record":{}}"#, r#"record functions "f/hello" has version 3, newer than 2"#),
            (br#"{"v":2,"record":{}}"#, unreadable),
            (br#"{"record":[3]}"#, unreadable),
            (b"\xff", unreadable),
        ];
        for (bytes, want) in cases {
            assert_eq!(read(bytes).unwrap_err(), want, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
