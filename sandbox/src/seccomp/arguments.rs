//! Calls that are allowed only with some arguments. Each rule names what is refused, or what succeeds without
//! being done.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

#[cfg(target_arch = "x86_64")]
const TARGET: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const TARGET: TargetArch = TargetArch::aarch64;

/// Argument, its length in the kernel, operator, value.
type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);
/// A call that matches all of these conditions.
type Rule = (libc::c_long, &'static [Condition]);

/// An argument that the kernel takes as 32 bits.
const fn int(argument: u8, operator: SeccompCmpOp, value: u64) -> Condition {
    (argument, Dword, operator, value)
}

/// An argument that the kernel takes with all 64 bits.
const fn pointer(argument: u8, operator: SeccompCmpOp, value: u64) -> Condition {
    (argument, Qword, operator, value)
}

/// `type & 0xf` of `socket(2)`, without `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
const KIND: SeccompCmpOp = MaskedEq(0xf);
const STREAM: u64 = libc::SOCK_STREAM as u64;
const DATAGRAM: u64 = libc::SOCK_DGRAM as u64;
const UNIX: u64 = libc::AF_UNIX as u64;
const INET: u64 = libc::AF_INET as u64;
const INET6: u64 = libc::AF_INET6 as u64;
const NETLINK: u64 = libc::AF_NETLINK as u64;
const TCP: u64 = libc::IPPROTO_TCP as u64;
const UDP: u64 = libc::IPPROTO_UDP as u64;
/// Both together mean an internet family, because the other families are refused by an earlier rule.
const NOT_UNIX: Condition = int(0, Ne, UNIX);
const NOT_NETLINK: Condition = int(0, Ne, NETLINK);
/// Options that libc does not name on every target.
const TCP_MD5SIG_EXT: u64 = 32;
const TCP_AO_ADD_KEY: u64 = 38;
const UDP_ENCAP: u64 = 100;
/// `RLIMIT_CORE`, which libc types differently on its targets.
const CORE: u64 = 4;

/// Every flag of `clone(2)` that makes a namespace (time namespaces share a bit with CSIGNAL and
/// cannot be made by clone).
const NAMESPACES: [u64; 7] =
    [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

/// Calls that fail with EPERM.
#[rustfmt::skip] // a rule a line
const REFUSED: &[Rule] = &[
    // Only local, internet and route sockets.
    (libc::SYS_socket, &[int(0, Ne, UNIX), int(0, Ne, INET), int(0, Ne, INET6), int(0, Ne, NETLINK)]),
    // Internet sockets only as streams (1) of TCP and datagrams (2) of UDP: every other type or protocol
    // makes the kernel look for a module to load. Of the type's bits only the lowest two may be set, and
    // exactly one of them.
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, MaskedEq(0b1000), 0b1000)]),
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, MaskedEq(0b0100), 0b0100)]),
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, MaskedEq(0b0011), 0b0011)]),
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, MaskedEq(0b0011), 0)]),
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, KIND, STREAM), int(2, Ne, 0), int(2, Ne, TCP)]),
    (libc::SYS_socket, &[NOT_UNIX, NOT_NETLINK, int(1, KIND, DATAGRAM), int(2, Ne, 0), int(2, Ne, UDP)]),
    (libc::SYS_socket, &[int(0, Eq, UNIX), int(2, Ne, 0), int(2, Ne, UNIX)]),
    (libc::SYS_socket, &[int(0, Eq, NETLINK), int(2, Ne, libc::NETLINK_ROUTE as u64)]),
    (libc::SYS_socketpair, &[int(0, Ne, UNIX)]),
    // Options that bring further protocols or ciphers of the kernel into a connection: TLS, signed segments,
    // tunnels.
    (libc::SYS_setsockopt, &[int(1, Eq, TCP), int(2, Eq, libc::TCP_ULP as u64)]),
    (libc::SYS_setsockopt, &[int(1, Eq, TCP), int(2, Eq, libc::TCP_MD5SIG as u64)]),
    (libc::SYS_setsockopt, &[int(1, Eq, TCP), int(2, Eq, TCP_MD5SIG_EXT)]),
    (libc::SYS_setsockopt, &[int(1, Eq, TCP), int(2, Eq, TCP_AO_ADD_KEY)]),
    (libc::SYS_setsockopt, &[int(1, Eq, UDP), int(2, Eq, UDP_ENCAP)]),
    // They write input for a terminal that another process reads.
    (libc::SYS_ioctl, &[int(1, Eq, libc::TIOCSTI)]),
    (libc::SYS_ioctl, &[int(1, Eq, libc::TIOCLINUX)]),
    (libc::SYS_ioctl, &[int(1, Eq, libc::TIOCSETD)]),
    // Another memory layout of the process would mislead readers of /proc.
    (libc::SYS_prctl, &[int(0, Eq, libc::PR_SET_MM as u64)]),
    // Only the query (0xffffffff) and the default (0): address randomisation cannot be switched off.
    (libc::SYS_personality, &[int(0, Ne, 0), int(0, Ne, 0xffff_ffff)]),
    // The limit of core files cannot be changed. This rule is for callers that also ask for the old value: a
    // pretended success would not return it.
    (libc::SYS_prlimit64, &[int(1, Eq, CORE), pointer(2, Ne, 0), pointer(3, Ne, 0)]),
];

