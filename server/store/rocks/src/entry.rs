//! The stored form of a queue entry: a byte for the layout; token, number of claims and due time as
//! big-endian numbers; then the small part.

use lambd_store::StoreError;

const LAYOUT: u8 = 1;

/// An entry of a queue without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Token of the current claim; 0 if the entry is not claimed.
    pub(crate) token: u64,
    /// How often it has been claimed.
    pub(crate) claims: u32,
    /// When it is due, or when its lease ends, in milliseconds since 1970.
    pub(crate) due_ms: u64,
    /// The small part.
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { token, claims, due_ms, bytes } = self;
        [&[LAYOUT][..], &token.to_be_bytes(), &claims.to_be_bytes(), &due_ms.to_be_bytes(), bytes].concat()
    }

    /// Reads what [`Entry::encode`] wrote; the error names `key`.
    pub(crate) fn decode(key: &[u8], stored: &[u8]) -> Result<Self, StoreError> {
        Self::parse(stored).ok_or_else(|| StoreError::Damaged {
            detail: format!("queued entry {:?} cannot be read", String::from_utf8_lossy(key)),
        })
    }

    fn parse(stored: &[u8]) -> Option<Self> {
        let (token, rest) = stored.strip_prefix(&[LAYOUT])?.split_first_chunk()?;
        let (claims, rest) = rest.split_first_chunk()?;
        let (due_ms, bytes) = rest.split_first_chunk()?;
        Some(Self {
            token: u64::from_be_bytes(*token),
            claims: u32::from_be_bytes(*claims),
            due_ms: u64::from_be_bytes(*due_ms),
            bytes: bytes.to_vec(),
        })
    }
}
