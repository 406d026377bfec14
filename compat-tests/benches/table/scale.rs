//! Ten thousand functions with three versions each: what the control plane answers in a second, what it costs in
//! memory, and whether a function notices the others.
//!
//! The floor of readings is a hyper server that answers 404 to the same connections; that of creations is one thread
//! that appends to a file and syncs it. Requests are signed before the clock starts, as for warm invocations.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::{TestServer, host, package, sigv4, tools};
use serde_json::{Value, json};

use crate::clients::Client;
use crate::floor::Floor;
use crate::report::{ReportRow, ratio, text};
use crate::row;
use crate::warm::{self, Side};

const COUNT: usize = 10_000;
/// Published versions of each function.
const VERSIONS: usize = 3;
pub(crate) const TURN: Duration = Duration::from_secs(10);
pub(crate) const READERS: usize = 8;
const WRITERS: usize = 16;
const MEMORY_GOAL_BYTES: u64 = 64 << 20;
const RESTART_GOAL: Duration = Duration::from_secs(1);
/// Most by which a warm invocation may be slower with all functions than with one.
const HOT_GOAL: f64 = 1.05;

/// Answered requests and the time in which they were.
pub(crate) struct Rate {
    pub(crate) count: usize,
    time: Duration,
}

impl Rate {
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// Which requests a load sends.
pub(crate) enum Load<'a> {
    /// Each of these once, in order.
    Once(&'a [Vec<u8>]),
    /// These repeatedly.
    Again(&'a [Vec<u8>]),
}

impl Load<'_> {
    fn get(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Once(requests) => requests.get(index),
            Self::Again(requests) => requests.get(index % requests.len()),
        }
        .map(Vec::as_slice)
    }
}

/// Sends a load on so many connections until it or the time ends. Each answer must have this status; what is refused
/// because another change is in progress is sent again.
pub(crate) fn rate(
    address: SocketAddr,
    load: &Load<'_>,
    connections: usize,
    time: Duration,
    status: u16,
) -> Result<Rate> {
    let (next, answered, start) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
    let client = || -> Result<()> {
        let mut connection = Connection::open(address)?;
        while start.elapsed() < time {
            let Some(request) = load.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let mut answer = connection.exchange(request)?;
            while answer.status == 409 {
                answer = connection.exchange(request)?;
            }
            // A peer may want a new connection for each request.
            if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
                connection = Connection::open(address)?;
            }
            ensure!(answer.status == status, "{} {}", answer.status, answer.text());
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..connections).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|c| c.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    Ok(Rate { count: answered.into_inner(), time: start.elapsed() })
}

