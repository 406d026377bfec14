//! Idle environments: freezing, thawing, expiry.

use std::sync::Arc;
use std::time::Duration;

use lambd_store::MemStore;

use super::act::{Act, End};
use super::outcome::by;
use super::setup::Setup;
use super::world::{pass, run};
use crate::logs::{Cursor, Logs, Retention, group_key};
use crate::registry::testing::ACCOUNT;

#[test]
fn it_is_frozen_when_idle_and_thawed_for_its_next_event() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        pass(48).await;
        assert_eq!(world.fake.frozen(), [0; 0], "an invocation right after another one needs no thaw");
        pass(60).await;
        assert_eq!(world.fake.frozen(), [0]);
        assert_eq!(world.served("f").await, 0);
        assert_eq!(world.fake.frozen(), [0; 0]);
        pass(1000).await;
        assert_eq!((world.fake.frozen(), world.fake.body(0).freezes()), (vec![0], 2));
    });
}

#[test]
fn a_busy_one_is_not_frozen() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        world.invoke("f", Act::answer_after(2000)).await.unwrap();
        assert_eq!(world.fake.body(0).freezes(), 0);
        world.invoke("f", Act::new(End::Answer).polling_after(2000)).await.unwrap();
        pass(1900).await;
        assert_eq!(world.fake.body(0).freezes(), 0, "until it polls");
    });
}

/// More environments than one step of the freezer, of many functions.
#[test]
fn all_idle_environments_are_frozen() {
    run(Setup::default(), async |world| {
        let names: Vec<_> = (0..15).map(|number| format!("f{number}")).collect();
        for name in &names {
            world.create(name).await;
            let first = world.begin(name, Act::answer_after(1)).await;
            world.invoke(name, Act::answer_after(2)).await.unwrap();
            first.await.unwrap().unwrap();
        }
        pass(200).await;
        assert_eq!(world.fake.frozen(), Vec::from_iter(0..30));
    });
}

#[test]
fn it_ends_when_it_was_idle_for_long() {
    let setup = Setup { keep_alive: Duration::from_secs(60), ..Setup::default() };
    run(setup, async |world| {
        world.create("f").await;
        let first = world.begin("f", Act::answer_after(1)).await;
        world.invoke("f", Act::answer_after(2)).await.unwrap();
        first.await.unwrap().unwrap();
        pass(40_000).await;
        assert_eq!(world.served("f").await, 1);
        pass(19_000).await;
        assert_eq!(world.fake.alive(), [0, 1]);
        // Expiry is checked each tenth of that time.
        pass(8_000).await;
        assert_eq!(world.fake.alive(), [1], "the other has been used");
        pass(40_000).await;
        assert_eq!(world.fake.alive(), [0; 0]);
    });
}

/// Its keys are good for twelve hours, and an event may need them for a while.
#[test]
fn one_with_old_keys_gets_no_event_however_often_it_is_used() {
    let setup = Setup { keep_alive: Duration::from_secs(86_400), ..Setup::default() };
    run(setup, async |world| {
        world.create("f").await;
        for hour in 0..=10 {
            assert_eq!(world.served("f").await, 0, "hour {hour}");
            pass(3_600_000).await;
        }
        pass(1000).await;
        assert_eq!(world.served("f").await, 1);
        assert_eq!(world.fake.alive(), [1]);
    });
}

/// The output of a program between its invocations stays in the pipe.
#[test]
fn what_it_printed_last_reaches_the_log() {
    let retention = Retention { age_max: Duration::from_secs(1 << 30), group_bytes_max: 1 << 30 };
    // The log's writer runs with real time.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let logs = runtime.block_on(Logs::start(Arc::new(MemStore::new()), ACCOUNT, retention)).unwrap();
    let setup = Setup { logs: Some(logs.sink().clone()), ..Setup::default() };
    run(setup, async |world| {
        world.create("f").await;
        let act = Act::new(End::Answer).printing("first");
        assert_eq!(by(&world.invoke("f", act).await), 0);
        world.fake.body(0).print("last");
        // The server learns of it.
        pass(1).await;
        let version = world.version("f").unwrap();
        world.delete("f").await;
        assert_eq!(world.fake.alive(), [0; 0]);
        world.dispatcher.drain(Duration::ZERO).await;
        pass(1).await;
        logs.sink().flush().await;
        let group = group_key(&version.function, &version.configuration.logging.group);
        let events = logs.read(&group, Cursor::default(), 100).await.unwrap().events;
        let lines: Vec<_> = events.iter().map(|e| e.message.split(' ').next().unwrap()).collect();
        assert_eq!(lines, ["START", "first", "END", "REPORT", "last"]);
    });
}
