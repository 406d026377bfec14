//! Starts whose package or runtime is missing.

use std::fs;

use lambd_model::Configuration;

use super::act::{Act, End};
use super::outcome::by;
use super::setup::Setup;
use super::world::{World, run};
use crate::dispatch::InvokeError;

/// Collects packages that no function uses.
fn collect(world: &World) {
    world.packages.collect(|| world.registry.live_packages()).unwrap();
}

/// Between reading the registry and the start, the code was replaced and the old package collected.
#[test]
fn the_present_code_serves_when_the_old_one_is_collected() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let old = world.version("f").unwrap();
        let code = world.stage("new code");
        world.change("f", |configuration| Configuration { code, ..configuration }).await;
        collect(world);
        let invocation = world.invocation(&Act::new(End::Answer), false);
        assert_eq!(by(&world.dispatcher.invoke(old, invocation).await), 0);
        assert_eq!(world.served("f").await, 0, "it was started for the present version");
    });
}

#[test]
fn a_function_that_is_deleted_before_its_start_is_gone() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let old = world.version("f").unwrap();
        world.delete("f").await;
        collect(world);
        let invocation = world.invocation(&Act::new(End::Answer), false);
        let outcome = world.dispatcher.invoke(old, invocation).await;
        assert!(matches!(outcome, Err(InvokeError::Gone)), "{outcome:?}");
    });
}

/// A missing package of a present function is the server's fault, and is not tried again without end.
#[test]
fn a_package_that_is_lost_is_an_error() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        fs::remove_dir_all(world.data.path().join("packages")).unwrap();
        let outcome = world.invoke("f", Act::new(End::Answer)).await;
        assert!(matches!(outcome, Err(InvokeError::Package(_))), "{outcome:?}");
    });
}

#[test]
fn a_runtime_that_was_removed_is_an_error() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        fs::remove_dir_all(world.data.path().join("runtimes")).unwrap();
        let outcome = world.invoke("f", Act::new(End::Answer)).await;
        assert!(matches!(outcome, Err(InvokeError::NoRuntime(_))), "{outcome:?}");
    });
}

/// Reading the disk blocks no worker: a manifest that cannot be read delays its own function only.
#[test]
fn a_disk_that_hangs_delays_only_its_own_function() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.create("g").await;
        world.served("g").await;
        let manifest = world.data.path().join("runtimes/provided.al2023/runtime.toml");
        let text = fs::read(&manifest).unwrap();
        fs::remove_file(&manifest).unwrap();
        // A reader of a pipe without a writer blocks.
        nix::unistd::mkfifo(&manifest, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let waits = world.spawn("f", Act::new(End::Answer));
        assert_eq!(world.served("g").await, 0);
        fs::write(&manifest, text).unwrap();
        assert_eq!(by(&waits.await.unwrap()), 1);
    });
}
