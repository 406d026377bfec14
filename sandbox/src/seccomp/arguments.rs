//! Calls that are allowed only with some arguments. Every rule names what is refused.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

#[cfg(target_arch = "x86_64")]
const TARGET: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const TARGET: TargetArch = TargetArch::aarch64;

/// One refused combination: all of `(argument, operator, value)` hold.
type Refused = (libc::c_long, &'static [(u8, SeccompCmpOp, u64)]);

/// `type & 0xf` of `socket(2)`, without `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
const KIND: SeccompCmpOp = MaskedEq(0xf);
const UNIX: u64 = libc::AF_UNIX as u64;
const INET: u64 = libc::AF_INET as u64;
const INET6: u64 = libc::AF_INET6 as u64;
const NETLINK: u64 = libc::AF_NETLINK as u64;
const RAW: u64 = libc::SOCK_RAW as u64;
const PACKET: u64 = 10;

/// Every flag of `clone(2)` that makes a namespace (time namespaces share a bit with CSIGNAL and
/// cannot be made by clone).
const NAMESPACES: [u64; 7] =
    [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

const REFUSED: &[Refused] = &[
    // Only local, internet and route sockets, and no raw ones among them.
    (libc::SYS_socket, &[(0, Ne, UNIX), (0, Ne, INET), (0, Ne, INET6), (0, Ne, NETLINK)]),
    (libc::SYS_socket, &[(0, Ne, NETLINK), (1, KIND, RAW)]),
    (libc::SYS_socket, &[(1, KIND, PACKET)]),
    (libc::SYS_socket, &[(0, Eq, NETLINK), (2, Ne, libc::NETLINK_ROUTE as u64)]),
    (libc::SYS_socketpair, &[(0, Ne, UNIX)]),
    // Input for a terminal that somebody else reads.
    (libc::SYS_ioctl, &[(1, Eq, libc::TIOCSTI)]),
    (libc::SYS_ioctl, &[(1, Eq, libc::TIOCLINUX)]),
    (libc::SYS_ioctl, &[(1, Eq, libc::TIOCSETD)]),
    // Another memory layout of the own process confuses whoever reads /proc.
    (libc::SYS_prctl, &[(0, Eq, libc::PR_SET_MM as u64)]),
    // Asking (0xffffffff) and the default (0) only: no switched-off address randomisation.
    (libc::SYS_personality, &[(0, Ne, 0), (0, Ne, 0xffff_ffff)]),
];

/// Compiles the table. What it does not name is allowed here: the numbers were looked at before.
pub(super) fn compile() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (number, conditions) in REFUSED {
        let conditions = conditions.iter().map(|(argument, operator, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
        });
        let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
        rules.entry(*number).or_default().push(rule);
    }
    for flag in NAMESPACES {
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Qword, MaskedEq(flag), flag)?;
        rules.entry(libc::SYS_clone).or_default().push(SeccompRule::new(vec![condition])?);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TARGET)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::tree::Action;
    use crate::seccomp::tree::tests::{run, value};

    fn check(number: libc::c_long, args: &[u64], allowed: bool) {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        let arch = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };
        let want = value(if allowed { Action::Allow } else { Action::Errno(libc::EPERM) });
        let got = run(&compile().unwrap(), arch, u32::try_from(number).unwrap(), all);
        assert_eq!(got, want, "call {number} with {args:x?}");
    }

    #[test]
    fn sockets() {
        for (args, allowed) in [
            ([UNIX, 1 | 0o2000000, 0], true),
            ([INET, 1, 6], true),
            ([INET6, 2, 17], true),
            ([NETLINK, RAW, 0], true),
            ([NETLINK, RAW, 12], false),
            ([INET, RAW, 1], false),
            ([INET, RAW | 0o2000000, 1], false),
            ([INET, PACKET, 3], false),
            ([17, RAW, 3], false),
            ([38, 5, 0], false),
            ([40, 1, 0], false),
        ] {
            check(libc::SYS_socket, &args, allowed);
        }
    }

    #[test]
    fn clones() {
        const THREAD: u64 = 0x003d_0f00;
        for (flags, allowed) in [(17, true), (THREAD, true), (0x4111, true), (17 | 0x1000_0000, false)] {
            check(libc::SYS_clone, &[flags], allowed);
        }
        for flag in NAMESPACES {
            check(libc::SYS_clone, &[flag | 17], false);
        }
    }

    #[test]
    fn the_rest() {
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
