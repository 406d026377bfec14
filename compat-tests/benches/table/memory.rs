//! Resident memory of the server's processes with functions and no environment.

use anyhow::Result;
use lambd_compat_tests::{Server, Spec, host};

use crate::report::Row;
use crate::row;

const FUNCTIONS: usize = 100;
const GOAL_BYTES: u64 = 40 << 20;

/// The row of memory.
pub(crate) fn measure(server: &mut Server) -> Result<Row> {
    let functions =
        (0..FUNCTIONS).map(|_| Spec::bootstrap()?.create(&server.api)).collect::<Result<Vec<_>>>()?;
    let resident = host::resident_bytes(server.pid());
    drop(functions);
    server.stop()?;
    let (what, tenths) = (format!("resident memory, {FUNCTIONS} functions"), (resident * 10) >> 20);
    let ours = format!("{}.{} MiB", tenths / 10, tenths % 10);
    Ok(row(&what, "-".to_owned(), ours, "-".to_owned(), "< 40 MiB", resident < GOAL_BYTES))
}
