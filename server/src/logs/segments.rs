//! Decides which events of a group are too old or too many. Pure: it knows neither the store nor the clock.
//!
//! A group's log is a list of segments, each with its size. When a segment is large or old enough, the next
//! one begins. Always the oldest segment is removed, as a whole and without reading it.

use std::collections::VecDeque;
use std::time::Duration;

use super::Cursor;

/// How long events are kept, and how many bytes of them. Both limits are met to within one sixteenth, which
/// is the size of a segment.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Age at which events are removed. AWS keeps them without limit by default; one machine cannot.
    pub age_max: Duration,
    /// Bytes of the messages of one group.
    pub group_bytes_max: u64,
}

impl Default for Retention {
    /// 14 days, 256 MiB.
    fn default() -> Self {
        Self { age_max: Duration::from_secs(14 * 24 * 3600), group_bytes_max: 256 << 20 }
    }
}

/// Number of full segments that a group's log may have.
const SEGMENTS: u64 = 16;

impl Retention {
    fn age_max_ms(&self) -> u64 {
        u64::try_from(self.age_max.as_millis()).unwrap_or(u64::MAX)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) start: Cursor,
    pub(super) bytes: u64,
}

/// The segments of one group, oldest first.
#[derive(Debug, Default)]
pub(super) struct Segments {
    list: VecDeque<Segment>,
    /// Position of the newest event.
    last: Cursor,
}

impl Segments {
    /// Adds a stored segment; must be called in order.
    pub(super) fn load(&mut self, segment: Segment) {
        self.last = self.last.max(segment.start);
        self.list.push_back(segment);
    }

    pub(super) fn set_last(&mut self, last: Cursor) {
        self.last = self.last.max(last);
    }

    pub(super) const fn last(&self) -> Cursor {
        self.last
    }

    /// Counts events written from `first` to `last`, and returns the segment to which they belong.
    pub(super) fn add(&mut self, first: Cursor, last: Cursor, bytes: u64, retention: &Retention) -> Segment {
        self.last = last;
        let is_full = |segment: &Segment| {
            segment.bytes >= retention.group_bytes_max / SEGMENTS
                || first.time_ms().saturating_sub(segment.start.time_ms())
                    >= retention.age_max_ms() / SEGMENTS
        };
        match self.list.back_mut().filter(|segment| !is_full(segment)) {
            Some(segment) => {
                segment.bytes = segment.bytes.saturating_add(bytes);
                *segment
            }
            None => {
                let segment = Segment { start: first, bytes };
                self.list.push_back(segment);
                segment
            }
        }
    }

    /// Removes the oldest segment if it is too old or too much. Also returns where the remaining events
    /// begin, which is the next segment; `None` if there is none.
    pub(super) fn pop(&mut self, now_ms: u64, retention: &Retention) -> Option<(Segment, Option<Cursor>)> {
        let next = self.list.get(1).map(|segment| segment.start);
        let newest = next.unwrap_or(self.last);
        let is_old = now_ms.saturating_sub(newest.time_ms()) > retention.age_max_ms();
        let bytes = self.list.iter().fold(0, |sum: u64, segment| sum.saturating_add(segment.bytes));
        let is_much = bytes > retention.group_bytes_max && next.is_some();
        if !is_old && !is_much {
            return None;
        }
        self.list.pop_front().map(|segment| (segment, next))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention { age_max: Duration::from_millis(1600), group_bytes_max: 160 };

    fn at(time_ms: u64) -> Cursor {
        Cursor::START.next(time_ms)
    }

    fn starts(segments: &Segments) -> Vec<u64> {
        segments.list.iter().map(|segment| segment.start.time_ms()).collect()
    }

    #[test]
    fn a_full_or_old_segment_is_closed() {
        let mut segments = Segments::default();
        for (time_ms, bytes) in [(1000, 4), (1001, 5), (1002, 5), (1003, 1), (1102, 1), (1103, 1)] {
            segments.add(at(time_ms), at(time_ms), bytes, &RETENTION);
        }
        assert_eq!(starts(&segments), [1000, 1003, 1103]);
        assert_eq!(segments.list[0].bytes, 14);
    }

    #[test]
    fn the_oldest_are_removed_when_there_are_too_many() {
        let mut segments = Segments::default();
        for time_ms in 1000..1016 {
            segments.add(at(time_ms), at(time_ms), 10, &RETENTION);
        }
        assert_eq!(segments.pop(1016, &RETENTION), None);
        segments.add(at(1016), at(1016), 15, &RETENTION);
        let (removed, next) = segments.pop(1016, &RETENTION).unwrap();
        assert_eq!((removed.start.time_ms(), next), (1000, Some(at(1001))));
        assert!(segments.pop(1016, &RETENTION).is_some());
        assert_eq!(segments.pop(1016, &RETENTION), None);
        segments.add(at(1017), at(1017), 10_000, &RETENTION);
        while segments.pop(1017, &RETENTION).is_some() {}
        assert_eq!(starts(&segments), [1017], "the newest stays, however large");
    }

    #[test]
    fn all_are_removed_when_all_are_old() {
        let mut segments = Segments::default();
        segments.add(at(1000), at(1000), 1, &RETENTION);
        segments.add(at(1200), at(1290), 1, &RETENTION);
        assert_eq!(segments.pop(2800, &RETENTION), None);
        assert_eq!(segments.pop(2801, &RETENTION).unwrap().1, Some(at(1200)));
        assert_eq!(segments.pop(2890, &RETENTION), None);
        assert_eq!(segments.pop(2891, &RETENTION).unwrap().1, None);
        assert!(segments.is_empty());
        assert_eq!(segments.pop(9999, &RETENTION), None);
    }
}
