//! Resident memory of the server's processes with functions and without environments.

use anyhow::Result;
use lambd_compat_tests::{FunctionSpec, TestServer, host, tools};

use crate::report::ReportRow;
use crate::row;

const FUNCTIONS: usize = 100;
const GOAL_BYTES: u64 = 40 << 20;

/// The rows of memory. Server and launcher run the same binary, whose shared pages count once.
pub(crate) fn measure(server: &mut TestServer) -> Result<Vec<ReportRow>> {
    tools::say("measuring memory");
    let functions =
        (0..FUNCTIONS).map(|_| FunctionSpec::bootstrap()?.create(&server.api)).collect::<Result<Vec<_>>>()?;
    let (once, each) = (host::proportional_bytes(server.pid()), host::resident_bytes(server.pid()));
    drop(functions);
    server.stop()?;
    let none = || "-".to_owned();
    let what = format!("resident memory, {FUNCTIONS} functions");
    let goal = row(&what, none(), text(once), none(), "< 40 MiB", 0 < once && once < GOAL_BYTES);
    let what = "  shared pages counted in each process".to_owned();
    let sum = ReportRow { what, floor: none(), ours: text(each), ratio: none(), goal: "", met: None };
    Ok(vec![goal, sum])
}

fn text(bytes: u64) -> String {
    let tenths = (bytes * 10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
