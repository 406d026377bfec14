//! Versioned JSON records: `{"v":1,"record":{…}}`.
//!
//! Each kind of record has a version of its own; the store has none. When a kind changes, its [`RecordKind`]
//! gets a step that converts a record of the version before, and its owner keeps a file with a record of each
//! version. Records are converted when they are read, and written in the newest version when they are next
//! changed.

use std::num::NonZeroU32;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Table;

/// Converts a record of one version to the next.
pub type Step = fn(Value) -> Value;

/// A kind of record, with the steps from its older versions to the newest.
#[derive(Debug, Clone, Copy)]
pub struct RecordKind {
    steps: &'static [Step],
}

/// Why a record cannot be written or read. The message names the key, so that the damaged record can be
/// found.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record was written by a newer lambd.
    #[error(
        "record {} {key:?} has version {found}, but this lambd knows versions up to {known}: use the newer \
         lambd again",
        table.name()
    )]
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
    #[error("record {} {key:?} cannot be read: restore a backup of the data directory", table.name())]
    Decode {
        /// The table of the record.
        table: Table,
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// No kind of record of this program has such a key.
    #[error(
        "record {} {key:?} is of a kind that this lambd does not know: use the lambd that wrote it, or restore a \
         backup of the data directory",
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
    /// No kind of record of this program has such a key.
    #[must_use]
    pub fn unknown_key(table: Table, key: &[u8]) -> Self {
        Self::UnknownKey { table, key: String::from_utf8_lossy(key).into_owned() }
    }
}

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    record: &'a T,
}

#[derive(Deserialize)]
struct Head {
    v: NonZeroU32,
}

#[derive(Deserialize)]
struct Read<T> {
    record: T,
}

impl RecordKind {
    /// A kind whose first step leads from version 1 to 2, the second from 2 to 3, and so on. Without steps
    /// there is version 1 only.
    #[must_use]
    pub const fn new(steps: &'static [Step]) -> Self {
        Self { steps }
    }

    /// The newest version, which is the one that is written.
    #[must_use]
    pub fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Writes `record` in the newest version.
    ///
    /// # Errors
    /// [`RecordError::Encode`] if `record` has no JSON form.
    pub fn encode<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, RecordError> {
        serde_json::to_vec(&Written { v: self.version(), record }).map_err(RecordError::Encode)
    }

    /// Reads the record that `table` has under `key`, whatever version it was written in.
    ///
    /// # Errors
    /// [`RecordError::Newer`] or [`RecordError::Decode`].
    pub fn decode<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<T, RecordError> {
        let printable = || String::from_utf8_lossy(key).into_owned();
        let unreadable = |source| RecordError::Decode { table, key: printable(), source };
        let Head { v: found } = serde_json::from_slice(bytes).map_err(unreadable)?;
        let (found, known) = (found.get(), self.version());
        if found > known {
            return Err(RecordError::Newer { table, key: printable(), found, known });
        }
        if found == known {
            let read: Read<T> = serde_json::from_slice(bytes).map_err(unreadable)?;
            return Ok(read.record);
        }
        let read: Read<Value> = serde_json::from_slice(bytes).map_err(unreadable)?;
        let done = usize::try_from(found - 1).unwrap_or(usize::MAX);
        let newest = self.steps.iter().skip(done).fold(read.record, |record, step| step(record));
        serde_json::from_value(newest).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 was one number, version 2 a list of numbers, version 3 has them under a name.
    const NUMBERS: RecordKind =
        RecordKind::new(&[|one| Value::Array(vec![one]), |list| serde_json::json!({ "numbers": list })]);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Numbers {
        numbers: Vec<u32>,
    }

    fn read(text: &str) -> Result<Vec<u32>, String> {
        let numbers = NUMBERS.decode(Table::Functions, b"f/hello", text.as_bytes());
        numbers.map(|read: Numbers| read.numbers).map_err(|e| e.to_string())
    }

    #[test]
    fn every_version_is_read_and_the_newest_written() {
        let bytes = NUMBERS.encode(&Numbers { numbers: vec![1, 2] }).unwrap();
        assert_eq!(bytes, br#"{"v":3,"record":{"numbers":[1,2]}}"#);
        assert_eq!(read(str::from_utf8(&bytes).unwrap()).unwrap(), [1, 2]);
        assert_eq!(read(r#"{"v":2,"record":[3,4]}"#).unwrap(), [3, 4]);
        assert_eq!(read(r#"{"v":1,"record":5}"#).unwrap(), [5]);
        assert_eq!(RecordKind::new(&[]).encode(&6).unwrap(), br#"{"v":1,"record":6}"#);
    }

    #[test]
    fn errors_name_the_key_and_what_to_do() {
        let unreadable =
            r#"record functions "f/hello" cannot be read: restore a backup of the data directory"#;
        let newer = "record functions \"f/hello\" has version 4, but this lambd knows versions up to 3: use the \
                     newer lambd again";
        let cases = [
            (r#"{"v":4,"record":{}}"#, newer),
            (r#"{"v":3,"record":{}}"#, unreadable),
            (r#"{"v":3}"#, unreadable),
            (r#"{"v":0,"record":5}"#, unreadable),
            (r#"{"v":1,"record":"x"}"#, unreadable),
            (r#"{"record":[3]}"#, unreadable),
            ("", unreadable),
        ];
        for (text, want) in cases {
            assert_eq!(read(text).unwrap_err(), want, "{text}");
        }
    }
}
