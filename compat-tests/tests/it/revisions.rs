//! Many callers change one function at the same time. What they see must be what one caller after another could have
//! done: counters that are raised by compare-and-set lose nothing, and each name and number is given once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::{ApiClient, FUNCTIONS};
use lambd_compat_tests::http::HttpResponse;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, package};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const CALLERS: u64 = 6;
/// How often each caller raises each counter.
const RAISES: u64 = 8;

fn zip(number: u64) -> Vec<u8> {
    package::files(&[("app.py", &format!("# {number}"))])
}

fn function(server: &TestServer) -> Result<TestFunction> {
    FunctionSpec::new("python3.11", "app.handler", &zip(0)).create(&server.api)
}

/// Runs `each` for every caller at the same time.
fn together<T: Send>(each: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
    let (each, ready) = (&each, &Barrier::new(usize::try_from(CALLERS)?));
    std::thread::scope(|scope| {
        let run = |caller| {
            ready.wait();
            each(caller)
        };
        let callers: Vec<_> = (0..CALLERS).map(|caller| scope.spawn(move || run(caller))).collect();
        let ended =
            callers.into_iter().map(|c| c.join().map_err(|_| anyhow::anyhow!("a caller panicked"))?);
        ended.collect()
    })
}

fn ok(answer: &HttpResponse) -> Result<Value> {
    ensure!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
    answer.json()
}

/// Sends a change again for as long as another one is in progress.
fn change(api: &ApiClient, method: &str, path: &str, body: &Value) -> Result<HttpResponse> {
    until("no other change is in progress", || {
        let answer = api.call(method, path, Some(body))?;
        Ok(Some(answer).filter(|answer| answer.code() != "ResourceConflictException"))
    })
}

/// A number that is stored in a member of something, and raised by writing it with the RevisionId of the reading.
struct Counter<'a> {
    api: &'a ApiClient,
    /// Where it is read and where it is written.
    read: String,
    write: String,
    value: &'a (dyn Fn(&Value) -> Result<u64> + Sync),
    raised: &'a (dyn Fn(u64) -> Value + Sync),
}

impl Counter<'_> {
    fn read(&self) -> Result<(u64, Value)> {
        let shown = ok(&self.api.call("GET", &self.read, None)?)?;
        Ok(((self.value)(&shown)?, shown["RevisionId"].clone()))
    }

    /// Raises it once; returns the revision that was replaced.
    fn raise(&self) -> Result<String> {
        until("the counter is raised", || {
            let (value, revision) = self.read()?;
            let mut body = (self.raised)(value + 1);
            body["RevisionId"] = revision.clone();
            let answer = change(self.api, "PUT", &self.write, &body)?;
            if answer.status == 412 {
                return Ok(None);
            }
            let after = ok(&answer)?;
            ensure!(after["RevisionId"] != revision, "the revision stays {revision}");
            ensure!((self.value)(&after)? == value + 1, "not {} but {after}", value + 1);
            Ok(revision.as_str().map(str::to_owned))
        })
    }

    fn check(&self) -> Result<()> {
        let (before, _) = self.read()?;
        let raised = together(|_| (0..RAISES).map(|_| self.raise()).collect::<Result<Vec<_>>>())?;
        let raised: Vec<_> = raised.into_iter().flatten().collect();
        let replaced: BTreeSet<_> = raised.iter().collect();
        ensure!(replaced.len() == raised.len(), "a revision was replaced twice: {raised:?}");
        ensure!(self.read()?.0 == before + CALLERS * RAISES, "raises were lost: {:?}", self.read()?);
        Ok(())
    }
}

#[test]
fn no_change_that_names_a_revision_is_lost() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let (function, api) = (function(&server)?, &server.api);
    let path = function.path();
    let described = |shown: &Value| Ok(shown["Description"].as_str().unwrap_or("0").parse().unwrap_or(0));
    let describe = |value: u64| json!({ "Description": value.to_string() });
    let read = format!("{path}/configuration");
    Counter { api, read: read.clone(), write: read.clone(), value: &described, raised: &describe }
        .check()
        .context("the configuration")?;

    let hashes: BTreeMap<_, _> =
        (0..=CALLERS * RAISES).map(|n| (STANDARD.encode(Sha256::digest(zip(n))), n)).collect();
    let of_code = |shown: &Value| {
        let hash = shown["CodeSha256"].as_str().unwrap_or_default();
        hashes.get(hash).copied().with_context(|| format!("never uploaded: {shown}"))
    };
    let upload = |value: u64| json!({ "ZipFile": STANDARD.encode(zip(value)) });
    Counter { api, read, write: format!("{path}/code"), value: &of_code, raised: &upload }
        .check()
        .context("the code")?;

    ok(&change(api, "POST", &format!("{path}/versions"), &json!({}))?)?;
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    ok(&change(api, "POST", &format!("{path}/aliases"), &alias)?)?;
    let read = format!("{path}/aliases/live");
    Counter { api, read: read.clone(), write: read, value: &described, raised: &describe }
        .check()
        .context("the alias")
}

