//! Warm invocations of an echo function, alternating with the floor: the same client sends the same bytes,
//! and the same runtime client answers them.
//!
//! A turn is long, because a server does much of its work in larger portions in the background: with short
//! turns this would fall into the floor's turn, or after the last one. Requests are signed before the clock
//! starts, because signing is no cost of the server. Checking signatures is, and it is switched on.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use lambd_compat_tests::http::{Connection, HttpResponse};
use lambd_compat_tests::sample::Sample;
use lambd_compat_tests::{TestFunction, TestServer, host, tools};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::clients::Client;
use crate::disk::Disk;
use crate::floor::Floor;
use crate::report::{ReportRow, ratio, text};
use crate::row;

/// Turns of each side, and the length of one.
pub(crate) const TURNS: usize = 2;
const TURN: Duration = Duration::from_secs(10);
/// Number of different requests, which are sent repeatedly.
const REQUESTS: usize = 500;
/// From this memory size on a function has a whole core, so its quota does not slow it.
pub(crate) const MEMORY_MB: u32 = 1769;
const GOAL: f64 = 1.5;

/// Keeps this process, and what it starts from here on, on the last core.
pub(crate) fn pin() -> Result<()> {
    let last = std::thread::available_parallelism()?.get() - 1;
    let mut set = CpuSet::new();
    set.set(last)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// A signed request and its event.
pub(crate) type Signed = (Vec<u8>, String);

/// Makes requests with events of 49 bytes.
pub(crate) fn requests(server: &TestServer, function: &TestFunction) -> Vec<Signed> {
    let event = |i: usize| format!(r#"{{"request":{i:6},"text":"forty-nine bytes of it"}}"#);
    let sign = |event: String| {
        (function.request(event.clone()).signed(server.api.address, &server.api.signer), event)
    };
    (0..REQUESTS).map(event).map(sign).collect()
}

/// Checks an answer by its JSON value, because clients write JSON differently.
fn check(answer: &HttpResponse, event: &str) -> Result<()> {
    let same = answer.body == event.as_bytes()
        || serde_json::from_slice::<Value>(&answer.body).ok() == serde_json::from_str(event).ok();
    ensure!(answer.status == 200 && same, "{} {}", answer.status, answer.text());
    Ok(())
}

/// Sends each request once.
pub(crate) fn send(connection: &mut Connection, requests: &[Signed]) -> Result<()> {
    requests.iter().try_for_each(|(request, event)| check(&connection.exchange(request)?, event))
}

/// One of the two sides that are compared.
pub(crate) struct Side {
    connection: Connection,
    pid: i32,
    times: Sample,
    calls: u32,
    cpu: Duration,
}

impl Side {
    /// Opens a connection and sends requests to warm up.
    pub(crate) fn open(address: std::net::SocketAddr, pid: i32, requests: &[Signed]) -> Result<Self> {
        let mut connection = Connection::open(address)?;
        send(&mut connection, requests)?;
        Ok(Self { connection, pid, times: Sample::default(), calls: 0, cpu: Duration::ZERO })
    }

    pub(crate) fn turn(&mut self, requests: &[Signed]) -> Result<()> {
        let before = host::cpu_time(self.pid);
        let end = Instant::now() + TURN;
        for (request, event) in requests.iter().cycle() {
            let start = Instant::now();
            if start >= end {
                break;
            }
            let answer = self.connection.exchange(request)?;
            self.times.push(start.elapsed());
            self.calls += 1;
            check(&answer, event)?;
        }
        self.cpu += host::cpu_time(self.pid).saturating_sub(before);
        Ok(())
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.times.percentile(percent).unwrap_or_default()
    }

    fn cpu_of_a_call(&self) -> Duration {
        self.cpu / self.calls.max(1)
    }
}

/// The rows of one client.
pub(crate) fn measure(server: &TestServer, client: &Client, cores: &str) -> Result<Vec<ReportRow>> {
    let what = format!("{}, {cores}", client.name);
    tools::say(&format!("measuring warm invocations: {what}"));
    let floor = Floor::start(|task| client.bare(&server.data_dir(), task), &[])?;
    let function = client.spec().with("MemorySize", MEMORY_MB).with("Timeout", 30).create(&server.api)?;
    let requests = requests(server, &function);
    let mut bare = Side::open(floor.front, floor.pid(), &requests)?;
    let mut ours = Side::open(server.api.address, server.pid(), &requests)?;
    let before = Disk::of(server.pid());
    for _ in 0..TURNS {
        bare.turn(&requests)?;
        ours.turn(&requests)?;
    }
    let touched = Disk::of(server.pid()).since(&before);
    tools::say(&format!("disk bytes off the path of {} calls, by thread: {:?}", ours.calls, touched.others));
    let compare = |what: String, floor: Duration, ours: Duration| {
        let times = ratio(ours, floor);
        (
            ReportRow {
                what,
                floor: text(floor),
                ours: text(ours),
                ratio: format!("{times:.2}"),
                goal: "",
                met: None,
            },
            times,
        )
    };
    let (mut p50, times) =
        compare(format!("warm invoke, {what}, p50"), bare.percentile(50), ours.percentile(50));
    if client.name == "C" {
        (p50.goal, p50.met) = ("≤ 1.5", Some(times <= GOAL));
    }
    let (p99, _) = compare("  p99".to_owned(), bare.percentile(99), ours.percentile(99));
    let (cpu, _) = compare("  server CPU".to_owned(), bare.cpu_of_a_call(), ours.cpu_of_a_call());
    let none = || "-".to_owned();
    let disk =
        row("  disk bytes on the path", none(), touched.path.to_string(), none(), "0", touched.path == 0);
    Ok(vec![p50, p99, cpu, disk])
}
