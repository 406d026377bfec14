//! First invocations of the static bootstrap, alternating with the floor: fork, exec, first poll.
//!
//! The first invocation minus a warm one of the same environment is the time of the start; minus the floor it
//! is what the sandbox and the server add to a bare start.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::sample::Sample;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, host, programs, tools};

use crate::report::{ReportRow, text};

/// Batches, and starts in each: enough for percentiles below the maximum.
const BATCHES: usize = 8;
const BATCH: usize = 25;
/// Memory of each function. The environments of a batch together fit the host's memory budget.
const MEMORY_MB: u32 = 256;
const GOAL: Duration = Duration::from_millis(5);

/// Time from fork to the first byte of the first poll.
fn bare(program: &Path, api: &TcpListener) -> Result<Duration> {
    let mut bootstrap = tools::command(program);
    bootstrap.env("AWS_LAMBDA_RUNTIME_API", api.local_addr()?.to_string());
    let start = Instant::now();
    let mut process = bootstrap.spawn()?;
    let (mut poll, _) = api.accept()?;
    let got = poll.read(&mut [0; 512])?;
    let took = start.elapsed();
    process.kill()?;
    process.wait()?;
    ensure!(got > 0, "the bootstrap did not poll");
    Ok(took)
}

fn invoke(connection: &mut Connection, server: &TestServer, function: &TestFunction) -> Result<Duration> {
    let request = function.request("[1]").signed(server.api.address, &server.api.signer);
    let start = Instant::now();
    let answer = connection.exchange(&request)?;
    let took = start.elapsed();
    ensure!(answer.status == 200 && answer.body == b"[1]", "{} {}", answer.status, answer.text());
    Ok(took)
}

/// Starts functions that exist together, each once; when this returns, their environments have ended.
fn batch(
    server: &TestServer,
    starts: usize,
    mut each: impl FnMut(&TestFunction) -> Result<()>,
) -> Result<()> {
    let make = |_| FunctionSpec::bootstrap()?.with("MemorySize", MEMORY_MB).create(&server.api);
    let functions = (0..starts).map(make).collect::<Result<Vec<_>>>()?;
    functions.iter().try_for_each(&mut each)?;
    drop(functions);
    let inside =
        || host::tree(server.pid()).into_iter().filter(|pid| host::comm(*pid) == "bootstrap").count();
    until("the environments of deleted functions end", || Ok((inside() == 0).then_some(())))
}

/// The rows of cold starts.
pub(crate) fn measure(server: &mut TestServer) -> Result<Vec<ReportRow>> {
    tools::say("measuring cold starts");
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("bootstrap");
    fs::write(&program, programs::bootstrap()?)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let api = TcpListener::bind("127.0.0.1:0")?;
    let mut connection = Connection::open(server.api.address)?;
    let (mut floor, mut ours) = (Sample::default(), Sample::default());
    let mut start = |keep: bool, function: &TestFunction, server: &TestServer| {
        let bare = bare(&program, &api)?;
        let first = invoke(&mut connection, server, function)?;
        let warm = invoke(&mut connection, server, function)?;
        if keep {
            floor.push(bare);
            ours.push(first.saturating_sub(warm));
        }
        anyhow::Ok(())
    };
    // The first start of a server fills caches, so it is not measured.
    batch(server, 1, |function| start(false, function, server))?;
    for _ in 0..BATCHES {
        batch(server, BATCH, |function| start(true, function, server))?;
    }
    server.stop()?;
    let rows = [
        ("p50", floor.percentile(50), ours.percentile(50)),
        ("p99", floor.percentile(99), ours.percentile(99)),
        ("worst", floor.worst(), ours.worst()),
    ];
    let rows = rows.into_iter().map(|(share, floor, ours)| {
        let (floor, ours) = (floor.unwrap_or_default(), ours.unwrap_or_default());
        let added = ours.saturating_sub(floor);
        let goal = (share == "p50").then_some(added <= GOAL);
        ReportRow {
            what: format!("cold start, {share} of {}", BATCHES * BATCH),
            floor: text(floor),
            ours: text(ours),
            ratio: format!("+{}", text(added)),
            goal: if goal.is_some() { "≤ +5 ms" } else { "" },
            met: goal,
        }
    });
    Ok(rows.collect())
}