#[test]
fn versions_of_many_publishers_are_dense() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let function = function(&server)?;
    let path = format!("{}/code", function.path());
    let numbers = together(|caller| {
        let publish = |raise| -> Result<u64> {
            let code = STANDARD.encode(zip(1 + caller * RAISES + raise));
            let update = json!({ "ZipFile": code, "Publish": true });
            let answer = ok(&change(&server.api, "PUT", &path, &update)?)?;
            Ok(answer["Version"].as_str().context("no Version")?.parse()?)
        };
        (0..RAISES).map(publish).collect::<Result<Vec<_>>>()
    })?;
    let mut numbers: Vec<_> = numbers.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=CALLERS * RAISES).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn of_many_creates_or_deletes_of_a_name_one_succeeds() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let spec = FunctionSpec::new("python3.11", "app.handler", &zip(0));
    for round in 0..10 {
        let mut created = together(|_| Ok(spec.send(&server.api)?.status))?;
        created.sort_unstable();
        assert_eq!(created, [201, 409, 409, 409, 409, 409], "creates of round {round}");
        let path = format!("{FUNCTIONS}/{}", spec.name());
        let mut deleted = together(|_| Ok(server.api.call("DELETE", &path, None)?.status))?;
        deleted.sort_unstable();
        assert_eq!(deleted, [204, 404, 404, 404, 404, 404], "deletes of round {round}");
    }
    Ok(())
}

/// Some callers move an alias to versions that others delete, and some look at it.
#[test]
fn an_alias_never_names_a_deleted_version() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let (function, api) = (function(&server)?, &server.api);
    let path = function.path();
    let publish = |number: u64| {
        let update = json!({ "ZipFile": STANDARD.encode(zip(number)), "Publish": true });
        ok(&change(api, "PUT", &format!("{path}/code"), &update)?)
    };
    publish(1)?;
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    ok(&api.call("POST", &format!("{path}/aliases"), Some(&alias))?)?;
    let (last, is_over) = (AtomicU64::new(1), AtomicBool::new(false));
    let moved = AtomicU64::new(0);
    let deleted = together(|caller| {
        let mut deleted = 0;
        while !is_over.load(Ordering::Acquire) {
            let newest = last.load(Ordering::Acquire);
            match caller {
                0 => {
                    publish(newest + 1)?;
                    last.store(newest + 1, Ordering::Release);
                    is_over.store(newest >= CALLERS * RAISES, Ordering::Release);
                }
                1 | 2 => {
                    let body = json!({ "FunctionVersion": newest.to_string() });
                    let answer = api.call("PUT", &format!("{path}/aliases/live"), Some(&body))?;
                    // It may have been deleted since.
                    ensure!([200, 404].contains(&answer.status), "{} {}", answer.status, answer.text());
                    moved.fetch_add(u64::from(answer.status == 200), Ordering::AcqRel);
                }
                3 | 4 => {
                    let answer = api.call("DELETE", &format!("{path}?Qualifier={newest}"), None)?;
                    // 409: the alias names it. A version that is not there is deleted, too.
                    ensure!([204, 409, 404].contains(&answer.status), "{} {}", answer.status, answer.text());
                    deleted += u64::from(answer.status == 204);
                }
                _ => {
                    let answer = api.call("GET", &format!("{path}?Qualifier=live"), None)?;
                    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
                }
            }
        }
        Ok(deleted)
    })?;
    ensure!(moved.load(Ordering::Acquire) > 0, "the alias was never moved");
    ensure!(deleted.iter().sum::<u64>() > 0, "no version was ever deleted");
    ok(&api.call("GET", &format!("{path}?Qualifier=live"), None)?).map(|_| ())
}
