//! Bootstraps that cannot be run; each cause has the text of AWS.

use anyhow::Result;
use lambd_compat_tests::package::{self, ZipEntry};
use lambd_compat_tests::{FunctionSpec, TestServer, programs};
use serde_json::json;

#[test]
fn each_cause_has_its_text() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let mut foreign = programs::bootstrap()?.to_vec();
    foreign[18..20].copy_from_slice(&[0xfe, 0xfe]); // e_machine: a processor that does not exist
    let refused = |reason: &str| format!("fork/exec /var/task/bootstrap: {reason}");
    for (what, entry, reason) in [
        ("no x bit", ZipEntry::file("bootstrap", b"#!/bin/sh\n"), refused("permission denied")),
        (
            "CRLF",
            ZipEntry::executable("bootstrap", b"#!/bin/sh\r\nexit\r\n"),
            refused("no such file or directory"),
        ),
        ("another processor", ZipEntry::executable("bootstrap", &foreign), refused("exec format error")),
        ("no first line", ZipEntry::executable("bootstrap", b"echo\n"), refused("exec format error")),
        (
            "none",
            ZipEntry::file("other", b""),
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
        ),
    ] {
        let function =
            FunctionSpec::new("provided.al2023", "any", &package::zip(&[entry])).create(&server.api)?;
        let ended = function.invoke_with_tail(&json!({}))?;
        let text = format!("RequestId: {} Error: {reason}", ended.id()?);
        assert_eq!(ended.failure()?, ("Runtime.InvalidEntrypoint".to_owned(), text), "{what}");
        assert!(ended.tail()?.contains("Error Type: Runtime.InvalidEntrypoint"), "{what}: {}", ended.tail()?);
    }
    Ok(())
}
