//! Encodes byte strings in messages as one piece; serde's default for `Vec<u8>` handles each byte alone.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// For `#[serde(with)]`.
#[expect(clippy::ptr_arg, reason = "the signature that serde calls")]
pub(crate) fn serialize<S: Serializer>(bytes: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// For `#[serde(with)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(Bytes)
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::FileSpec;

    #[test]
    fn a_file_is_decoded_as_it_was_encoded() {
        let content: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let file = FileSpec { path: "/etc/x".into(), mode: 0o644, content };
        let sent = postcard::to_stdvec(&file).unwrap();
        assert!(sent.len() < 70_020, "{} bytes", sent.len());
        assert_eq!(postcard::from_bytes::<FileSpec>(&sent).unwrap(), file);
        assert!(postcard::from_bytes::<FileSpec>(&sent[..sent.len() - 1]).is_err(), "cut short");
    }
}
