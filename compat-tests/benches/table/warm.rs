//! Warm invocations of the echo bootstrap, in turns with the floor: the same client sends the same
//! bytes to a minimal hyper server, which hands them to the same bootstrap, run bare.
//!
//! Requests are signed before the clock starts: a client's signing is no cost of the server's.
//! Checking them is, and is on.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{Function, Server, Spec, host, programs, tools};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::report::Row;
use crate::row;
use crate::sample::{Sample, ratio, text};

const ROUNDS: usize = 20;
const REQUESTS: usize = 300;
/// The share of a whole core begins here, so that the group's quota does not slow the function.
const MEMORY_MB: u32 = 1769;
const GOAL: f64 = 1.5;

/// Keeps this process, and what it starts from here on, on the last core.
pub(crate) fn pin() -> Result<()> {
    let last = std::thread::available_parallelism()?.get() - 1;
    let mut set = CpuSet::new();
    set.set(last)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// A process that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The minimal server with the bootstrap behind it, without sandbox.
struct Floor {
    front: SocketAddr,
    _server: Running,
    _bootstrap: Running,
    _dir: tempfile::TempDir,
}

impl Floor {
    fn start() -> Result<Self> {
        let target = lambd_compat_tests::server::binary()?;
        let program = target.with_file_name("examples").join("floor");
        ensure!(
            program.is_file(),
            "{} is missing: cargo build --release --examples -p lambd-runtime-api",
            program.display()
        );
        let (api, front) = (free_address()?, free_address()?);
        let mut server = tools::command(program);
        server.args(["--api", &api.to_string(), "--front", &front.to_string()]);
        let server = Running(server.stdout(Stdio::null()).spawn()?);
        until("the floor listens", || Ok(Connection::open(api).and_then(|_| Connection::open(front)).ok()))?;
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("bootstrap");
        fs::write(&path, programs::bootstrap()?)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let mut bootstrap = tools::command(path);
        // It complains when the floor ends before it.
        bootstrap.env("AWS_LAMBDA_RUNTIME_API", api.to_string()).stderr(Stdio::null());
        let bootstrap = Running(bootstrap.spawn()?);
        Ok(Self { front, _server: server, _bootstrap: bootstrap, _dir: dir })
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Sends each request and adds its time.
fn round(connection: &mut Connection, requests: &[(Vec<u8>, String)], sample: &mut Sample) -> Result<()> {
    for (request, event) in requests {
        let start = Instant::now();
        let answer = connection.exchange(request)?;
        sample.push(start.elapsed());
        ensure!(
            answer.status == 200 && answer.body == event.as_bytes(),
            "{} {}",
            answer.status,
            answer.text()
        );
    }
    Ok(())
}

fn requests(server: &Server, function: &Function, round: usize) -> Vec<(Vec<u8>, String)> {
    let event = |i: usize| format!(r#"{{"round":{round:4},"request":{i:6},"text":"forty-nine"}}"#);
    let sign = |event: String| {
        (function.request(event.clone()).signed(server.api.address, &server.api.signer), event)
    };
    (0..REQUESTS).map(event).map(sign).collect()
}

/// The rows of warm invocations.
pub(crate) fn measure(server: &mut Server, cores: &str) -> Result<Vec<Row>> {
    let floor = Floor::start()?;
    let function =
        Spec::bootstrap()?.with("MemorySize", MEMORY_MB).with("Timeout", 30).create(&server.api)?;
    let (mut bare, mut ours) = (Connection::open(floor.front)?, Connection::open(server.api.address)?);
    let (mut floor_times, mut our_times, mut unused) =
        (Sample::default(), Sample::default(), Sample::default());
    round(&mut bare, &requests(server, &function, 0), &mut unused)?;
    round(&mut ours, &requests(server, &function, 0), &mut unused)?;
    let before = Disk::of(server.pid());
    for turn in 1..=ROUNDS {
        let requests = requests(server, &function, turn);
        round(&mut bare, &requests, &mut floor_times)?;
        round(&mut ours, &requests, &mut our_times)?;
    }
    let touched = Disk::of(server.pid()).since(&before);
    drop(function);
    server.stop()?;
    let compare = |percent| {
        let (floor, ours): (Duration, Duration) =
            (floor_times.percentile(percent), our_times.percentile(percent));
        (text(floor), text(ours), ratio(ours, floor))
    };
    let (floor, ours, ratio) = compare(50);
    let met = ratio <= GOAL;
    let p50 = row(&format!("warm invoke, p50, {cores}"), floor, ours, format!("{ratio:.2}"), "≤ 1.5", met);
    let (floor, ours, ratio) = compare(99);
    let (what, ratio) = (format!("warm invoke, p99, {cores}"), format!("{ratio:.2}"));
    let p99 = Row { what, floor, ours, ratio, goal: "", met: None };
    let what = format!("  disk bytes on that path, {} calls", ROUNDS * REQUESTS);
    let disk = row(&what, "-".to_owned(), touched.path.to_string(), "-".to_owned(), "0", touched.path == 0);
    tools::say(&format!("disk bytes off that path, by thread: {:?}", touched.others));
    Ok(vec![p50, p99, disk])
}

/// Bytes that threads moved to and from the disk (`/proc/PID/task/TID/io`).
struct Disk(Vec<(i32, String, u64)>);

struct Touched {
    /// By threads that carry invocations.
    path: u64,
    /// By others, with their names.
    others: Vec<(String, u64)>,
}

/// Threads whose name begins so write the store and the logs behind the invocations' back, or are the launcher's
/// makers of `/tmp` volumes, which refill the stock.
const BEHIND: [&str; 4] = ["rocksdb", "log", "store", "lambd-launcher"];

impl Disk {
    fn of(server: i32) -> Self {
        let mut threads = Vec::new();
        for pid in host::tree(server) {
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
                let Some(tid) = task.file_name().to_str().and_then(|t| t.parse().ok()) else { continue };
                let io = read("io");
                let fields = io.lines().filter_map(|line| line.split_once(": "));
                let disk = fields.filter(|(name, _)| matches!(*name, "read_bytes" | "write_bytes"));
                let moved = disk.filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum();
                threads.push((tid, read("comm").trim().to_owned(), moved));
            }
        }
        Self(threads)
    }

    fn since(&self, before: &Self) -> Touched {
        let earlier = |tid: i32| before.0.iter().find(|(t, ..)| *t == tid).map_or(0, |(.., bytes)| *bytes);
        let mut touched = Touched { path: 0, others: Vec::new() };
        for (tid, name, bytes) in &self.0 {
            let moved = bytes - earlier(*tid);
            if BEHIND.iter().any(|start| name.starts_with(start)) {
                touched.others.push((name.clone(), moved));
            } else {
                touched.path += moved;
            }
        }
        touched.others.retain(|(_, moved)| *moved > 0);
        touched
    }
}
