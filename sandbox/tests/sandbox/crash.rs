//! A crash in a sandbox starts no program on the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use lambd_sandbox::Exit;

use crate::support::{Fixture, until};

/// Set on a machine that exists only for these tests and on which they may change everything.
const OWN_MACHINE: &str = "LAMBD_TEST_OWN_MACHINE";
const PATTERN: &str = "/proc/sys/kernel/core_pattern";

fn crash(fixture: &mut Fixture) {
    let (text, exit) = fixture.inside(&["crash"]);
    let want = format!("none 0\nall 0\nthe old call 0\nboth at once {}\nasked 0\nlimit 1 1\n", libc::EPERM);
    assert_eq!((text, exit), (want, Exit::Signal(libc::SIGSEGV)));
}

#[test]
fn the_limit_that_refuses_piped_core_dumps_cannot_be_changed() {
    crash(&mut Fixture::new());
}

/// Runs only on a machine of the test's own, because a `core_pattern` applies to the whole machine.
#[test]
fn a_crash_inside_starts_nothing_outside() {
    if std::env::var_os(OWN_MACHINE).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (counter, counted) = (dir.path().join("counter"), dir.path().join("counted"));
    let script = format!("#!/busybox sh\necho crash >>{}\n", counted.display());
    fs::write(&counter, script).unwrap();
    fs::set_permissions(&counter, fs::Permissions::from_mode(0o755)).unwrap();
    let before = fs::read_to_string(PATTERN).unwrap();
    fs::write(PATTERN, format!("|{}", counter.display())).unwrap();

    let count = || fs::read_to_string(&counted).unwrap_or_default().lines().count();
    crash_outside();
    until("the counter counts", || count() == 1);
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        crash(&mut fixture);
    }
    crash_outside();
    until("the counter counts", || count() >= 2);
    assert_eq!(count(), 2, "crashes inside were counted");
    fs::write(PATTERN, before).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a process of the test's own machine")]
fn crash_outside() {
    let ended = Command::new("/bin/sh").args(["-c", "kill -SEGV $$"]).status().unwrap();
    assert_eq!(ended.signal(), Some(libc::SIGSEGV));
}
