//! SIGKILL at random points of a mixed load. Each worker changes functions and a layer that are its own and knows what
//! they must be: what was acknowledged, and with it, or without, the one change whose answer never came.

mod function;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use lambd_compat_tests::TestServer;
use lambd_compat_tests::api::{ApiClient, FUNCTIONS};
use lambd_compat_tests::wait::until;
use serde_json::{Value, json};
use world::{Change, World};

const WORKERS: usize = 4;
const CRASHES: usize = 6;
/// Each crash comes after so many acknowledged changes, and up to as many more.
const CHANGES_MIN: u64 = 40;

/// A repeatable source of choices: SplitMix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<T>(&mut self, from: impl Iterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = from.collect();
        let count = u64::try_from(all.len()).ok().filter(|count| *count > 0)?;
        Some(all.swap_remove(usize::try_from(self.below(count)).ok()?))
    }
}

/// One thread of the load.
struct Worker {
    draw: Draw,
    acknowledged: World,
    /// What is there if the last change happened, of which there was no answer.
    perhaps: Option<World>,
}

impl Worker {
    fn new(number: usize) -> Result<Self> {
        let draw = Draw(u64::try_from(number)?);
        Ok(Self { draw, acknowledged: World::new(&format!("w{number}")), perhaps: None })
    }

    /// Changes things until the server is gone.
    fn run(&mut self, api: &ApiClient, changes: &AtomicUsize, is_ending: &AtomicBool) -> Result<()> {
        loop {
            let change = self.acknowledged.next(&mut self.draw);
            match send(api, &change) {
                Ok(()) => self.acknowledged = change.then,
                Err(_) if is_ending.load(Ordering::Acquire) => {
                    self.perhaps = Some(change.then);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Compares what the server has with what it must have.
    fn check(&mut self, api: &ApiClient) -> Result<()> {
        let perhaps = self.perhaps.take();
        let name = self.acknowledged.worker.clone();
        let allowed: Vec<_> = [Some(&self.acknowledged), perhaps.as_ref()].into_iter().flatten().collect();
        let shown: Vec<_> = allowed.iter().map(|world| world.shown()).collect();
        // A mapping that is being deleted is shown until it is gone.
        let place = until(&format!("the things of {name} are as they must be"), || {
            let found = seen(api, &name)?;
            Ok(shown.iter().position(|shown| *shown == found))
        });
        let place = place.with_context(|| {
            let found = seen(api, &name).unwrap_or_default();
            format!("found {found}\nof {}", json!(shown))
        })?;
        let drawn = allowed.iter().map(|world| world.drawn).max().unwrap_or_default();
        if let (1, Some(world)) = (place, perhaps) {
            self.acknowledged = world;
        }
        self.acknowledged.drawn = drawn;
        Ok(())
    }
}

/// Sends a change until nothing else is in progress.
fn send(api: &ApiClient, change: &Change) -> Result<()> {
    until("a change is accepted", || {
        let path = match &change.mapping {
            Some(source) => match mapping(api, source)? {
                Some(mapping) => format!("{}{}", change.path, mapping["UUID"].as_str().context("no UUID")?),
                None => bail!("no mapping of {source}"),
            },
            None => change.path.clone(),
        };
        let answer = api.call(change.method, &path, change.body.as_ref())?;
        if matches!(answer.code(), "ResourceConflictException" | "ResourceInUseException") {
            return Ok(None);
        }
        let Change { method, status, .. } = change;
        ensure!(answer.status == *status, "{method} {path}: {} {}", answer.status, answer.text());
        Ok(Some(()))
    })
}

fn mapping(api: &ApiClient, source: &str) -> Result<Option<Value>> {
    let source = percent_encoding::utf8_percent_encode(source, lambd_compat_tests::sigv4::QUERY);
    let mappings = all(api, &format!("{}?EventSourceArn={source}", world::MAPPINGS), "EventSourceMappings")?;
    Ok(mappings.into_iter().next())
}

/// Everything of a worker that the server has, in the form of [`World::shown`].
fn seen(api: &ApiClient, worker: &str) -> Result<Value> {
    let mine = |function: &Value| {
        function["FunctionName"].as_str().filter(|f| f.starts_with(worker)).map(str::to_owned)
    };
    let mut functions = BTreeMap::new();
    for name in all(api, FUNCTIONS, "Functions")?.iter().filter_map(mine) {
        functions.insert(name.clone(), function::seen(api, &name)?);
    }
    let layers: BTreeSet<_> = all(api, &world::layer(worker), "LayerVersions")?
        .iter()
        .map(|version| json!([version["Version"], version["Description"]]).to_string())
        .collect();
    Ok(json!({ "functions": functions, "layers": layers }))
}

/// All items of a list.
fn all(api: &ApiClient, path: &str, member: &str) -> Result<Vec<Value>> {
    let (mut items, mut marker) = (Vec::new(), String::new());
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let answer = api.call("GET", &format!("{path}{separator}MaxItems=50{marker}"), None)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        let page = answer.json()?;
        items.extend(page[member].as_array().cloned().unwrap_or_default());
        let Some(next) = page["NextMarker"].as_str() else { return Ok(items) };
        let next = percent_encoding::utf8_percent_encode(next, lambd_compat_tests::sigv4::QUERY);
        marker = format!("&Marker={next}");
    }
}

fn crash(server: &mut TestServer, workers: &mut [Worker], after: usize) -> Result<()> {
    let (changes, is_ending) = (AtomicUsize::new(0), AtomicBool::new(false));
    let api = server.api.clone();
    std::thread::scope(|scope| -> Result<()> {
        let (api, changes, is_ending) = (&api, &changes, &is_ending);
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| scope.spawn(move || worker.run(api, changes, is_ending)))
            .collect();
        let reached = until("the changes before a crash are made", || {
            let failed = running.iter().any(|worker| worker.is_finished());
            Ok((failed || changes.load(Ordering::Acquire) >= after).then_some(()))
        });
        is_ending.store(true, Ordering::Release);
        server.kill9()?;
        for worker in running {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        reached
    })?;
    server.restart()
}

#[test]
fn whatever_was_acknowledged_survives_kill_9_whole() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    let mut workers = (0..WORKERS).map(Worker::new).collect::<Result<Vec<_>>>()?;
    let mut draw = Draw(1);
    for number in 0..CRASHES {
        let after = usize::try_from(CHANGES_MIN + draw.below(CHANGES_MIN))?;
        crash(&mut server, &mut workers, after).with_context(|| format!("crash {number}"))?;
        for worker in &mut workers {
            worker.check(&server.api).with_context(|| format!("after crash {number}"))?;
        }
    }
    let hashes: BTreeSet<_> = workers.iter().flat_map(|worker| worker.acknowledged.hashes()).collect();
    let packages = || -> Result<BTreeSet<String>> {
        let names = std::fs::read_dir(server.data_dir().join("packages"))?;
        let names = names.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        Ok(names.collect::<Result<BTreeSet<_>>>()?.into_iter().filter(|name| name != ".staging").collect())
    };
    until("the packages that are left are those that are named", || {
        Ok((packages()?.len() == hashes.len()).then_some(()))
    })
    .with_context(|| format!("{} packages, {} hashes", packages().map_or(0, |p| p.len()), hashes.len()))?;
    server.stop()
}
