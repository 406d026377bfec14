//! A dispatcher with all that it needs: a store in memory, packages and a runtime in a temporary folder, and
//! sandboxes that are tasks.

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambd_engine::scaler::StartDecision;
use lambd_model::{CodeRef, Configuration, Function, FunctionId, Version};
use lambd_store::{MemStore, Store};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::act::{Act, End, Reply};
use super::fake::Fake;
use super::outcome::{self, Outcome};
use super::paused;
use super::setup::Setup;
use crate::dispatch::{Dispatcher, Invocation, InvocationResult};
use crate::environment::Launching;
use crate::packages::{self, Packages};
use crate::registry::Registry;
use crate::registry::testing::{ACCOUNT, configuration, function, id};
use crate::runtimes::Catalog;

/// Longer than any wait of a test: after this time something hangs.
const WATCHDOG: Duration = Duration::from_secs(100_000);
/// What an invocation may take in addition to its timeout: the first init, and the wait for last output.
const INIT: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_millis(100);

/// Everything that a test uses.
#[derive(Debug)]
pub(super) struct World {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) registry: Arc<Registry>,
    pub(super) fake: Arc<Fake>,
    setup: Setup,
    pub(super) packages: Arc<Packages>,
    pub(super) data: tempfile::TempDir,
    requests: AtomicUsize,
    /// The generation of each environment that has answered.
    serves: Mutex<HashMap<usize, Uuid>>,
}

/// Runs a test, and checks that nothing is left of it.
pub(super) fn run(setup: Setup, test: impl AsyncFnOnce(&Arc<World>)) {
    paused::run(async {
        let world = Arc::new(World::new(setup).await);
        // At the very start of the dispatcher's clock no environment can have been idle for long.
        pass(1000).await;
        let idle = tokio::spawn(Arc::clone(&world.dispatcher).manage_idle(world.setup.keep_alive));
        timeout(WATCHDOG, test(&world)).await.expect("something never ends");
        timeout(WATCHDOG, world.ends()).await.expect("the end never comes");
        idle.abort();
    });
}

impl World {
    async fn new(setup: Setup) -> Self {
        let data = tempfile::tempdir().unwrap();
        let runtime = data.path().join("runtimes/provided.al2023");
        fs::create_dir_all(&runtime).unwrap();
        let manifest = "identifier = 'provided.al2023'\nroot = 'tree'\nbootstrap = ['/var/task/bootstrap']\n";
        fs::write(runtime.join("runtime.toml"), manifest).unwrap();
        let store: Arc<dyn Store> = Arc::new(MemStore::new());
        // The registry keeps 100 of its limit unreserved, more than the tests have.
        let registry = Arc::new(Registry::open(store, ACCOUNT, setup.concurrency + 100).await.unwrap());
        let packages = Arc::new(Packages::open(data.path()).unwrap());
        let fake = Arc::new(Fake::default());
        let dispatcher = Dispatcher::new(
            setup.limits(),
            Arc::clone(&registry),
            Arc::clone(&packages),
            Arc::new(Catalog::new(data.path())),
            Launching {
                launch: Arc::clone(&fake) as Arc<_>,
                root: data.path().to_owned(),
                descriptors: setup.descriptors(),
                sessions: lambd_auth::SessionKey::new([7; 32]),
            },
            setup.sink(),
        );
        let (requests, serves) = (AtomicUsize::default(), Mutex::default());
        Self { dispatcher, registry, fake, setup, packages, data, requests, serves }
    }

    /// Creates a function with 128 MiB and 3 s.
    pub(super) async fn create(&self, name: &str) {
        let function = function(name);
        let configuration = Configuration { code: self.stage("code"), ..configuration(name) };
        let latest = Arc::new(Version::latest(&function.id, configuration));
        self.registry.create(Function { latest, ..function }).await.unwrap();
    }

    /// Updates a function, with all that the API does for an update.
    pub(super) async fn update(&self, name: &str) {
        self.change(name, |configuration| configuration).await;
    }

    /// The same, with a change of the configuration.
    pub(super) async fn change(
        &self,
        name: &str,
        change: impl FnOnce(Configuration) -> Configuration + Send + 'static,
    ) {
        let change =
            |function: &Function| Ok(function.updated(change((*function.latest.configuration).clone()), 0));
        let changed = self.registry.update(name_of(name), change).await.unwrap();
        self.dispatcher.retire(&changed.before.latest);
    }

    /// Deletes a function, with all that the API does for it.
    pub(super) async fn delete(&self, name: &str) {
        let deleted = self.registry.delete(name_of(name)).await.unwrap();
        self.dispatcher.retire(&deleted.latest);
        self.dispatcher.reserve(&deleted.id);
    }

    pub(super) async fn reserve(&self, name: &str, reserved: Option<u32>) {
        self.registry.reserve(name_of(name), reserved).await.unwrap();
        self.dispatcher.reserve(&name_of(name));
    }

