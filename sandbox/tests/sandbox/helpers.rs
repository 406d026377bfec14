//! The launcher's helpers hold the capabilities that they need and no more.

use std::fs;

use lambd_sandbox::Exit;

use crate::support::{Fixture, children, finish, guardian, spec, until};

const DAC_OVERRIDE: u64 = 1 << 1;
const KILL: u64 = 1 << 5;
const SYS_ADMIN: u64 = 1 << 21;

/// Waits until the process has exactly these capabilities and cannot gain others.
fn settles(pid: i32, capabilities: u64) {
    let mut status = String::new();
    let want = format!("{capabilities:016x}");
    let none = format!("{:016x}", 0);
    let lines = [
        ("CapInh:", &none),
        ("CapPrm:", &want),
        ("CapEff:", &want),
        ("CapBnd:", &want),
        ("CapAmb:", &none),
        ("NoNewPrivs:", &"1".to_owned()),
    ]
    .map(|(name, value)| format!("\n{name}\t{value}\n"));
    until(&format!("{pid} holds {want}"), || {
        status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        lines.iter().all(|line| status.contains(line))
    });
}

#[test]
fn helpers_hold_only_the_capabilities_that_they_need() {
    let mut fixture = Fixture::new();
    let launcher = fixture.launcher().pid();
    settles(guardian(launcher), KILL | DAC_OVERRIDE);
    until("there are two makers", || children(launcher, "lambd-volumes").len() == 2);
    children(launcher, "lambd-volumes").into_iter().for_each(|maker| settles(maker, SYS_ADMIN));
    // These capabilities suffice: a maker makes the /tmp of this sandbox.
    let mut spec = spec(&["fill", "10", "/tmp/fill"]);
    spec.tmp_mib = 48;
    assert_eq!(finish(&fixture.launch(&spec)), ("10 0\n".to_owned(), Exit::Code(0)));
}
