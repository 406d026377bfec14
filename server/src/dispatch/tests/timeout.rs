//! The function's timeout.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::act::{Act, End};
use super::outcome::error;
use super::setup::Setup;
use super::world::{pass, run};
use crate::logs::{LogEvent, LogStream, group_key, unread};

#[test]
fn the_answer_comes_at_the_deadline_and_the_environment_ends() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let start = Instant::now();
        let outcome = world.invoke("f", Act::new(End::Hang)).await;
        assert_eq!(error(&outcome), "Sandbox.Timedout");
        let text = String::from_utf8(outcome.unwrap().payload.to_vec()).unwrap();
        assert!(text.ends_with(r#"Error: Task timed out after 3.00 seconds"}"#), "{text}");
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert_eq!((world.in_flight(), world.fake.alive()), (0, vec![]));
        assert_eq!(world.served("f").await, 1);
    });
}

#[test]
fn an_answer_right_before_the_deadline_counts() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        assert!(!world.invoke("f", Act::answer_after(2999)).await.unwrap().is_error);
        assert_eq!(world.served("f").await, 0);
        assert!(world.invoke("f", Act::answer_after(3001)).await.unwrap().is_error);
    });
}

/// The program's output waits for a log that hangs; the program must not run on during that time.
#[test]
fn code_past_its_deadline_does_not_wait_for_the_log() {
    let (sink, _unread) = unread();
    run(Setup { logs: Some(sink.clone()), ..Setup::default() }, async |world| {
        world.create("f").await;
        let version = world.version("f").unwrap();
        let group = group_key(&version.function, &version.configuration.logging.group);
        let other = sink.stream(&group, "other");
        flood(&other).await;
        let running = world.begin("f", Act::new(End::Hang).printing("mine")).await;
        pass(2_900).await;
        assert_eq!(world.fake.alive(), [0]);
        pass(200).await;
        assert_eq!(world.fake.alive(), [0; 0]);
        assert!(!running.is_finished(), "the log is waited for");
        assert_eq!(error(&running.await.unwrap()), "Sandbox.Timedout");
    });
}

/// Fills the share of the queue that the group of this stream has.
async fn flood(stream: &LogStream) {
    for bytes in [1000, 0] {
        let line = || vec![LogEvent { time_ms: 0, message: "x".repeat(bytes) }];
        while timeout(Duration::from_millis(50), stream.write(line())).await.is_ok() {}
    }
}
