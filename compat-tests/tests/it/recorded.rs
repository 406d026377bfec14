//! What AWS was recorded to answer, asked for again with boto3: errors with their codes and texts, and members that
//! answers always have.

use anyhow::Result;
use lambd_compat_tests::{TestServer, python};

/// Runs a script beside these files against a server of its own.
fn run(script: &str, files: &[(&str, &str)]) -> Result<()> {
    let Some(server) = TestServer::start_with(&["--subnets", "subnet-1"])? else { return Ok(()) };
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
    python::run(&server, script, &[], &files)
}

#[test]
fn errors_are_those_recorded_on_aws() -> Result<()> {
    run(
        include_str!("recorded_errors.py"),
        &[
            ("recorded_errors.jsonl", include_str!("../../fixtures/recorded_errors.jsonl")),
            ("expected_failures.json", include_str!("../../fixtures/expected_failures.json")),
        ],
    )
}

#[test]
fn answers_have_the_members_recorded_on_aws() -> Result<()> {
    let members = ("recorded_members.json", include_str!("../../fixtures/recorded_members.json"));
    run(include_str!("recorded_members.py"), &[members])
}
