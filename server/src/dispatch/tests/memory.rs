//! The limits of the host: memory, descriptors, starts.

use lambd_engine::scaler::Throttle;
use lambd_model::Configuration;

use super::act::{Act, End, Init};
use super::outcome::{error, refusal};
use super::setup::Setup;
use super::world::{pass, run};
use crate::dispatch::InvokeError;

/// Memory for two environments.
fn two() -> Setup {
    Setup { host_memory_mib: 256, ..Setup::default() }
}

#[test]
fn idle_environments_of_others_end_for_memory_the_longest_idle_first() {
    run(two(), async |world| {
        for name in ["f", "g", "h"] {
            world.create(name).await;
        }
        assert_eq!((world.served("f").await, world.served("g").await), (0, 1));
        pass(10).await;
        assert_eq!(world.served("f").await, 0);
        assert_eq!(world.served("h").await, 2);
        assert_eq!(world.fake.alive(), [0, 2]);
    });
}

#[test]
fn as_many_as_needed_end_for_memory() {
    run(Setup { host_memory_mib: 512, ..Setup::default() }, async |world| {
        for name in ["f", "g", "h", "large"] {
            world.create(name).await;
        }
        world.change("large", |configuration| Configuration { memory_mib: 384, ..configuration }).await;
        for name in ["f", "g", "h"] {
            world.served(name).await;
            pass(10).await;
        }
        assert_eq!(world.served("large").await, 3);
        assert_eq!(world.fake.alive(), [2, 3], "128 MiB were free, 256 were missing");
        let busy = world.begin("large", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("large", Act::new(End::Answer)).await), Throttle::Memory);
        assert_eq!(world.fake.alive(), [2, 3], "none ends if that would not be enough");
        busy.await.unwrap().unwrap();
    });
}

#[test]
fn busy_environments_do_not_end_for_memory() {
    run(two(), async |world| {
        for name in ["f", "g", "h"] {
            world.create(name).await;
        }
        let first = world.begin("f", Act::answer_after(100)).await;
        let second = world.begin("g", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("h", Act::new(End::Answer)).await), Throttle::Memory);
        assert_eq!(world.fake.launched(), 2);
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(world.served("h").await, 2);
    });
}

#[test]
fn idle_environments_end_for_descriptors() {
    run(Setup { environments: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        world.create("g").await;
        assert_eq!((world.served("f").await, world.served("g").await), (0, 1));
        assert_eq!(world.fake.alive(), [1]);
        let busy = world.begin("g", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Descriptors);
        busy.await.unwrap().unwrap();
    });
}

#[test]
fn the_rate_of_starts_is_limited() {
    run(Setup { burst: 2, refill_per_s: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        world.create("g").await;
        let first = world.begin("f", Act::answer_after(100)).await;
        let second = world.begin("f", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Rate);
        assert_eq!(world.served("g").await, 2, "each function has its own");
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        world.served("f").await;
        world.update("f").await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Rate);
        pass(1000).await;
        assert_eq!(world.served("f").await, 3);
    });
}

/// Otherwise failures of the launcher would use up the rate, and the refusals would give a wrong reason.
#[test]
fn a_failed_start_costs_no_token() {
    run(Setup { burst: 2, refill_per_s: 1, ..two() }, async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Refused; 5]);
        for _ in 0..5 {
            let outcome = world.invoke("f", Act::new(End::Answer)).await;
            assert!(matches!(outcome, Err(InvokeError::Start(_))), "{outcome:?}");
        }
        world.served("f").await;
    });
}

#[test]
fn memory_is_returned_between_two_inits() {
    run(Setup { host_memory_mib: 128, environments: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Exit(1), Init::Exit(1)]);
        assert_eq!(error(&world.invoke("f", Act::new(End::Answer)).await), "Runtime.ExitError");
    });
}
