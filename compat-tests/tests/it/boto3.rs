//! boto3: paginators, waiters, modelled exceptions, the streaming payload. The script makes the assertions.

use anyhow::Result;
use lambd_compat_tests::{TestServer, package, programs, tools};

fn run(script: &str) -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let found = tools::need("a Python with boto3", tools::python_with_boto3())?;
    let Some(python) = found else { return Ok(()) };
    server.install("python3.11")?;
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("script.py"), script)?;
    std::fs::write(dir.path().join("probe.zip"), package::files(&[("probe.py", programs::PROBE)]))?;
    let mut command = tools::command(python);
    tools::run(tools::point_at(&mut command, &server).current_dir(dir.path()).arg("script.py"))?;
    Ok(())
}

#[test]
fn boto3_works_without_changes() -> Result<()> {
    run(include_str!("boto3.py"))
}

/// Code signing configs and event source mappings.
#[test]
fn boto3_reads_what_belongs_to_no_function() -> Result<()> {
    run(include_str!("boto3_resources.py"))
}
