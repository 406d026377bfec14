//! `make bench`: one table of what lambd uses, with floors measured in the same run.
//!
//! Absolute figures mean little on a shared virtual machine: an idle core wakes slowly, and some minutes
//! later the machine may have another speed. So each figure has a floor that was measured alternately with
//! it, and most rows are pinned to one core, where ratios are repeatable. CPU, allocations and system calls
//! of an invocation are the most repeatable. `LAMBD_BIN` selects another server to measure. A missed goal is
//! printed but is not a failure. With the argument `scale` only the rows of many functions are measured.

mod allocations;
mod calls;
mod clients;
mod cold;
mod disk;
mod floor;
mod memory;
mod peers;
mod report;
mod scale;
mod warm;

use anyhow::{Context as _, Result};
use clients::Client;
use lambd_compat_tests::{TestServer, tools};
use report::ReportRow;

fn main() -> Result<()> {
    let server = || TestServer::start()?.context("the benchmark needs root");
    let starting = |mut server: TestServer, of: fn(&mut TestServer) -> Result<Vec<ReportRow>>| {
        server.install("provided.al2023")?;
        of(&mut server)
    };
    let scale = || -> Result<Vec<ReportRow>> {
        let mut rows = starting(server()?, scale::measure)?;
        rows.extend(peers::measure());
        Ok(rows)
    };
    if std::env::args().any(|argument| argument == "scale") {
        report::print(&scale()?);
        return Ok(());
    }
    let mut behind = starting(server()?, cold::measure)?;
    behind.extend(starting(server()?, memory::measure)?);
    behind.extend(scale()?);
    let mut server = server()?;
    let clients = installed(&server, [Client::c()?, Client::python(), Client::node(), Client::rust()?]);
    let free = warm::measure(&server, &Client::c()?, "all cores")?;
    let counted = [Some(allocations::measure()?), calls::measure()?];
    // The server starts again, because it has one thread for each core that it sees. This is last, because
    // the pinning stays for everything that this process starts afterwards.
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

/// The clients whose runtime is available on this machine; the reason is printed for the others.
fn installed(server: &TestServer, clients: [Client; 4]) -> Vec<Client> {
    let can = |client: &Client| match server.install(client.runtime) {
        Ok(()) => true,
        Err(error) => {
            tools::say(&format!("no rows for {}: {error:#}", client.name));
            false
        }
    };
    clients.into_iter().filter(can).collect()
}

/// A row with a goal.
fn row(what: &str, floor: String, ours: String, ratio: String, goal: &'static str, met: bool) -> ReportRow {
    ReportRow { what: what.to_owned(), floor, ours, ratio, goal, met: Some(met) }
}
