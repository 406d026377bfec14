//! `make bench`: one table of what lambd takes, against floors measured in the same run.
//!
//! Absolute figures mean little on a shared virtual machine: an idle core wakes slowly, and a run
//! minutes later sees another machine. So each figure stands beside a floor that was measured in
//! turns with it, and most rows are pinned to one core, where ratios repeat. CPU, allocations and
//! system calls of an invocation repeat best. `LAMBD_BIN` measures another server than the one that was built.
//! A goal that is missed is printed, and is no failure.

mod allocations;
mod calls;
mod clients;
mod cold;
mod disk;
mod floor;
mod memory;
mod report;
mod warm;

use anyhow::{Context as _, Result};
use clients::Client;
use lambd_compat_tests::{Server, tools};
use report::ReportRow;

fn main() -> Result<()> {
    let server = || Server::start()?.context("the benchmark needs root");
    let starting = |mut server: Server, of: fn(&mut Server) -> Result<Vec<ReportRow>>| {
        server.install("provided.al2023")?;
        of(&mut server)
    };
    let mut behind = starting(server()?, cold::measure)?;
    behind.extend(starting(server()?, memory::measure)?);
    let mut server = server()?;
    let clients = installed(&server, [Client::c()?, Client::python(), Client::node(), Client::rust()?]);
    let free = warm::measure(&server, &Client::c()?, "all cores")?;
    let counted = [Some(allocations::measure()?), calls::measure()?];
    // It starts again, because the number of its threads is that of the cores it sees. Last, because being
    // pinned holds for all that this process starts from here on.
    server.stop()?;
    warm::pin()?;
    server.restart()?;
    let mut rows = Vec::new();
    for client in &clients {
        rows.extend(warm::measure(&server, client, "one core")?);
    }
    server.stop()?;
    rows.splice(3..3, counted.into_iter().flatten());
    rows.extend(free);
    rows.append(&mut behind);
    report::print(&rows);
    Ok(())
}

/// Those whose runtime can be had on this machine; of the others the reason is told.
fn installed(server: &Server, clients: [Client; 4]) -> Vec<Client> {
    let can = |client: &Client| match server.install(client.runtime) {
        Ok(()) => true,
        Err(error) => {
            tools::say(&format!("no rows for {}: {error:#}", client.name));
            false
        }
    };
    clients.into_iter().filter(can).collect()
}

/// A row for a goal that was asked of the first version.
fn row(what: &str, floor: String, ours: String, ratio: String, goal: &'static str, met: bool) -> ReportRow {
    ReportRow { what: what.to_owned(), floor, ours, ratio, goal, met: Some(met) }
}
