//! Provisioned environments: started before an invocation, replaced, ended.

use std::sync::Arc;
use std::time::Duration;

use lambd_engine::scaler::Throttle;
use lambd_model::{Alias, Function, ProvisionedConcurrency, Version};
use lambd_sandbox::Exit;
use uuid::Uuid;

use super::act::{Act, End, Init};
use super::outcome::{Outcome, by, refusal};
use super::setup::Setup;
use super::world::{World, name_of, pass, run};
use crate::dispatch::{Allocation, ProvisionedStatus};

/// A function `f` with this many published versions, each of a generation of its own, kept provisioned.
fn run_with(versions: u32, setup: Setup, test: impl AsyncFnOnce(&Arc<World>)) {
    run(setup, async |world| {
        world.create("f").await;
        for _ in 0..versions {
            let publish = |function: &Function| {
                let mut configuration = (*function.latest.configuration).clone();
                configuration.handler = function.last_number.to_string();
                Ok(function.updated(configuration, 0).publish(None).0)
            };
            world.registry.update(name_of("f"), publish).await.unwrap();
        }
        let keep = tokio::spawn(Arc::clone(&world.dispatcher).keep_provisioned());
        test(world).await;
        world.dispatcher.drain(Duration::from_secs(1)).await;
        keep.abort();
    });
}

async fn provision(world: &World, qualifier: &str, executions: Option<u32>) {
    let put = executions.map(|executions| ProvisionedConcurrency { executions, last_modified_ms: 0 });
    let function = world.registry.provision(name_of("f"), qualifier.to_owned(), put).await.unwrap();
    world.dispatcher.provision(&function);
}

async fn point(world: &World, name: &str, version: &str) {
    let (version, name) = (version.to_owned(), name.to_owned());
    let alias = Alias { version, second: None, description: String::new(), revision_id: Uuid::nil() };
    let change = move |function: &Function| {
        let mut function = function.clone();
        function.aliases.insert(name, Arc::new(alias));
        Ok(function)
    };
    let changed = world.registry.update(name_of("f"), change).await.unwrap();
    world.dispatcher.provision(&changed.now);
}

fn status(world: &World, qualifier: &str) -> ProvisionedStatus {
    world.dispatcher.provisioned(&world.registry.get(&name_of("f")).unwrap(), qualifier)
}

/// Waits until the start has succeeded or failed.
async fn settled(world: &World, qualifier: &str) -> ProvisionedStatus {
    while status(world, qualifier).allocation == Allocation::InProgress {
        pass(1).await;
    }
    status(world, qualifier)
}

fn version(world: &World, number: &str) -> Arc<Version> {
    Arc::clone(world.registry.get(&name_of("f")).unwrap().version(number).unwrap())
}

async fn invoke(world: &World, number: &str, act: Act) -> Outcome {
    world.invoke_version(version(world, number), &act, false).await
}

/// Starts an invocation and waits until an environment has its event.
async fn begin(world: &Arc<World>, number: &'static str, act: Act) -> tokio::task::JoinHandle<Outcome> {
    let (begun, of) = (world.fake.received().len(), Arc::clone(world));
    let invocation = tokio::spawn(async move { invoke(&of, number, act).await });
    while world.fake.received().len() == begun && !invocation.is_finished() {
        tokio::task::yield_now().await;
    }
    invocation
}

const fn ready(count: u32) -> ProvisionedStatus {
    ProvisionedStatus { allocated: count, available: count, allocation: Allocation::Ready }
}

#[test]
fn they_are_there_before_anybody_invokes_and_others_are_started_when_they_are_busy() {
    run_with(1, Setup::default(), async |world| {
        provision(world, "1", Some(2)).await;
        assert_eq!(settled(world, "1").await, ready(2));
        assert_eq!(world.fake.launched(), 2);
        let first = begin(world, "1", Act::answer_after(100)).await;
        assert_eq!(status(world, "1"), ProvisionedStatus { available: 1, ..ready(2) });
        let second = begin(world, "1", Act::answer_after(100)).await;
        assert_eq!(by(&invoke(world, "1", Act::new(End::Answer)).await), 2, "on demand");
        assert!(by(&first.await.unwrap()) < 2 && by(&second.await.unwrap()) < 2);
        assert_eq!((world.in_flight(), status(world, "1")), (0, ready(2)));
        assert_eq!(world.served("f").await, 3, "the unpublished version is another one");
    });
}

#[test]
fn none_serves_before_all_are_ready() {
    run_with(1, Setup::default(), async |world| {
        world.fake.next_inits([Init::Ready(Duration::ZERO), Init::Ready(Duration::from_secs(5))]);
        provision(world, "1", Some(2)).await;
        pass(1000).await;
        let nothing = ProvisionedStatus { allocated: 0, available: 0, allocation: Allocation::InProgress };
        assert_eq!((world.fake.launched(), status(world, "1")), (2, nothing));
        assert_eq!(by(&invoke(world, "1", Act::new(End::Answer)).await), 2);
        assert_eq!(settled(world, "1").await, ready(2));
        assert!(by(&invoke(world, "1", Act::new(End::Answer)).await) < 2);
    });
}

