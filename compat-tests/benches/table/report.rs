//! The table of results.

use std::io::Write as _;
use std::time::Duration;

/// A line of the table.
pub(crate) struct ReportRow {
    pub(crate) what: String,
    pub(crate) floor: String,
    pub(crate) ours: String,
    pub(crate) ratio: String,
    pub(crate) goal: &'static str,
    /// Whether the goal is met; `None` if there is no goal.
    pub(crate) met: Option<bool>,
}

/// Prints the table to standard output.
pub(crate) fn print(rows: &[ReportRow]) {
    let mut lines = vec![["", "floor", "lambd", "ratio", "goal", ""].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let verdict = row.met.map_or("", |met| if met { "ok" } else { "miss" });
        let ReportRow { what, floor, ours, ratio, goal, .. } = row;
        [what.clone(), floor.clone(), ours.clone(), ratio.clone(), (*goal).to_owned(), verdict.to_owned()]
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..6).map(width).collect();
    let mut out = std::io::stdout().lock();
    for [what, cells @ ..] in &lines {
        let cells: String =
            cells.iter().zip(&widths[1..]).map(|(cell, width)| format!("  {cell:>width$}")).collect();
        // Without standard output there is no reader.
        let _ = writeln!(out, "{what:<width$}{}", cells.trim_end(), width = widths[0]);
    }
}

/// Formats a duration below a second with about three digits.
pub(crate) fn text(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    if us < 1000.0 { format!("{us:.0} µs") } else { format!("{:.2} ms", us / 1e3) }
}

/// The ratio of `ours` to `floor`.
pub(crate) fn ratio(ours: Duration, floor: Duration) -> f64 {
    ours.as_secs_f64() / floor.as_secs_f64()
}
