//! Updates and deletes, with idle and with busy environments.

use std::time::Duration;

use super::act::{Act, End, Init};
use super::outcome::by;
use super::setup::Setup;
use super::world::run;

#[test]
fn idle_environments_end_with_an_update_or_a_delete() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        assert_eq!(world.served("f").await, 0);
        world.update("f").await;
        assert_eq!(world.fake.alive(), [0; 0]);
        assert_eq!(world.served("f").await, 1);
        world.delete("f").await;
        assert_eq!(world.fake.alive(), [0; 0]);
    });
}

#[test]
fn a_busy_environment_completes_its_event_and_ends() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let busy = world.begin("f", Act::answer_after(100)).await;
        world.update("f").await;
        assert_eq!(world.fake.alive(), [0]);
        assert_eq!(world.served("f").await, 1, "the new code serves at once");
        assert_eq!(by(&busy.await.unwrap()), 0);
        assert_eq!(world.fake.alive(), [1]);
        let busy = world.begin("f", Act::answer_after(100)).await;
        world.delete("f").await;
        assert_eq!(by(&busy.await.unwrap()), 1);
        assert_eq!(world.fake.alive(), [0; 0]);
    });
}

#[test]
fn one_that_starts_during_an_update_serves_once() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Ready(Duration::from_millis(500))]);
        let cold = world.spawn("f", Act::new(End::Answer));
        while world.fake.launched() == 0 {
            tokio::task::yield_now().await;
        }
        world.update("f").await;
        assert_eq!(world.served("f").await, 1);
        assert_eq!(by(&cold.await.unwrap()), 0);
        assert_eq!(world.fake.alive(), [1]);
    });
}

/// A function that is created again with the same name is another one.
#[test]
fn a_successor_of_the_same_name_shares_nothing() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let busy = world.begin("f", Act::answer_after(100)).await;
        world.delete("f").await;
        world.create("f").await;
        assert_eq!(world.served("f").await, 1);
        assert_eq!(by(&busy.await.unwrap()), 0);
        assert_eq!(world.served("f").await, 1);
        assert_eq!(world.fake.alive(), [1]);
    });
}