#[test]
fn one_that_ends_is_replaced() {
    run_with(1, Setup::default(), async |world| {
        provision(world, "1", Some(1)).await;
        settled(world, "1").await;
        pass(20_000).await;
        world.fake.body(0).end(Exit::Gone);
        pass(6000).await;
        assert_eq!((world.fake.alive(), status(world, "1")), (vec![1], ready(1)), "one that was idle");
        invoke(world, "1", Act::new(End::Exit)).await.unwrap();
        pass(1000).await;
        assert_eq!((world.fake.alive(), status(world, "1")), (vec![2], ready(1)), "one that was busy");
    });
}

#[test]
fn one_that_ends_right_after_its_start_is_replaced_later() {
    run_with(1, Setup::default(), async |world| {
        world.fake.next_inits([Init::PollAndExit(1)]);
        provision(world, "1", Some(1)).await;
        pass(50_000).await;
        assert_eq!(world.fake.launched(), 1);
        assert!(matches!(status(world, "1").allocation, Allocation::Failed(_)));
        pass(30_000).await;
        assert_eq!((world.fake.launched(), status(world, "1")), (2, ready(1)));
    });
}

#[test]
fn a_start_that_fails_is_told_and_repeated() {
    for (init, reason) in [
        (Init::Error, "FUNCTION_ERROR_INIT_FAILURE"),
        (Init::Exit(1), "FUNCTION_ERROR_INIT_FAILURE"),
        (Init::Hang, "FUNCTION_ERROR_INIT_FAILURE"),
        (Init::Refused, "The server cannot start an execution environment; see its log."),
    ] {
        run_with(1, Setup::default(), async |world| {
            world.fake.next_inits([init]);
            provision(world, "1", Some(3)).await;
            let failed = settled(world, "1").await;
            let want = ProvisionedStatus {
                allocated: 0,
                available: 0,
                allocation: Allocation::Failed(reason.into()),
            };
            assert_eq!((failed, world.fake.alive()), (want, vec![]), "{init:?}");
            assert!(world.fake.launched() <= 1, "{init:?} is not repeated for each of them");
            pass(65_000).await;
            assert_eq!(status(world, "1"), ready(3), "{init:?}");
        });
    }
}

#[test]
fn without_memory_none_of_them_stays() {
    run_with(1, Setup { host_memory_mib: 2 * 128, ..Setup::default() }, async |world| {
        provision(world, "1", Some(3)).await;
        let reason = "The server has no room for another execution environment.";
        let failed = settled(world, "1").await;
        assert_eq!((failed.allocated, failed.allocation), (0, Allocation::Failed(reason.into())));
        pass(1000).await;
        assert_eq!(world.fake.alive(), [0; 0]);
        provision(world, "1", Some(2)).await;
        assert_eq!(settled(world, "1").await, ready(2), "a new request is tried at once");
        assert_eq!(
            refusal(&world.invoke("f", Act::new(End::Answer)).await),
            Throttle::Memory,
            "they make no room"
        );
    });
}

#[test]
fn they_neither_expire_nor_outlive_their_configuration() {
    run_with(1, Setup::default(), async |world| {
        provision(world, "1", Some(2)).await;
        settled(world, "1").await;
        pass(1_000_000).await;
        assert_eq!((world.fake.alive(), world.fake.frozen()), (vec![0, 1], vec![0, 1]));
        let busy = begin(world, "1", Act::answer_after(10_000)).await;
        provision(world, "1", None).await;
        pass(1000).await;
        assert_eq!(world.fake.alive().len(), 1, "the busy one completes its invocation");
        busy.await.unwrap().unwrap();
        pass(1000).await;
        assert_eq!(world.fake.alive(), [0; 0]);
    });
}

#[test]
fn they_move_with_their_alias() {
    run_with(2, Setup::default(), async |world| {
        point(world, "live", "1").await;
        provision(world, "live", Some(2)).await;
        assert_eq!(settled(world, "live").await, ready(2));
        point(world, "live", "2").await;
        assert_eq!(settled(world, "live").await, ready(2));
        pass(1000).await;
        assert_eq!(world.fake.alive(), [2, 3]);
        assert!(by(&invoke(world, "2", Act::new(End::Answer)).await) > 1);
    });
}

#[test]
fn what_is_provisioned_is_a_part_of_what_is_reserved() {
    run_with(1, Setup::default(), async |world| {
        world.reserve("f", Some(1)).await;
        world.fake.next_inits([Init::Ready(Duration::from_secs(5))]);
        provision(world, "1", Some(1)).await;
        pass(1).await;
        invoke(world, "1", Act::new(End::Answer)).await.unwrap();
        settled(world, "1").await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Reserved);
        let busy = begin(world, "1", Act::answer_after(100)).await;
        assert_eq!(refusal(&invoke(world, "1", Act::new(End::Answer)).await), Throttle::Reserved);
        assert_eq!(by(&busy.await.unwrap()), 0);
    });
}
