//! System calls of the server's process for one warm invocation, background work included, counted by `perf`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::{TestServer, tools};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::clients::Client;
use crate::floor::Floor;
use crate::report::ReportRow;
use crate::warm::{MEMORY_MB, requests, send};

/// Rounds; each sends all requests.
const ROUNDS: u32 = 10;
/// `perf` needs a file system that few machines mount; it is mounted here for `perf` alone.
const SCRIPT: &str = "mount -t tracefs tracefs /sys/kernel/tracing && exec perf stat -x, -D -1 \
    -e raw_syscalls:sys_enter -p \"$1\" --control \"fifo:$2/control,$2/heard\" -o \"$2/counted\"";

/// A `perf` that counts the calls of a process when it is told to.
struct Perf<'a> {
    child: Child,
    control: File,
    heard: BufReader<File>,
    dir: &'a Path,
}

impl<'a> Perf<'a> {
    fn start(pid: i32, dir: &'a Path) -> Result<Self> {
        for name in ["control", "heard"] {
            mkfifo(&dir.join(name), Mode::S_IRWXU)?;
        }
        let mut perf = tools::command("unshare");
        perf.args(["--mount", "sh", "-c", SCRIPT, "sh", &pid.to_string()]).arg(dir);
        let child = perf.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        // Both ends are opened here, so that this does not wait for a program that may have failed.
        let open = |name| OpenOptions::new().read(true).write(true).open(dir.join(name));
        Ok(Self { child, control: open("control")?, heard: BufReader::new(open("heard")?), dir })
    }

    fn tell(&mut self, word: &str) -> Result<()> {
        writeln!(self.control, "{word}")?;
        let mut answer = String::new();
        self.heard.read_line(&mut answer)?;
        ensure!(answer.trim_matches(['\0', '\n']) == "ack", "perf says {answer:?}");
        Ok(())
    }

    fn end(mut self) -> Result<u64> {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT)?;
        self.child.wait()?;
        let text = std::fs::read_to_string(self.dir.join("counted"))?;
        let line = text.lines().find(|line| line.contains("sys_enter")).context("perf counted nothing")?;
        Ok(line.split(',').next().unwrap_or_default().parse()?)
    }
}

/// System calls per call over all rounds, in tenths.
fn of(pid: i32, connection: &mut Connection, requests: &[(Vec<u8>, String)]) -> Result<u64> {
    let dir = tempfile::tempdir()?;
    send(connection, requests)?; // it fills the caches
    let mut perf = Perf::start(pid, dir.path())?;
    perf.tell("enable")?;
    for _ in 0..ROUNDS {
        send(connection, requests)?;
    }
    perf.tell("disable")?;
    Ok(perf.end()? * 10 / (u64::from(ROUNDS) * requests.len() as u64))
}

/// The row of system calls; `None` if `perf` is missing.
pub(crate) fn measure() -> Result<Option<ReportRow>> {
    if tools::command("perf").arg("--version").output().is_err() {
        tools::say("no row of system calls: perf is missing (Debian: linux-perf)");
        return Ok(None);
    }
    tools::say("counting system calls");
    let client = Client::c()?;
    let mut server = TestServer::start()?.context("the benchmark needs root")?;
    server.install(client.runtime)?;
    let floor = Floor::start(|task| client.bare(&server.data_dir(), task), &[])?;
    let function = client.spec().with("MemorySize", MEMORY_MB).create(&server.api)?;
    let requests = requests(&server, &function);
    let bare = of(floor.pid(), &mut Connection::open(floor.front)?, &requests)?;
    let ours = of(server.pid(), &mut Connection::open(server.api.address)?, &requests)?;
    drop(function);
    server.stop()?;
    let text = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    Ok(Some(ReportRow {
        what: "  server system calls".to_owned(),
        floor: text(bare),
        ours: text(ours),
        ratio: text(ours * 10 / bare.max(1)),
        goal: "",
        met: None,
    }))
}
