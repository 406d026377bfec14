//! Callers that disconnect before the answer.

use std::time::Duration;

use tokio::time::timeout;

use super::act::{Act, End, Init};
use super::setup::Setup;
use super::world::{pass, run};

#[test]
fn the_function_runs_to_its_end() {
    run(Setup { concurrency: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        let invocation = world.invoke("f", Act::answer_after(1000));
        assert!(timeout(Duration::from_millis(500), invocation).await.is_err());
        assert_eq!((world.in_flight(), world.fake.body(0).events().len()), (1, 1));
        pass(499).await;
        assert_eq!(world.in_flight(), 1);
        pass(2).await;
        assert_eq!(world.in_flight(), 0);
        assert_eq!(world.served("f").await, 0, "the environment came back");
    });
}

/// The event is delivered all the same: the caller cannot know how far its request got.
#[test]
fn a_start_goes_on() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Ready(Duration::from_secs(2))]);
        let invocation = world.invoke("f", Act::new(End::Answer));
        assert!(timeout(Duration::from_millis(500), invocation).await.is_err());
        assert_eq!((world.in_flight(), world.fake.received().len()), (1, 0));
        pass(1501).await;
        assert_eq!((world.in_flight(), world.fake.received().len()), (0, 1));
        assert_eq!(world.served("f").await, 0);
    });
}
