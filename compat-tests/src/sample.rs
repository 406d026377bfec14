//! Durations and their percentiles.

use std::time::Duration;

/// Durations of one kind.
#[derive(Debug, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds a duration.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The duration that this share (0 to 100 percent) of all does not exceed, by nearest rank. `None` if the
    /// sample is so small that it would be the longest duration, which says nothing about a share.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100);
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        if rank < sorted.len() { sorted.get(rank.saturating_sub(1)).copied() } else { None }
    }

    /// The longest duration.
    #[must_use]
    pub fn worst(&self) -> Option<Duration> {
        self.0.iter().max().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_a_large_enough_sample() {
        let of = |count: u64| Sample((1..=count).rev().map(Duration::from_micros).collect());
        let us = |us| Some(Duration::from_micros(us));
        for (count, percent, expect) in [
            (0, 50, None),
            (1, 50, None),
            (2, 50, us(1)),
            (3, 50, us(2)),
            (30, 99, None),
            (99, 99, None),
            (100, 99, us(99)),
            (1000, 99, us(990)),
        ] {
            assert_eq!(of(count).percentile(percent), expect, "{percent} % of {count}");
        }
        assert_eq!(of(30).worst(), us(30));
    }
}
