//! Packages that must be refused without leaving anything.

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::package::{ZipEntry, zip};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestServer, programs};
use serde_json::json;

const MIB: u64 = 1 << 20;
const NO_ZIP: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";

/// 4 MiB that do not compress, so that a package is visible in the size of the data directory.
fn pad() -> ZipEntry {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()
    };
    ZipEntry::file("pad", &(0..MIB / 2).flat_map(|_| noise()).collect::<Vec<_>>())
}

/// Name of the case, package, and the text of the refusal if it is recorded.
type Case = (&'static str, Vec<u8>, Option<&'static str>);

fn hostile(mark: &str) -> Result<Vec<Case>> {
    let file = |name: &str| ZipEntry::file(name, b"x");
    let with = |entries: &[ZipEntry]| zip(&[&[pad()], entries].concat());
    let mut cut = with(&[file("a")]);
    cut.truncate(cut.len() - 60);
    Ok(vec![
        ("not a zip", b"this is no zip at all".repeat(20), Some(NO_ZIP)),
        ("cut short", cut, None),
        ("empty", zip(&[]), None),
        ("one up", with(&[file(&format!("../{mark}"))]), None),
        ("far up", with(&[file(&format!("{}tmp/{mark}", "../".repeat(12)))]), None),
        ("in the middle", with(&[file(&format!("a/../../{mark}"))]), None),
        ("absolute", with(&[file(&format!("/tmp/{mark}"))]), None),
        ("a NUL in the name", with(&[file("a\0b")]), None),
        ("through a link", with(&[ZipEntry::link("d", "/tmp"), file(&format!("d/{mark}"))]), None),
        ("through a link inside", with(&[ZipEntry::link("d", "."), file("d/../../x")]), None),
        ("the same name twice", with(&[file("twice"), file("twice")]), None),
        ("a file and a folder", with(&[file("a"), file("a/b")]), None),
        ("encrypted", with(&[file("a").encrypted()]), None),
        ("a size that lies", zip(&[ZipEntry::zeros("zeros", 300)?.claiming(1000)]), None),
        ("a wrong checksum", corrupted(), None),
        (
            "too large unzipped",
            zip(&[ZipEntry::zeros("zeros", 600)?]),
            Some("Unzipped size must be smaller than 262144000 bytes"),
        ),
        (
            "too large together",
            zip(&[ZipEntry::zeros("a", 130)?, ZipEntry::zeros("b", 130)?]),
            Some("Unzipped size must be smaller than 262144000 bytes"),
        ),
    ])
}

fn corrupted() -> Vec<u8> {
    let mut package = zip(&[pad()]);
    package[1000] ^= 1;
    package
}

#[test]
fn hostile_packages_leave_nothing() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let mark = format!("evil-{}", uuid::Uuid::new_v4().simple());
    let before = server.disk_bytes()?;
    for (case, package, text) in hostile(&mark)? {
        let spec = FunctionSpec::new("provided.al2023", "any", &package);
        let answer = spec.send(&server.api)?;
        ensure!(
            (answer.status, answer.code()) == (400, "InvalidParameterValueException"),
            "{case}: {} {}",
            answer.status,
            answer.text()
        );
        if let Some(text) = text {
            assert_eq!(answer.message(), text, "{case}");
        }
        let path = format!("/2015-03-31/functions/{}", spec.name());
        assert_eq!(server.api.call("GET", &path, None)?.status, 404, "{case} left a function");
    }
    assert!(!std::fs::exists(format!("/tmp/{mark}"))?, "a package wrote outside");
    until("the data directory is as small as before", || {
        Ok((server.disk_bytes()? <= before + MIB).then_some(()))
    })?;
    assert_eq!(server.api.call("GET", "/2015-03-31/functions", None)?.status, 200);
    Ok(())
}

#[test]
fn a_zip_over_the_limit_is_too_large() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let package = zip(&[ZipEntry::file("pad", &vec![7; 52_428_800])]);
    let answer = FunctionSpec::new("provided.al2023", "any", &package).send(&server.api)?;
    assert_eq!((answer.status, answer.code()), (413, "RequestEntityTooLargeException"), "{}", answer.text());
    assert_eq!(answer.message(), "Zipped size must be smaller than 52428800 bytes");
    Ok(())
}

