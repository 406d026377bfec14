//! First invocations of the static bootstrap, in turns with the floor: fork, exec, first poll.
//!
//! The first invocation less a warm one of the same environment is what starting it took; less the
//! floor, it is what the sandbox and the server add to a bare start.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::{Function, Server, Spec, programs, tools};

use crate::report::Row;
use crate::row;
use crate::sample::{Sample, text};

const STARTS: usize = 30;
/// All environments of the run fit the host's memory budget together.
const MEMORY_MB: u32 = 256;
const GOAL: Duration = Duration::from_millis(5);

/// From fork to the first byte of the first poll.
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

fn invoke(connection: &mut Connection, server: &Server, function: &Function) -> Result<Duration> {
    let request = function.request("[1]").signed(server.api.address, &server.api.signer);
    let start = Instant::now();
    let answer = connection.exchange(&request)?;
    let took = start.elapsed();
    ensure!(answer.status == 200 && answer.body == b"[1]", "{} {}", answer.status, answer.text());
    Ok(took)
}

/// The row of cold starts.
pub(crate) fn measure(server: &mut Server) -> Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("bootstrap");
    fs::write(&program, programs::bootstrap()?)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let api = TcpListener::bind("127.0.0.1:0")?;
    let make = |_| Spec::bootstrap()?.with("MemorySize", MEMORY_MB).create(&server.api);
    let functions = (0..=STARTS).map(make).collect::<Result<Vec<_>>>()?;
    let mut connection = Connection::open(server.api.address)?;
    let (mut floor, mut ours) = (Sample::default(), Sample::default());
    for (i, function) in functions.iter().enumerate() {
        let bare = bare(&program, &api)?;
        let first = invoke(&mut connection, server, function)?;
        let warm = invoke(&mut connection, server, function)?;
        if i > 0 {
            floor.push(bare);
            ours.push(first.saturating_sub(warm)); // the very first start of a server fills caches
        }
    }
    drop(functions);
    server.stop()?;
    let added = ours.percentile(50).saturating_sub(floor.percentile(50));
    let p99 = ours.percentile(99).saturating_sub(floor.percentile(99));
    let p50 = row(
        "cold start, p50",
        text(floor.percentile(50)),
        text(ours.percentile(50)),
        format!("+{}", text(added)),
        "≤ +5 ms",
        added <= GOAL,
    );
    let (floor, ours) = (text(floor.percentile(99)), text(ours.percentile(99)));
    let worst = Row {
        what: "cold start, worst".to_owned(),
        floor,
        ours,
        ratio: format!("+{}", text(p99)),
        goal: "",
        met: None,
    };
    Ok(vec![p50, worst])
}
