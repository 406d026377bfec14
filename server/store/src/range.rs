//! Ranges of rows, and how they are read page by page.

use std::ops::Bound;

use crate::Row;

/// The most rows that one read of a range returns.
pub const RANGE_ROWS_MAX: usize = 10_000;
/// The most bytes, keys and values together, that one read of a range returns, except a single larger row.
pub const RANGE_BYTES_MAX: usize = 4 << 20;

/// The order in which a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Ascending, from the smallest key on.
    Forward,
    /// Descending, from the largest key on.
    Reverse,
}

/// Which keys to read, in which order, and how many at most. Keys are ordered by their bytes.
#[derive(Debug, Clone)]
pub struct Range {
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    direction: Direction,
    limit_rows: usize,
    limit_bytes: usize,
}

impl Range {
    /// The keys between two bounds, in ascending order.
    #[must_use]
    pub const fn new(start: Bound<Vec<u8>>, end: Bound<Vec<u8>>) -> Self {
        let direction = Direction::Forward;
        Self { start, end, direction, limit_rows: RANGE_ROWS_MAX, limit_bytes: RANGE_BYTES_MAX }
    }

    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self::new(Bound::Unbounded, Bound::Unbounded)
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        let end = prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Self::new(Bound::Included(prefix.to_vec()), end)
    }

    /// The same keys in the opposite direction.
    #[must_use]
    pub fn reverse(mut self) -> Self {
        self.direction = match self.direction {
            Direction::Forward => Direction::Reverse,
            Direction::Reverse => Direction::Forward,
        };
        self
    }

    /// Limits the range to `rows` rows, at most [`RANGE_ROWS_MAX`].
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit_rows = rows.min(RANGE_ROWS_MAX);
        self
    }

    /// Limits the range to `bytes` bytes, at most [`RANGE_BYTES_MAX`], or to one larger row.
    #[must_use]
    pub fn limit_bytes(mut self, bytes: usize) -> Self {
        self.limit_bytes = bytes.min(RANGE_BYTES_MAX);
        self
    }

    /// The rest of this range after `key`: the next page.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        match self.direction {
            Direction::Forward => self.start = Bound::Excluded(key.to_vec()),
            Direction::Reverse => self.end = Bound::Excluded(key.to_vec()),
        }
        self
    }

    /// The order in which the range is read.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The smallest key of the range, included; `None` if the range has no lower bound.
    #[must_use]
    pub fn first(&self) -> Option<Vec<u8>> {
        match &self.start {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(key.clone()),
            Bound::Excluded(key) => Some(successor(key)),
        }
    }

    /// The key at which the range ends, excluded; `None` if the range has no upper bound.
    #[must_use]
    pub fn last(&self) -> Option<Vec<u8>> {
        match &self.end {
            Bound::Unbounded => None,
            Bound::Included(key) => Some(successor(key)),
            Bound::Excluded(key) => Some(key.clone()),
        }
    }

    /// Takes rows, which come in the direction of the range, until a limit is reached; for implementations.
    ///
    /// # Errors
    /// The first error among the rows taken.
    pub fn take<E>(&self, rows: impl Iterator<Item = Result<Row, E>>) -> Result<Vec<Row>, E> {
        let (mut taken, mut bytes) = (Vec::new(), 0_usize);
        for row in rows.take(self.limit_rows) {
            let row = row?;
            bytes = bytes.saturating_add(row.key.len()).saturating_add(row.value.len());
            if bytes > self.limit_bytes && !taken.is_empty() {
                break;
            }
            taken.push(row);
        }
        Ok(taken)
    }
}

/// The smallest key that is larger than `key`.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// The smallest key that is larger than every key with this prefix, if there is one.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix.get(..=keep)?.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_above_all_its_keys() {
        let cases: [(&[u8], Option<&[u8]>); 5] = [
            (b"a", Some(b"b")),
            (b"a\xff", Some(b"b")),
            (b"a\xff\x01", Some(b"a\xff\x02")),
            (b"\xff\xff", None),
            (b"", None),
        ];
        for (prefix, end) in cases {
            assert_eq!(prefix_end(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