#[test]
fn a_refused_update_changes_nothing() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let before = function.configuration()?;
    let code = format!("{}/code", function.path());
    let answer = server.api.call("PUT", &code, Some(&json!({ "ZipFile": "bm8gemlw" })))?;
    assert_eq!((answer.status, answer.message().as_str()), (400, NO_ZIP));
    assert_eq!(function.configuration()?, before);
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}

#[test]
fn a_package_of_two_functions_is_stored_once_and_can_be_downloaded() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let package = zip(&[pad(), ZipEntry::executable("bootstrap", programs::bootstrap()?)]);
    let make = || FunctionSpec::new("provided.al2023", "any", &package).create(&server.api);
    let first = make()?;
    let one = server.disk_bytes()?;
    let second = make()?;
    ensure!(server.disk_bytes()? < one + 2 * MIB, "a second function with the same code took as much again");
    let answer = server.api.call("GET", &first.path(), None)?.json()?;
    let location = answer["Code"]["Location"].as_str().context("no location")?.to_owned();
    let target = location.strip_prefix(&server.url).with_context(|| location.clone())?;
    let download = server.api.send_unsigned(&lambd_compat_tests::api::ApiRequest::new("GET", target))?;
    ensure!(
        download.status == 200 && download.body == package,
        "the package came back as {}",
        download.status
    );
    drop(first);
    assert_eq!(second.invoke(&json!([1]))?.ok()?, json!([1]), "code outlives one of its functions");
    Ok(())
}

#[test]
fn modes_and_links_inside_are_kept() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let source = "import os\ndef handler(e, c):\n    return [open('link/../data/file').read(), os.readlink('link'), \
                  os.access('tool', os.X_OK), os.access('data/file', os.X_OK)]\n";
    let package = zip(&[
        ZipEntry::file("app.py", source.as_bytes()),
        ZipEntry::file("data/file", b"text"),
        ZipEntry::link("link", "data"),
        ZipEntry::executable("tool", b"#!/bin/sh\n"),
    ]);
    let function = FunctionSpec::new("python3.11", "app.handler", &package).create(&server.api)?;
    assert_eq!(function.invoke(&json!({}))?.ok()?, json!(["text", "data", true, false]));
    Ok(())
}

/// A link is resolved inside the sandbox; files of the host with the same names are out of reach.
#[test]
fn links_are_resolved_inside_the_sandbox() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let source = "import os\ndef handler(e, c):\n    read = lambda p: open(p).read()\n    \
                  return [read('absolute') == read('/etc/passwd'), read('absolute'), os.listdir('out'), \
                  os.path.lexists('host'), os.path.exists('host')]\n";
    let secret = tempfile::NamedTempFile::new()?;
    std::fs::write(secret.path(), "of the host")?;
    let package = zip(&[
        ZipEntry::file("app.py", source.as_bytes()),
        ZipEntry::link("absolute", "/etc/passwd"),
        ZipEntry::link("out", "../../var/task"),
        ZipEntry::link("host", secret.path().to_str().unwrap_or_default()),
    ]);
    let function = FunctionSpec::new("python3.11", "app.handler", &package).create(&server.api)?;
    let seen = function.invoke(&json!({}))?.ok()?;
    assert_eq!((&seen[0], &seen[3], &seen[4]), (&json!(true), &json!(true), &json!(false)), "{seen}");
    assert_ne!(seen[1].as_str(), Some(std::fs::read_to_string("/etc/passwd")?.as_str()));
    ensure!(seen[2].as_array().is_some_and(|names| names.contains(&json!("app.py"))), "{seen}");
    Ok(())
}

#[test]
fn files_keep_the_times_of_the_zip() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let source = "import os\ndef handler(e, c):\n    return int(os.stat('app.py').st_mtime)\n";
    let zipped = zip(&[ZipEntry::file("app.py", source.as_bytes())]);
    let function = FunctionSpec::new("python3.11", "app.handler", &zipped).create(&server.api)?;
    let seconds = function.invoke(&json!({}))?.ok()?.as_i64().unwrap_or_default();
    // 1980-01-01, the time in the zip files that the tests make.
    assert_eq!(seconds, 315_532_800);
    Ok(())
}
