//! The constraints of the service model, broken one by one and several at once in each operation. The script makes
//! the requests and the assertions; that the server's log stays clean is checked when the shared server ends.

use anyhow::Result;
use lambd_compat_tests::{TestServer, tools};

#[test]
fn every_broken_constraint_is_named_and_no_other() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let found = tools::need("a Python with boto3", tools::python_with_boto3())?;
    let Some(python) = found else { return Ok(()) };
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("script.py"), include_str!("constraints.py"))?;
    let mut command = tools::command(python);
    let output = tools::run(tools::point_at(&mut command, &server).current_dir(dir.path()).arg("script.py"))?;
    tools::say(String::from_utf8_lossy(&output.stdout).trim());
    Ok(())
}
