//! What a well-behaved program finds: its identity, its files, its open descriptors.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use lambd_sandbox::{Bind, Exit, FileSpec};

use crate::support::{Fixture, SharedRoot, family, finish, line, mount_tmpfs, namespace, shell, spec, until};

#[test]
fn a_program_has_its_own_user_and_no_right() {
    let mut fixture = Fixture::new();
    let script = "id -u; id -g; id -G; id -un; umask; hostname; pwd; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status";
    let sandbox = fixture.launch(&shell(script));
    let (text, exit) = finish(&sandbox);
    let uid = sandbox.uid;
    let none = "0000000000000000";
    let want = format!(
        "{uid}\n{uid}\n{uid}\nsbx_user1051\n0022\ninside.test\n/var/task\nCapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\n\
         CapBnd:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    );
    assert_eq!((text, exit), (want, Exit::Code(0)));
}

#[test]
fn only_three_descriptors_are_open() {
    let mut fixture = Fixture::new();
    // The second one comes from a stock that was used and refilled.
    for _ in 0..2 {
        assert_eq!(fixture.inside(&["fds"]), ("0 1 2 \n".to_owned(), Exit::Code(0)));
    }
}

#[test]
fn standard_descriptors_can_be_opened_again() {
    let script = "echo one > /dev/stdout; echo two >> /dev/stderr; echo three > /dev/fd/1; cat /dev/stdin; cat < /dev/null";
    let (text, exit) = finish(&Fixture::new().launch(&shell(script)));
    assert_eq!((text.as_str(), exit), ("one\ntwo\nthree\n", Exit::Code(0)));
}

#[test]
fn namespaces_groups_and_users_are_its_own() {
    let mut fixture = Fixture::new();
    let pair = [fixture.launch(&spec(&["pause"])), fixture.launch(&spec(&["pause"]))];
    assert!(pair.iter().all(|sandbox| line(sandbox) == "ready"));
    assert_ne!(pair[0].uid, pair[1].uid);
    for kind in ["pid", "mnt", "net", "ipc", "uts", "cgroup"] {
        let [a, b] = [0, 1].map(|n| namespace(pair[n].pid, kind).unwrap());
        assert!(a != b && Some(&a) != namespace("self", kind).as_ref(), "{kind}: {a:?} {b:?}");
    }
    for sandbox in &pair {
        let processes = family(sandbox.pid);
        assert_eq!(processes.len(), 2, "init and the program");
        for pid in processes {
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
            let own = format!("lambd-{}/{}", fixture.config.instance, sandbox.uid);
            assert!(groups.contains(&own), "{pid} is in {groups}");
        }
    }
}

#[test]
fn mounts_of_a_sandbox_do_not_appear_on_the_host() {
    let mounts = || {
        let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
        text.lines().filter_map(|line| line.split(' ').nth(4).map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let before = mounts();
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["pause"]));
    assert_eq!(line(&sandbox), "ready");
    assert_eq!(mounts(), before);
}

#[test]
fn later_mounts_of_the_host_do_not_appear_inside() {
    let dir = tempfile::tempdir().unwrap();
    let (shown, inner) = (dir.path().join("shown"), dir.path().join("shown/inner"));
    fs::create_dir_all(&inner).unwrap();
    let _host = SharedRoot::enter();
    let mut fixture = Fixture::with(|config| config.allowed_sources.push(dir.path().to_owned()));
    let script =
        "echo ready; until [ -e /opt/go ]; do sleep 0.01; done; ls -A /opt/inner; cat /proc/self/mountinfo";
    let mut spec = shell(script);
    spec.binds.push(Bind { source: shown.clone(), target: "/opt".into() });
    let sandbox = fixture.launch(&spec);
    assert_eq!(line(&sandbox), "ready");

    mount_tmpfs(&inner);
    fs::write(inner.join("secret"), "of the host").unwrap();
    fs::write(shown.join("go"), "").unwrap();
    let (text, exit) = finish(&sandbox);
    nix::mount::umount(&inner).unwrap();
    assert_eq!(exit, Exit::Code(0), "{text}");
    assert!(!text.contains("secret") && !text.contains("/opt/inner"), "{text}");
    assert!(!text.contains(" master:") && !text.contains(" shared:"), "{text}");
}

#[test]
fn the_root_has_what_was_asked_and_nothing_else() {
    let mut spec = shell(
        "ls -A /; ls -A /dev /etc; cat /etc/made; /entry; readlink /bin; ls -A /tmp /opt; cat /etc/hosts",
    );
    let file =
        |path: &str, mode, content: &str| FileSpec { path: path.into(), mode, content: content.into() };
    spec.files = vec![
        file("/etc/made", 0o640 | 0o004, "made\n"),
        file("/entry", 0o755, "#!/bin/sh\necho entry\n"),
        file("/etc/hosts", 0o644, "replaced\n"),
    ];
    let (text, _) = finish(&Fixture::new().launch(&spec));
    let want = "bin dev entry etc lib lib64 opt proc tmp usr var \
                /dev: empty fd full null random shm stderr stdin stdout urandom zero \
                /etc: group hosts made nsswitch.conf passwd made entry usr/bin /opt: /tmp: replaced";
    assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), want);
}

#[test]
fn every_mount_is_restricted() {
    let (text, _) = finish(&Fixture::new().launch(&shell("cat /proc/self/mountinfo")));
    let options = |path: &str| {
        let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let parts = lines.find(|parts| parts[4] == path).unwrap_or_else(|| panic!("no {path} in {text}"));
        parts[5].split(',').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    for path in ["/", "/usr", "/var/task", "/dev", "/proc/sys", "/proc/fs", "/proc/irq", "/proc/bus"] {
        assert!(options(path).contains("ro"), "{path} is writable");
    }
    for path in ["/", "/usr", "/var/task", "/tmp", "/proc", "/dev/shm"] {
        assert!(
            options(path).is_superset(&["nosuid", "nodev"].map(str::to_owned).into()),
            "{path}: {:?}",
            options(path)
        );
    }
    assert!(text.lines().all(|line| !line.contains(" shared:") && !line.contains(" master:")), "{text}");
}

#[test]
fn the_listener_is_inside() {
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["hello"]));
    assert!(TcpStream::connect("127.0.0.1:9001").is_err(), "the host must not reach it");
    let mut accepted = None;
    until("the program connects", || {
        accepted = sandbox.listener.accept().ok();
        accepted.is_some()
    });
    let (mut stream, peer) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).unwrap();
    stream.write_all(b"there").unwrap();
    let (text, exit) = finish(&sandbox);
    assert_eq!((&hello, peer.ip().is_loopback(), exit), (b"hello", true, Exit::Code(0)));
    assert_eq!(text, "connect 0\nsend 0\nreceive 0\nthere\n");
}

#[test]
fn python_threads_and_processes_work() {
    let script = "python3 - <<'E'\nimport threading, subprocess, tempfile, multiprocessing, socket, os\n\
        t = threading.Thread(target=lambda: print('thread', flush=True)); t.start(); t.join()\n\
        print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout, end='')\n\
        tempfile.NamedTemporaryFile().write(b'x'); multiprocessing.Lock(); socket.socketpair(); os.urandom(4)\n\
        print(os.cpu_count() > 0)\nE";
    let (text, exit) = finish(&Fixture::new().launch(&shell(script)));
    assert_eq!((text.as_str(), exit), ("thread\nchild\nTrue\n", Exit::Code(0)));
}
