//! Allocations of the server's process for one warm invocation, background work included.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::{TestServer, programs, tools};

use crate::clients::Client;
use crate::floor::Floor;
use crate::report::ReportRow;
use crate::warm::{MEMORY_MB, requests, send};

/// Rounds; each sends all requests.
const ROUNDS: u32 = 10;

/// A counter in a file that a process maps.
struct Counter(std::path::PathBuf);

impl Counter {
    fn make(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        File::create(&path)?.set_len(8)?;
        Ok(Self(path))
    }

    fn path(&self) -> Result<&str> {
        self.0.to_str().context("a path that is not text")
    }

    fn read(&self) -> Result<u64> {
        let bytes = fs::read(&self.0)?;
        Ok(u64::from_ne_bytes(bytes.as_slice().try_into()?))
    }

    /// Allocations per call over `ROUNDS` rounds, in tenths.
    fn of(&self, connection: &mut Connection, requests: &[(Vec<u8>, String)]) -> Result<u64> {
        send(connection, requests)?; // it fills the caches
        let before = self.read()?;
        for _ in 0..ROUNDS {
            send(connection, requests)?;
        }
        Ok((self.read()? - before) * 10 / (u64::from(ROUNDS) * requests.len() as u64))
    }
}

/// The row of allocations.
pub(crate) fn measure() -> Result<ReportRow> {
    tools::say("measuring allocations");
    let dir = tempfile::tempdir()?;
    let library = dir.path().join("allocations.so");
    programs::allocation_counter(&library)?;
    let library = library.to_str().context("a path that is not text")?;
    let (bare, ours) = (Counter::make(dir.path(), "floor")?, Counter::make(dir.path(), "lambd")?);
    let client = Client::c()?;
    let file = ours.path()?;
    // The launcher starts with an empty environment, so only the serving process is counted.
    let wrapper = ["env", &format!("LD_PRELOAD={library}"), &format!("ALLOCATIONS_FILE={file}")];
    let mut server = TestServer::start_by(&wrapper, &[])?.context("the benchmark needs root")?;
    server.install(client.runtime)?;
    let variables = [("LD_PRELOAD", library), ("ALLOCATIONS_FILE", bare.path()?)];
    let floor = Floor::start(|task| client.bare(&server.data_dir(), task), &variables)?;
    let function = client.spec().with("MemorySize", MEMORY_MB).create(&server.api)?;
    let requests = requests(&server, &function);
    let bare = bare.of(&mut Connection::open(floor.front)?, &requests)?;
    let ours = ours.of(&mut Connection::open(server.api.address)?, &requests)?;
    drop(function);
    server.stop()?;
    let text = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    Ok(ReportRow {
        what: "  server allocations".to_owned(),
        floor: text(bare),
        ours: text(ours),
        ratio: text(ours * 10 / bare.max(1)),
        goal: "",
        met: None,
    })
}
