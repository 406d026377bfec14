//! The function's time-out.

use std::time::Duration;

use tokio::time::Instant;

use super::act::{Act, End};
use super::outcome::error;
use super::setup::Setup;
use super::world::run;

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