/// Appends of 1 KiB, each synced, by one thread for some time.
fn synced_appends(dir: &Path) -> Result<Rate> {
    let mut file = File::create(dir.join("appends"))?;
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < TURN {
        file.write_all(&[1; 1024])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(Rate { count, time: start.elapsed() })
}

fn sign(server: &TestServer, method: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = ApiRequest::new(method, path).body(body).header("content-type", "application/json");
    request.signed(server.api.address, &server.api.signer)
}

fn name(number: usize) -> String {
    format!("scale-{number:05}")
}

fn code(version: usize) -> Value {
    STANDARD.encode(package::files(&[("app.py", &format!("# version {version}"))])).into()
}

/// Creates all functions; the rates of one client and of many.
fn create(server: &TestServer) -> Result<(Rate, Rate)> {
    let code = code(1);
    let request = |number| {
        let members = json!({
            "FunctionName": name(number), "Runtime": "provided.al2023", "Handler": "h", "Publish": true,
            "Role": lambd_compat_tests::function::ROLE, "Code": { "ZipFile": code },
        });
        sign(server, "POST", FUNCTIONS, &members)
    };
    let requests: Vec<_> = (0..COUNT).map(request).collect();
    let alone = rate(server.api.address, &Load::Once(&requests), 1, TURN, 201)?;
    let rest = &requests[alone.count..];
    Ok((alone, rate(server.api.address, &Load::Once(rest), WRITERS, Duration::MAX, 201)?))
}

/// Publishes the versions after the first.
fn publish(server: &TestServer) -> Result<()> {
    for version in 2..=VERSIONS {
        let update = json!({ "ZipFile": code(version), "Publish": true });
        let request = |number| sign(server, "PUT", &format!("{FUNCTIONS}/{}/code", name(number)), &update);
        let requests: Vec<_> = (0..COUNT).map(request).collect();
        rate(server.api.address, &Load::Once(&requests), WRITERS, Duration::MAX, 200)?;
    }
    Ok(())
}

/// The addresses of all pages of fifty functions.
fn pages(server: &TestServer) -> Result<Vec<String>> {
    let mut pages = vec![format!("{FUNCTIONS}?MaxItems=50")];
    let mut seen = 0;
    loop {
        let answer = server.api.call("GET", &pages[pages.len() - 1], None)?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        let page = answer.json()?;
        seen += page["Functions"].as_array().map_or(0, Vec::len);
        let Some(next) = page["NextMarker"].as_str() else { break };
        let next = percent_encoding::utf8_percent_encode(next, sigv4::QUERY);
        pages.push(format!("{FUNCTIONS}?MaxItems=50&Marker={next}"));
    }
    ensure!(seen >= COUNT, "only {seen} functions are listed");
    Ok(pages)
}

/// From the start of the process to its first answer about a function.
fn restart(server: &mut TestServer) -> Result<Duration> {
    server.stop()?;
    let start = Instant::now();
    server.restart()?;
    let answer = server.api.call("GET", &format!("{FUNCTIONS}/{}", name(COUNT / 2)), None)?;
    let took = start.elapsed();
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    Ok(took)
}

/// Warm invocations with one function and with all, in turns.
fn hot(few: &TestServer, many: &TestServer) -> Result<ReportRow> {
    let client = Client::c()?;
    let mut sides = Vec::new();
    for server in [few, many] {
        server.install(client.runtime)?;
        let function = client.spec().with("MemorySize", warm::MEMORY_MB).create(&server.api)?;
        let requests = warm::requests(server, &function);
        sides.push((Side::open(server.api.address, server.pid(), &requests)?, requests, function));
    }
    for _ in 0..warm::TURNS {
        for (side, requests, _) in &mut sides {
            side.turn(requests)?;
        }
    }
    let (one, all) = (sides[0].0.percentile(50), sides[1].0.percentile(50));
    let times = ratio(all, one);
    let what = format!("warm invoke among {COUNT} functions, p50");
    Ok(row(&what, text(one), text(all), format!("{times:.2}"), "≤ 1.05", times <= HOT_GOAL))
}

fn rate_row(what: &str, floor: &Rate, ours: &Rate, goal: &'static str, goal_per_s: f64) -> ReportRow {
    let text = |rate: &Rate| format!("{:.0}/s", rate.per_second());
    let times = ours.per_second() / floor.per_second();
    row(what, text(floor), text(ours), format!("{times:.2}"), goal, ours.per_second() >= goal_per_s)
}

/// The rows of scale.
pub(crate) fn measure(server: &mut TestServer) -> Result<Vec<ReportRow>> {
    tools::say(&format!("measuring with {COUNT} functions"));
    let few = TestServer::start()?.context("the benchmark needs root")?;
    let appends = synced_appends(&server.data_dir())?;
    let none = host::proportional_bytes(server.pid());
    let (alone, together) = create(server)?;
    publish(server)?;
    let all = host::proportional_bytes(server.pid()).saturating_sub(none);

    let client = Client::c()?;
    few.install(client.runtime)?;
    let floor = Floor::start(|task| client.bare(&few.data_dir(), task), &[])?;
    let get = |number| sign(server, "GET", &format!("{FUNCTIONS}/{}", name(number)), &Value::Null);
    let gets: Vec<_> = (0..COUNT).map(|number| get(number * 7919 % COUNT)).collect();
    let lists: Vec<_> = pages(server)?.iter().map(|path| sign(server, "GET", path, &Value::Null)).collect();
    let read =
        |address, requests: &[Vec<u8>], status| rate(address, &Load::Again(requests), READERS, TURN, status);
    let nothing = read(floor.api, &gets, 404)?;
    let got = read(server.api.address, &gets, 200)?;
    let listed = read(server.api.address, &lists, 200)?;
    drop(floor);

    let took = restart(server)?;
    let read = host::proportional_bytes(server.pid()).saturating_sub(none);
    let hot = hot(&few, server)?;
    let mib =
        |bytes: u64| format!("{:.1} MiB", f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0);
    let dash = || "-".to_owned();
    Ok(vec![
        rate_row(
            &format!("GetFunction of {COUNT}, {READERS} clients"),
            &nothing,
            &got,
            "≥ 10000/s",
            10_000.0,
        ),
        rate_row("ListFunctions, pages of 50", &nothing, &listed, "≥ 2000/s", 2_000.0),
        rate_row(&format!("CreateFunction, {WRITERS} clients"), &appends, &together, "≥ 1000/s", 1_000.0),
        rate_row("CreateFunction, one client", &appends, &alone, "≥ 300/s", 300.0),
        row("start to the first answer", dash(), text(took), dash(), "< 1 s", took < RESTART_GOAL),
        row("memory of the functions", dash(), mib(all), dash(), "≤ 64 MiB", all <= MEMORY_GOAL_BYTES),
        ReportRow {
            what: "  after a restart".to_owned(),
            floor: dash(),
            ours: mib(read),
            ratio: dash(),
            goal: "",
            met: None,
        },
        hot,
    ])
}
