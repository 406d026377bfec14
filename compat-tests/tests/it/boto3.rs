//! boto3: paginators, waiters, modelled exceptions, the streaming payload. The script makes the assertions.

use anyhow::Result;
use lambd_compat_tests::{TestServer, package, programs, tools};

#[test]
fn boto3_works_without_changes() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let found = tools::need("a Python with boto3", tools::python_with_boto3())?;
    let Some(python) = found else { return Ok(()) };
    server.install("python3.11")?;
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("script.py"), include_str!("boto3.py"))?;
    std::fs::write(dir.path().join("probe.zip"), package::files(&[("probe.py", programs::PROBE)]))?;
    let mut script = tools::command(python);
    tools::run(tools::point_at(&mut script, &server).current_dir(dir.path()).arg("script.py"))?;
    Ok(())
}
