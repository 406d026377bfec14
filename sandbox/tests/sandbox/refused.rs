//! Requests that a compromised API process may make; the launcher refuses them and continues to work.

use std::os::unix::fs::symlink;

use lambd_sandbox::{
    Bind, Exit, LaunchError, LaunchFailure, LauncherConfig, Spec, SpecError, StartError, StartFailure, start,
};

use crate::support::{Fixture, spec};

fn refusal(fixture: &mut Fixture, spec: &Spec) -> SpecError {
    match fixture.launcher().launch(spec) {
        Err(LaunchError::Failed(LaunchFailure::Refused(refusal))) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn sources_outside_are_refused() {
    let mut fixture = Fixture::new();
    let dir = fixture.dir.path().to_owned();
    symlink("/etc", dir.join("absolute")).unwrap();
    symlink("../../../../etc", dir.join("relative")).unwrap();
    symlink("/proc/self/root", dir.join("magic")).unwrap();
    let outside = ["/etc", "/", "/root", "/proc/self/root"].map(Into::into);
    let links = ["absolute", "relative", "magic", "absolute/ssl", "../x"].map(|name| dir.join(name));
    for source in outside.into_iter().chain(links) {
        let mut asked = spec(&["exit"]);
        asked.binds.push(Bind { source: source.clone(), target: "/opt".into() });
        assert!(matches!(refusal(&mut fixture, &asked), SpecError::Source { .. }), "{}", source.display());
    }
    assert_eq!(fixture.inside(&["exit", "5"]).1, Exit::Code(5));
}

#[test]
fn a_source_that_does_not_exist_is_a_failed_step() {
    let mut fixture = Fixture::new();
    let mut asked = spec(&["exit"]);
    asked.binds[0].source = fixture.dir.path().join("none");
    let failed = fixture.launcher().launch(&asked).map(drop);
    assert!(
        matches!(&failed, Err(LaunchError::Failed(LaunchFailure::Step(step))) if step.errno == libc::ENOENT),
        "{failed:?}"
    );
    assert_eq!(fixture.inside(&["exit", "5"]).1, Exit::Code(5));
}

#[test]
fn places_and_sizes_are_checked_by_the_launcher() {
    let mut fixture = Fixture::new();
    type Fault = fn(&mut Spec);
    let faults: [Fault; 6] = [
        |spec| spec.binds[0].target = "/proc".into(),
        |spec| spec.binds[0].target = "/etc/../proc".into(),
        |spec| spec.memory_mib = 0,
        |spec| spec.tmp_mib = 1_000_000,
        |spec| spec.argv.clear(),
        |spec| spec.env = vec![vec![b'='; 100_000]],
    ];
    for fault in faults {
        let mut asked = spec(&["exit"]);
        fault(&mut asked);
        refusal(&mut fixture, &asked);
    }
    assert_eq!(fixture.inside(&["exit", "5"]).1, Exit::Code(5));
}

#[test]
fn a_message_that_is_too_long_is_not_sent() {
    let mut fixture = Fixture::new();
    let mut asked = spec(&["exit"]);
    asked.env = vec![vec![b'='; 1 << 20]];
    let refused = fixture.launcher().launch(&asked).map(drop).unwrap_err();
    assert!(matches!(refused, LaunchError::Channel(_)) && !refused.is_lost(), "{refused:?}");
    assert_eq!(fixture.inside(&["exit", "5"]).1, Exit::Code(5));
}

#[test]
fn a_failing_start_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let config = |name: &str| {
        let mut config = LauncherConfig::new(name, dir.path().join("volumes"), dir.path().join("uids"));
        config.exe = Some(env!("CARGO_BIN_EXE_lambd-launcher").into());
        config
    };
    let bad_name = start(&config("../x")).map(drop);
    assert!(matches!(bad_name, Err(StartError::Failed(StartFailure::Instance(_)))), "{bad_name:?}");

    let mut absent = config("absent");
    absent.allowed_sources = vec![dir.path().join("none")];
    let absent = start(&absent).map(drop);
    assert!(matches!(absent, Err(StartError::Failed(StartFailure::Step(_)))), "{absent:?}");

    let mut nothing = config("nothing");
    nothing.exe = Some("/bin/true".into());
    let nothing = start(&nothing).map(drop);
    assert!(matches!(nothing, Err(StartError::Channel(_))), "{nothing:?}");
}