/// Calls that succeed without being made. A program that switches core files off to protect its secrets (gpg
/// does, and ends when it cannot) gets what it wants: there are no core files. The limit stays 1, because 0
/// would allow a `core_pattern` that pipes to a program.
const PRETENDED: &[Rule] = &[
    (libc::SYS_prlimit64, &[int(1, Eq, CORE), pointer(2, Ne, 0), pointer(3, Eq, 0)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_setrlimit, &[int(0, Eq, CORE)]),
    #[cfg(target_arch = "aarch64")]
    (164, &[int(0, Eq, CORE)]),
];

/// The program for [`REFUSED`]. It allows what it does not name, because the numbers were checked before.
pub(super) fn refusals() -> Result<BpfProgram, BackendError> {
    let mut rules = table(REFUSED)?;
    for flag in NAMESPACES {
        let condition = SeccompCondition::new(0, Qword, MaskedEq(flag), flag)?;
        rules.entry(libc::SYS_clone).or_default().push(SeccompRule::new(vec![condition])?);
    }
    compile(rules, libc::EPERM)
}

/// The program for [`PRETENDED`].
pub(super) fn pretences() -> Result<BpfProgram, BackendError> {
    compile(table(PRETENDED)?, 0)
}

fn table(list: &[Rule]) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (number, conditions) in list {
        let conditions = conditions.iter().map(|(argument, length, operator, value)| {
            SeccompCondition::new(*argument, length.clone(), operator.clone(), *value)
        });
        let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
        rules.entry(*number).or_default().push(rule);
    }
    Ok(rules)
}

/// Calls that match a rule return `errno` and are not made; 0 means success.
fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, BackendError> {
    let answer = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, answer, TARGET)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::decision_tree::Action;
    use crate::seccomp::decision_tree::tests::{run, value};

    fn check(number: libc::c_long, args: &[u64], allowed: bool) {
        let want = value(if allowed { Action::Allow } else { Action::Errno(libc::EPERM) });
        assert_eq!(answer(&refusals().unwrap(), number, args), want, "call {number} with {args:x?}");
    }

    fn answer(program: &BpfProgram, number: libc::c_long, args: &[u64]) -> u32 {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        let arch = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };
        run(program, arch, u32::try_from(number).unwrap(), all)
    }

    #[test]
    fn only_the_sockets_that_are_needed_are_allowed() {
        let program = refusals().unwrap();
        let flags = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as u64;
        for family in 0..64 {
            for kind in 0..16 {
                for protocol in 0..300 {
                    let allowed = match family {
                        UNIX => protocol <= 1,
                        NETLINK => protocol == 0,
                        INET | INET6 => [(STREAM, 0), (STREAM, TCP), (DATAGRAM, 0), (DATAGRAM, UDP)]
                            .contains(&(kind, protocol)),
                        _ => false,
                    };
                    let want = value(if allowed { Action::Allow } else { Action::Errno(libc::EPERM) });
                    let args = [family, kind | flags, protocol];
                    assert_eq!(answer(&program, libc::SYS_socket, &args), want, "{args:?}");
                }
            }
        }
    }

    #[test]
    fn socket_options_that_load_code_are_refused() {
        for (level, option, allowed) in [
            (TCP, 31, false),
            (TCP, 14, false),
            (TCP, 13, true),
            (TCP, 1, true),
            (UDP, 100, false),
            (libc::SOL_SOCKET as u64, libc::SO_KEEPALIVE as u64, true),
            (libc::IPPROTO_IP as u64, 13, true),
        ] {
            check(libc::SYS_setsockopt, &[3, level, option], allowed);
        }
    }

    #[test]
    fn the_limit_of_core_files_cannot_be_changed() {
        const HIGH: u64 = 1 << 32; // a pointer whose low half is zero
        const FILES: u64 = 7;
        let pretences = pretences().unwrap();
        for (args, refused, pretended) in [
            ([0, CORE, HIGH, 0], false, true),
            ([0, CORE, 4096, 0], false, true),
            ([0, CORE, HIGH, HIGH], true, false),
            ([0, CORE, 0, HIGH], false, false),
            ([0, FILES, HIGH, HIGH], false, false),
            ([0, CORE | 0xffff_ffff_0000_0000, HIGH, 0], false, true),
        ] {
            check(libc::SYS_prlimit64, &args, !refused);
            let want = value(if pretended { Action::Errno(0) } else { Action::Allow });
            assert_eq!(answer(&pretences, libc::SYS_prlimit64, &args), want, "{args:x?}");
        }
        #[cfg(target_arch = "x86_64")]
        for (resource, action) in [(CORE, Action::Errno(0)), (FILES, Action::Allow)] {
            assert_eq!(answer(&pretences, libc::SYS_setrlimit, &[resource, 4096]), value(action));
        }
    }

    #[test]
    fn clones_that_make_namespaces_are_refused() {
        const THREAD: u64 = 0x003d_0f00;
        for (flags, allowed) in [(17, true), (THREAD, true), (0x4111, true), (17 | 0x1000_0000, false)] {
            check(libc::SYS_clone, &[flags], allowed);
        }
        for flag in NAMESPACES {
            check(libc::SYS_clone, &[flag | 17], false);
        }
    }

    #[test]
    fn other_arguments_are_refused_one_by_one() {
        check(libc::SYS_ioctl, &[0, libc::TIOCSTI], false);
        check(libc::SYS_ioctl, &[0, libc::TIOCSTI | 0xffff_ffff_0000_0000], false);
        check(libc::SYS_ioctl, &[0, libc::TIOCGWINSZ], true);
        check(libc::SYS_prctl, &[libc::PR_SET_MM as u64], false);
        check(libc::SYS_prctl, &[libc::PR_SET_NAME as u64], true);
        check(libc::SYS_personality, &[0x0004_0000], false);
        check(libc::SYS_personality, &[0xffff_ffff], true);
        check(libc::SYS_read, &[], true);
    }
}
