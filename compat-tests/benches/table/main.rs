//! `make bench`: one table of what lambd takes, against floors measured in the same run.
//!
//! Absolute figures mean little on a shared virtual machine: an idle core wakes slowly, and a run
//! minutes later sees another machine. So each figure stands beside a floor that was measured in
//! turns with it, and the first rows are pinned to one core, where ratios repeat.
//! A goal that is missed is printed, and is no failure.

mod cold;
mod memory;
mod report;
mod sample;
mod warm;

use anyhow::{Context as _, Result};
use lambd_compat_tests::{Server, tools};
use report::Row;

fn main() -> Result<()> {
    let mut rows = Vec::new();
    let progress = |what: &str| tools::say(&format!("measuring {what}"));
    progress("cold starts");
    rows.extend(cold::measure(&mut server()?)?);
    progress("memory");
    rows.extend(memory::measure(&mut server()?)?);
    progress("warm invocations on all cores");
    let free = warm::measure(&mut server()?, "all cores")?;
    // Last, because it holds for all that this process starts from here on.
    progress("warm invocations on one core");
    warm::pin()?;
    rows.splice(0..0, warm::measure(&mut server()?, "one core")?.into_iter().chain(free));
    report::print(&rows);
    Ok(())
}

fn server() -> Result<Server> {
    let server = Server::start()?.context("the benchmark needs root")?;
    server.install("provided.al2023")?;
    Ok(server)
}

/// A row for a goal that was asked of the first version (issue 3, "Speed and memory").
fn row(what: &str, floor: String, ours: String, ratio: String, goal: &'static str, met: bool) -> Row {
    Row { what: what.to_owned(), floor, ours, ratio, goal, met: Some(met) }
}
