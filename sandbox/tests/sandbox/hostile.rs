//! What a hostile program tries, and how each attempt ends.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use lambd_sandbox::Exit;

use crate::support::{Fixture, finish, shell};

#[test]
fn forbidden_calls_fail() {
    let (text, exit) = Fixture::new().inside(&["calls"]);
    assert_eq!(exit, Exit::Code(0), "{text}");
    let results: Vec<(&str, i32)> = text
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, n)| (name, n.parse().unwrap()))
        .collect();
    assert_eq!(results.len(), 63, "{text}");
    for (name, errno) in results {
        match name {
            "route socket" | "TCP socket" | "TCP option" | "UDP socket" | "local packets" | "fork"
            | "query personality" => assert_eq!(errno, 0, "{name} must work"),
            "clone3" | "call 9999" => assert_eq!(errno, libc::ENOSYS, "{name}"),
            "nice" => assert!([libc::EPERM, libc::EACCES].contains(&errno), "{name} gave {errno}"),
            _ => assert_eq!(errno, libc::EPERM, "{name}"),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn other_call_tables_kill() {
    let mut fixture = Fixture::new();
    for call in ["call 32", "call x32"] {
        assert_eq!(fixture.inside(&[call]), (String::new(), Exit::Signal(libc::SIGSYS)), "{call}");
    }
}

#[test]
fn files_of_the_machine_are_closed() {
    let closed = [
        ("w", "/proc/sys/kernel/core_pattern"),
        ("w", "/proc/sys/kernel/modprobe"),
        ("w", "/proc/sys/kernel/hostname"),
        ("w", "/proc/sys/kernel/ns_last_pid"),
        ("w", "/proc/sysrq-trigger"),
        ("w", "/sys/kernel/uevent_helper"),
        ("r", "/proc/kcore"),
        ("r", "/proc/kmsg"),
        ("r", "/proc/keys"),
        ("r", "/proc/timer_list"),
        ("r", "/proc/interrupts"),
        ("r", "/proc/softirqs"),
        ("r", "/proc/cmdline"),
        ("r", "/proc/diskstats"),
        ("r", "/proc/partitions"),
        ("r", "/proc/iomem"),
        ("r", "/proc/pressure/cpu"),
        ("r", "/proc/locks"),
        ("r", "/proc/schedstat"),
        ("r", "/proc/1/environ"),
        ("r", "/proc/1/mem"),
        ("r", "/proc/1/maps"),
        ("r", "/proc/1/root/etc/passwd"),
        ("r", "/proc/1/cwd/etc/passwd"),
        ("w", "/proc/1/exe"),
        ("r", "/proc/1/exe"),
        ("r", "/proc/1/fd/3"),
        ("r", "/dev/kmsg"),
        ("r", "/dev/mem"),
        ("r", "/dev/vda"),
        ("r", "/dev/loop0"),
        ("r", "/dev/loop-control"),
        ("r", "/dev/tty"),
        ("r", "/etc/shadow"),
        ("w", "/etc/passwd"),
        ("c", "/made"),
        ("c", "/etc/made"),
        ("c", "/dev/made"),
        ("c", "/var/task/made"),
        ("c", "/opt/made"),
        ("w", "/proc/self/exe"),
        ("w", "/var/task/inside"),
    ];
    let arguments: Vec<&str> =
        ["opens"].into_iter().chain(closed.iter().flat_map(|(how, path)| [*how, *path])).collect();
    let (text, exit) = Fixture::new().inside(&arguments);
    assert_eq!((text.lines().count(), exit), (closed.len(), Exit::Code(0)), "{text}");
    // -1 means opened, but nothing to read, as a masked entry is.
    for result in text.lines() {
        assert!(!result.ends_with(" 0"), "{result}");
        assert!(result.starts_with("r ") || !result.ends_with(" -1"), "{result}");
    }
}

#[test]
fn files_that_programs_need_can_be_opened() {
    let open = [
        "opens",
        "r",
        "/proc/meminfo",
        "r",
        "/proc/self/maps",
        "r",
        "/dev/urandom",
        "r",
        "/dev/zero",
        "w",
        "/dev/null",
    ];
    let more =
        ["c", "/tmp/made", "c", "/dev/shm/made", "r", "/proc/cpuinfo", "r", "/proc/sys/kernel/osrelease"];
    let (text, _) = Fixture::new().inside(&[open.as_slice(), &more].concat());
    for result in text.lines() {
        assert!(result.ends_with(" 0") || (!result.starts_with("r ") && result.ends_with(" -1")), "{result}");
    }
}

#[test]
fn other_processes_and_sockets_are_out_of_reach() {
    let name = format!("lambd-test-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    drop(UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap());
    let mut fixture = Fixture::new();
    assert_eq!(fixture.inside(&["abstract", &name]).0, format!("abstract {}\n", libc::ECONNREFUSED));
    drop(listener);

    let script = "echo /proc/[0-9]*; cat /proc/net/dev | tail -n +3 | cut -d: -f1; kill -9 1; kill -STOP 1; sleep 0.01; echo on";
    let (text, _) = finish(&fixture.launch(&shell(script)));
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["/proc/1", "/proc/2", "lo", "on"]);
}
