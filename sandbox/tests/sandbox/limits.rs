//! Limits hold, and reaching one harms only the sandbox itself.

use lambd_sandbox::Exit;

use crate::support::{Fixture, SharedRoot, finish, mount_small_disk, shell, spec, until};

fn two(text: &str) -> (u64, i32) {
    let (a, b) = text.trim().split_once(' ').unwrap_or_else(|| panic!("two numbers expected in {text:?}"));
    (a.parse().unwrap(), b.parse().unwrap())
}

#[test]
fn rlimits_are_those_of_aws() {
    let script =
        "ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -l; ulimit -Ss; ulimit -Hs; ulimit -Sp; ulimit -Hp";
    let (text, _) = finish(&Fixture::new().launch(&shell(script)));
    let found: Vec<&str> = text.split_whitespace().collect();
    // AWS's limit of core files is larger; here it is 1 byte, which the shell shows as 0 blocks of 512 bytes.
    assert_eq!(found, ["1024", "1024", "0", "64", "8192", "unlimited", "1024", "1024"]);
}

#[test]
fn open_files_end_at_1024() {
    let (text, _) = Fixture::new().inside(&["files"]);
    assert_eq!(two(&text), (1024, libc::EMFILE));
}

#[test]
fn a_fork_bomb_ends_at_the_limit() {
    let mut fixture = Fixture::new();
    for limit in [20_u32, 1024] {
        let mut spec = spec(&["forks", "1500"]);
        spec.processes_max = limit;
        let sandbox = fixture.launch(&spec);
        let (text, _) = finish(&sandbox);
        let (made, errno) = two(&text);
        assert_eq!(errno, libc::EAGAIN);
        // Init and the program itself count as well.
        assert!((u64::from(limit) - 3..u64::from(limit)).contains(&made), "{made} of {limit}");
    }
}

#[test]
fn memory_is_a_hard_limit() {
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["memory", "64"]));
    assert_eq!(finish(&sandbox), ("survived\n".to_owned(), Exit::Code(0)));
    let peak = sandbox.control.memory_peak_bytes().unwrap() >> 20;
    assert!((64..128).contains(&peak), "{peak} MiB");
    assert_eq!(sandbox.control.oom_kills().unwrap(), 0);

    let sandbox = fixture.launch(&spec(&["memory", "256"]));
    let (text, exit) = finish(&sandbox);
    // Version 1 kills the program, and then the launcher kills the rest; version 2 kills the whole group.
    assert!(text.is_empty() && [Exit::Signal(9), Exit::Gone].contains(&exit), "{text} {exit:?}");
    assert!(sandbox.control.oom_kills().unwrap() > 0);
    assert!(sandbox.control.memory_peak_bytes().unwrap() >> 20 >= 127);
}

#[test]
fn out_of_memory_ends_the_sandbox_despite_a_debt_of_cpu_time() {
    let mut fixture = Fixture::new();
    let mut spec = spec(&["hogs", "6"]);
    spec.cpu_quota_permille = 72;
    let sandbox = fixture.launcher().launch(&spec).unwrap();
    sandbox.control.set_cpu_quota(true).unwrap();
    let (text, exit) = finish(&sandbox);
    assert_eq!((text.as_str(), exit), ("", Exit::Gone));
    // The holder of the sandbox can still ask for the reason.
    assert!(sandbox.control.oom_kills().unwrap() > 0);
    assert!(sandbox.control.memory_peak_bytes().unwrap() >> 20 >= 127);
}

#[test]
fn tmp_is_as_large_as_asked_and_is_not_memory() {
    let mut fixture = Fixture::new();
    assert!(fixture.launcher().notes().is_empty(), "{:?}", fixture.launcher().notes());
    for tmp_mib in [64_u32, 512] {
        let mut spec = spec(&["fill", "700", "/tmp/fill"]);
        spec.tmp_mib = tmp_mib;
        let sandbox = fixture.launch(&spec);
        let ((mib, errno), exit) = {
            let (text, exit) = finish(&sandbox);
            (two(&text), exit)
        };
        assert_eq!((errno, exit), (libc::ENOSPC, Exit::Code(0)));
        assert!((u64::from(tmp_mib) - 4..=u64::from(tmp_mib) + 4).contains(&mib), "{mib} of {tmp_mib} MiB");
        assert_eq!(sandbox.control.oom_kills().unwrap(), 0, "128 MiB of memory must suffice");
        assert!(sandbox.control.memory_cache_bytes().unwrap() <= 128 << 20);
    }
}

#[test]
fn tmp_keeps_what_it_accepted_when_the_disk_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let _host = SharedRoot::enter();
    let disk = dir.path().join("disk");
    mount_small_disk(&disk);
    let mut fixture = Fixture::with(|config| {
        config.volumes_dir = disk.join("volumes");
        config.volume_stock = 0;
    });
    assert!(fixture.launcher().notes().is_empty(), "{:?}", fixture.launcher().notes());
    let mut spec = spec(&["keep", "600", "/tmp/kept"]);
    spec.tmp_mib = 512;
    let (text, exit) = finish(&fixture.launch(&spec));
    let numbers: Vec<i64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [wrote, failed, synced, kept] = numbers[..] else { panic!("{text} {exit:?}") };
    assert!((50 << 20..200 << 20).contains(&wrote), "{wrote} bytes were accepted by a disk of 200 MiB");
    assert!(
        [libc::ENOSPC, libc::EIO].contains(&i32::try_from(failed).unwrap()),
        "the write must fail, not {failed}"
    );
    assert_eq!((synced, kept, exit), (0, wrote, Exit::Code(0)), "accepted data must be on the disk");
    drop(fixture);
    until("the images are gone", || nix::mount::umount(&disk).is_ok());
}

#[test]
fn shared_memory_is_half_of_the_memory() {
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["fill", "700", "/dev/shm/fill"]));
    let (mib, errno) = two(&finish(&sandbox).0);
    assert!(errno == libc::ENOSPC && mib == 64, "{mib} MiB, {errno}");
}

#[test]
fn tmp_is_empty_for_the_next_one() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        let (text, _) =
            finish(&fixture.launch(&shell("ls -A /tmp; echo secret > /tmp/file; stat -c %a:%u /tmp")));
        assert_eq!(text, "1777:0\n");
    }
}

#[test]
fn the_cpu_quota_holds_from_the_start_and_can_be_turned_on_and_off() {
    let mut fixture = Fixture::new();
    let mut spec = shell("read x; cat /proc/self/cgroup");
    spec.cpu_init_permille = 500;
    let sandbox = fixture.launcher().launch(&spec).unwrap();
    let quota = |fixture: &Fixture| {
        let text = fixture.groups().into_iter().find_map(|folder| {
            let folder = folder.join(sandbox.uid.to_string());
            let read = |file| std::fs::read_to_string(folder.join(file)).ok();
            ["cpu.cfs_quota_us", "cpu.max"].into_iter().find_map(read)
        });
        text.unwrap().split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(quota(&fixture), "10000", "500 permille of 20 ms before any call");
    sandbox.control.set_cpu_quota(true).unwrap();
    assert_eq!(quota(&fixture), "20000", "1000 permille of 20 ms");
    sandbox.control.set_cpu_quota(false).unwrap();
    assert!(["-1", "max"].contains(&&*quota(&fixture)));
    let (text, _) = finish(&sandbox);
    // The group itself is the namespace's root.
    assert!(text.lines().all(|line| line.ends_with(":/") || !line.contains("lambd")), "{text}");
}