    /// The version that the function runs now.
    pub(super) fn version(&self, name: &str) -> Option<Arc<Version>> {
        self.registry.get(&name_of(name)).map(|function| Arc::clone(&function.latest))
    }

    pub(super) async fn invoke(&self, name: &str, act: Act) -> Outcome {
        self.invoke_version(self.version(name).unwrap(), &act, false).await
    }

    /// Invokes, and asks for the end of the log.
    pub(super) async fn invoke_with_tail(&self, name: &str, act: Act) -> InvocationResult {
        self.invoke_version(self.version(name).unwrap(), &act, true).await.unwrap()
    }

    pub(super) fn invocation(&self, act: &Act, tail: bool) -> Invocation {
        Invocation {
            request_id: format!("request-{}", self.requests.fetch_add(1, Ordering::Relaxed)),
            event: act.event(),
            invoked_arn: "arn".to_owned(),
            client_context: None,
            trace_id: String::new(),
            tail,
        }
    }

    pub(super) async fn invoke_version(&self, version: Arc<Version>, act: &Act, tail: bool) -> Outcome {
        let invocation = self.invocation(act, tail);
        let (id, generation) = (invocation.request_id.clone(), version.generation);
        let longest = INIT + Duration::from_secs(u64::from(version.configuration.timeout_s)) + GRACE;
        let start = Instant::now();
        let outcome = self.dispatcher.invoke(version, invocation).await;
        assert!(start.elapsed() <= longest, "answered after {:?}", start.elapsed());
        if let Ok(answer) = &outcome
            && let Some(reply) = Reply::of(answer)
        {
            assert_eq!(reply.id, id, "an answer to another event");
            let mut serves = self.serves.lock().unwrap();
            let known = *serves.entry(reply.environment).or_insert(generation);
            assert_eq!(known, generation, "environment {} serves two generations", reply.environment);
        }
        outcome
    }

    /// The number of the environment that answers at once.
    pub(super) async fn served(&self, name: &str) -> usize {
        outcome::by(&self.invoke(name, Act::new(End::Answer)).await)
    }

    /// Starts an invocation and does not wait for it.
    pub(super) fn spawn(self: &Arc<Self>, name: &str, act: Act) -> JoinHandle<Outcome> {
        self.spawn_with(name, act, false)
    }

    pub(super) fn spawn_with(self: &Arc<Self>, name: &str, act: Act, tail: bool) -> JoinHandle<Outcome> {
        let (world, version) = (Arc::clone(self), self.version(name).unwrap());
        tokio::spawn(async move { world.invoke_version(version, &act, tail).await })
    }

    /// Starts an invocation and waits until its event has reached an environment.
    pub(super) async fn begin(self: &Arc<Self>, name: &str, act: Act) -> JoinHandle<Outcome> {
        let begun = self.fake.received().len();
        let invocation = self.spawn(name, act);
        while self.fake.received().len() == begun && !invocation.is_finished() {
            tokio::task::yield_now().await;
        }
        invocation
    }

    /// Invocations in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.dispatcher.admission.with(|state, _| state.scaler.in_flight())
    }

    /// Stages a package with this content, which may be collected.
    pub(super) fn stage(&self, content: &str) -> CodeRef {
        let package = self.packages.stage(&zip(content), &packages::PackageLimits::default()).unwrap();
        CodeRef { sha256: package.sha256, zipped_bytes: package.zipped_bytes }
    }

    /// Checks that nothing of a test is left: no invocation, environment, memory or descriptor; and that no
    /// event was delivered twice.
    async fn ends(&self) {
        assert_eq!(self.dispatcher.drain(WATCHDOG / 2).await, 0, "invocations in flight");
        assert_eq!(self.fake.alive(), [0; 0], "environments alive");
        self.dispatcher.admission.with(|state, now| {
            assert_eq!(state.pool.idle_mib(), 0, "memory of the pool");
            let (probe, all_mib) = (name_of("probe"), u32::try_from(self.setup.host_memory_mib).unwrap());
            assert_eq!(
                state.scaler.start(&probe, all_mib, 0, now),
                StartDecision::Granted,
                "memory that is granted"
            );
            state.scaler.ended(&probe, all_mib, now);
        });
        let [free, all] = [&self.dispatcher.launching.descriptors, &self.setup.descriptors()]
            .map(|descriptors| descriptors.pool().available_permits());
        assert_eq!(free, all, "descriptors");
        let mut received = self.fake.received();
        let all = received.len();
        received.sort_unstable();
        received.dedup();
        assert_eq!(received.len(), all, "an event reached two environments, or one twice");
    }
}

/// Lets this much time pass, and everything that happens in it.
pub(super) async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

pub(super) fn name_of(name: &str) -> Arc<FunctionId> {
    id(ACCOUNT, "us-east-1", name)
}

fn zip(content: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}
