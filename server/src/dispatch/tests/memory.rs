//! What environments may take of the host, and of how fast: memory, descriptors, starts.

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
fn idle_ones_of_others_make_room_the_longest_idle_first() {
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
fn as_many_as_it_takes_make_room() {
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
        assert_eq!(world.fake.alive(), [2, 3], "nothing ends in vain");
        busy.await.unwrap().unwrap();
    });
}

#[test]
fn busy_ones_make_none() {
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
fn descriptors_are_had_from_idle_ones_too() {
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
fn starts_have_a_rate() {
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

/// Otherwise a launcher in trouble would end in refusals for the wrong reason.
#[test]
fn a_start_that_comes_to_nothing_costs_no_token() {
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
fn memory_comes_back_between_two_inits() {
    run(Setup { host_memory_mib: 128, environments: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Exit(1), Init::Exit(1)]);
        assert_eq!(error(&world.invoke("f", Act::new(End::Answer)).await), "Runtime.ExitError");
    });
}
