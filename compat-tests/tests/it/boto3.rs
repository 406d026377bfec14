//! boto3: paginators, waiters, modelled exceptions, the streaming payload. The scripts make the assertions.

use anyhow::Result;
use lambd_compat_tests::{TestServer, python};

fn run(script: &str) -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    python::run(&server, script, &[], &[])
}

#[test]
fn boto3_works_without_changes() -> Result<()> {
    run(include_str!("boto3.py"))
}

#[test]
fn every_waiter_and_paginator_of_boto3_ends() -> Result<()> {
    run(include_str!("boto3_pages.py"))
}

/// Code signing configs and event source mappings.
#[test]
fn boto3_reads_what_belongs_to_no_function() -> Result<()> {
    run(include_str!("boto3_resources.py"))
}
