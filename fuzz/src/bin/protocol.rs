//! Messages between the API process, the launcher and init; no side trusts the bytes of the other.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: lambd_fuzz::seed(lambd_sandbox::fuzzing::seeds()),
    |bytes: &[u8]| lambd_sandbox::fuzzing::receive(bytes)
);
