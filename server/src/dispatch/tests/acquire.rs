//! Which environment serves.

use std::time::Duration;

use lambd_sandbox::Exit;
use tokio::time::Instant;

use super::act::{Act, End};
use super::outcome::by;
use super::setup::Setup;
use super::world::{pass, run};

#[test]
fn the_most_recently_used_environment_serves() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let first = world.begin("f", Act::answer_after(10)).await;
        let second = world.begin("f", Act::answer_after(20)).await;
        assert_eq!((by(&first.await.unwrap()), by(&second.await.unwrap())), (0, 1));
        for _ in 0..3 {
            assert_eq!(world.served("f").await, 1);
        }
        assert_eq!(world.fake.launched(), 2);
    });
}

#[test]
fn functions_and_generations_share_no_environment() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.create("g").await;
        assert_eq!(world.served("f").await, 0);
        assert_eq!(world.served("g").await, 1);
        world.update("f").await;
        assert_eq!(world.fake.alive(), [1], "what an update replaced ends");
        assert_eq!(world.served("f").await, 2);
        assert_eq!(world.served("g").await, 1);
    });
}

#[test]
fn a_dead_environment_is_not_used() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let others = world.begin("f", Act::answer_after(10)).await;
        assert_eq!(by(&world.invoke("f", Act::answer_after(20)).await), 1);
        others.await.unwrap().unwrap();
        world.fake.body(1).end(Exit::Code(1));
        let start = Instant::now();
        assert_eq!(world.served("f").await, 0, "the other idle one");
        world.fake.body(0).end(Exit::Code(1));
        assert_eq!(world.served("f").await, 2, "a new one");
        assert_eq!(start.elapsed(), Duration::ZERO, "no invocation waits for its last output");
    });
}

#[test]
fn an_environment_that_dies_frozen_is_not_used() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        assert_eq!(world.served("f").await, 0);
        pass(1000).await;
        assert_eq!(world.fake.frozen(), [0]);
        world.fake.body(0).end(Exit::Gone);
        assert_eq!(world.served("f").await, 1);
    });
}

#[test]
fn busy_environments_do_not_serve() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let busy = world.begin("f", Act::answer_after(1000)).await;
        assert_eq!(world.served("f").await, 1);
        assert_eq!(by(&world.invoke("f", Act::new(End::Answer)).await), 1);
        assert_eq!(by(&busy.await.unwrap()), 0);
    });
}
