//! Starts and ends of sandboxes: whatever ends first, nothing is left.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use lambd_sandbox::{Bind, Exit, Sandbox, Shutdown, start};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{
    Fixture, children, ended, family, finish, guardian, line, lives, namespace, processes, spec, until,
};

#[test]
fn exit_codes_and_signals_are_reported() {
    let mut fixture = Fixture::new();
    for code in [0, 1, 42, 255] {
        assert_eq!(fixture.inside(&["exit", &code.to_string()]).1, Exit::Code(code));
    }
    for signal in [libc::SIGTERM, libc::SIGSEGV, libc::SIGPIPE, libc::SIGKILL, 40] {
        assert_eq!(fixture.inside(&["signal", &signal.to_string()]).1, Exit::Signal(signal));
    }
}

#[test]
fn a_program_that_cannot_run_is_reported_with_its_errno() {
    let mut fixture = Fixture::new();
    let code = fixture.dir.path().join("code");
    fs::create_dir(&code).unwrap();
    for (name, mode, content) in
        [("text", 0o755, "neither"), ("closed", 0o644, "#!/x"), ("orphan", 0o755, "#!/none\n")]
    {
        fs::write(code.join(name), content).unwrap();
        fs::set_permissions(code.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    for (name, errno) in
        [("none", libc::ENOENT), ("text", libc::ENOEXEC), ("closed", libc::EACCES), ("orphan", libc::ENOENT)]
    {
        let mut spec = spec(&[]);
        spec.binds = vec![Bind { source: code.clone(), target: "/var/task".into() }];
        spec.argv = vec![format!("/var/task/{name}").into_bytes()];
        assert_eq!(finish(&fixture.launch(&spec)), (String::new(), Exit::ExecFailed(errno)), "{name}");
    }
}

#[test]
fn daemons_end_with_the_program() {
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["daemons"]));
    // The output ends only when its last writer has ended.
    assert_eq!(finish(&sandbox), ("made\n".to_owned(), Exit::Code(0)));
    until("no process is left", || !lives(sandbox.pid));
}

#[test]
fn a_frozen_program_stops_and_a_thawed_one_continues() {
    let mut fixture = Fixture::new();
    let sandbox = fixture.launch(&spec(&["ticks"]));
    assert_eq!(line(&sandbox), "0");
    for _ in 0..3 {
        sandbox.control.freeze().unwrap();
        until("every process is frozen", || family(sandbox.pid).into_iter().all(is_frozen));
        let drain = || {
            let mut last = None;
            while nix::unistd::read(&sandbox.output, &mut [0; 4096]).is_ok_and(|n| n > 0) {
                last = Some(());
            }
            last
        };
        drain();
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_eq!(drain(), None, "it ticks while frozen");
        sandbox.control.thaw().unwrap();
        line(&sandbox);
    }
}

/// Whether version 1 or version 2 has frozen the process.
fn is_frozen(pid: i32) -> bool {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    groups.lines().any(|line| {
        let (controllers, path) =
            line.split_once(':').and_then(|(_, rest)| rest.split_once(':')).unwrap_or_default();
        let read = |file: String| fs::read_to_string(file).unwrap_or_default();
        match controllers {
            "freezer" => read(format!("/sys/fs/cgroup/freezer{path}/freezer.state")) == "FROZEN\n",
            "" => read(format!("/sys/fs/cgroup{path}/cgroup.events")).contains("frozen 1"),
            _ => false,
        }
    })
}

/// Everything that the host can see of a sandbox.
struct Traces {
    processes: Vec<i32>,
    network: PathBuf,
    /// Paths with their inodes, because a later sandbox may have the same path.
    groups: Vec<(PathBuf, u64)>,
}

impl Traces {
    fn of(fixture: &Fixture, sandbox: &Sandbox) -> Self {
        let name = sandbox.uid.to_string();
        let folders = fixture.groups().into_iter().map(|folder| folder.join(&name));
        let groups = folders.filter_map(|folder| Some((folder.clone(), inode(&folder)?))).collect::<Vec<_>>();
        let traces =
            Self { processes: family(sandbox.pid), network: namespace(sandbox.pid, "net").unwrap(), groups };
        assert!(
            traces.processes.len() >= 2 && !traces.groups.is_empty() && traces.left(),
            "nothing to look for"
        );
        traces
    }

    fn left(&self) -> bool {
        let network = Some(&self.network);
        let entered = processes().any(|pid| namespace(pid, "net").as_ref() == network);
        self.living() || entered || self.groups.iter().any(|(group, number)| inode(group) == Some(*number))
    }

    fn living(&self) -> bool {
        self.processes.iter().any(|pid| lives(*pid))
    }
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.ino())
}

fn loops() -> usize {
    let entries = fs::read_dir("/sys/block").unwrap().flatten();
    entries
        .filter(|entry| {
            let file = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
            file.contains("lambd-loops-")
        })
        .count()
}

#[test]
fn dropping_a_sandbox_removes_all_of_it() {
    let dir = tempfile::Builder::new().prefix("lambd-loops-").tempdir().unwrap();
    let mut fixture = Fixture::with(|config| {
        config.volumes_dir = dir.path().join("volumes");
        (config.volume_stock, config.blank_stock) = (0, 0);
    });
    for frozen in [false, true] {
        let sandbox = fixture.launch(&spec(&["pause"]));
        assert_eq!(line(&sandbox), "ready");
        assert!(loops() > 0, "its /tmp must be seen");
        let traces = Traces::of(&fixture, &sandbox);
        if frozen {
            sandbox.control.freeze().unwrap();
        }
        drop(sandbox);
        until("nothing is left", || !traces.left());
    }
    fixture.launcher.take().unwrap().shutdown(crate::support::WAIT_TIMEOUT);
    until("no image is left", || loops() == 0);
    assert_eq!(fs::read_dir(dir.path().join("volumes")).unwrap().count(), 1, "only the folder `stage`");
}

#[test]
fn the_end_of_the_api_process_ends_every_sandbox() {
    let mut fixture = Fixture::new();
    let sandboxes = [fixture.launch(&spec(&["pause"])), fixture.launch(&spec(&["daemons"]))];
    assert_eq!(line(&sandboxes[0]), "ready");
    sandboxes[0].control.freeze().unwrap();
    let traces = Traces::of(&fixture, &sandboxes[0]);
    assert_eq!(fixture.launcher.take().unwrap().shutdown(crate::support::WAIT_TIMEOUT), Shutdown::Complete);
    assert!(!traces.left() && fixture.groups().is_empty(), "shutdown waits until nothing is left");
    assert_eq!(ended(&sandboxes[0]), Exit::Gone);
}

/// Makes two sandboxes and freezes the second; then kills the launcher, with or without its guardian.
fn killed(fixture: &mut Fixture, with_guardian: bool) -> ([Sandbox; 2], Vec<Traces>) {
    let sandboxes = [fixture.launch(&spec(&["pause"])), fixture.launch(&spec(&["pause"]))];
    assert!(sandboxes.iter().all(|sandbox| line(sandbox) == "ready"));
    let traces = sandboxes.iter().map(|sandbox| Traces::of(fixture, sandbox)).collect();
    sandboxes[1].control.freeze().unwrap();
    until("the second one is frozen", || family(sandboxes[1].pid).into_iter().all(is_frozen));

    let launcher = fixture.launcher.take().unwrap().pid().cast_signed();
    let guardian = guardian(launcher.cast_unsigned());
    if with_guardian {
        // While the launcher is stopped it starts no new guardian.
        kill(Pid::from_raw(launcher), Signal::SIGSTOP).unwrap();
        kill(Pid::from_raw(guardian), Signal::SIGKILL).unwrap();
    }
    kill(Pid::from_raw(launcher), Signal::SIGKILL).unwrap();
    (sandboxes, traces)
}

#[test]
fn a_killed_launcher_leaves_nothing() {
    let mut fixture = Fixture::new();
    let (_sandboxes, traces) = killed(&mut fixture, false);
    until("nothing is left", || traces.iter().all(|traces| !traces.left()));
    until("no group is left", || fixture.groups().is_empty());

    fixture.launcher = Some(start(&fixture.config).unwrap());
    assert_eq!(fixture.inside(&["exit", "3"]).1, Exit::Code(3));
}

#[test]
fn the_next_start_sweeps_after_a_launcher_and_its_guardian_were_killed() {
    let mut fixture = Fixture::new();
    let (sandboxes, traces) = killed(&mut fixture, true);
    until("the running one is gone", || !traces[0].living());
    assert!(!fixture.groups().is_empty(), "the sweep must have something to do");
    // The other instance does not sweep these leftovers. On version 2 they have died.
    let mut other = Fixture::with(|config| config.uid_block_dir.clone_from(&fixture.config.uid_block_dir));
    if traces[1].living() {
        let uid = other.launch(&spec(&["pause"])).uid;
        assert_ne!(uid >> 12, sandboxes[1].uid >> 12, "the ids of what still lives were handed out");
    }

    fixture.launcher = Some(start(&fixture.config).unwrap());
    assert!(traces.iter().all(|traces| !traces.left()), "the start sweeps");
    assert_eq!(fixture.inside(&["exit", "3"]).1, Exit::Code(3));
}

#[test]
fn a_killed_guardian_is_replaced() {
    let mut fixture = Fixture::new();
    let launcher = fixture.launcher().pid();
    let first = guardian(launcher);
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
    until("there is another one", || guardian(launcher) != first);
}

#[test]
fn killed_blanks_make_no_launch_fail() {
    const BLANKS: usize = 3;
    let mut fixture = Fixture::with(|config| config.blank_stock = BLANKS);
    let launcher = fixture.launcher().pid();
    let blanks = || children(launcher, "lambd-init");
    for _ in 0..4 {
        until("the stock is full", || blanks().len() == BLANKS);
        // Stopped, so that the launcher cannot notice before the request comes.
        kill(Pid::from_raw(launcher.cast_signed()), Signal::SIGSTOP).unwrap();
        let killed = blanks();
        for blank in &killed {
            kill(Pid::from_raw(*blank), Signal::SIGKILL).unwrap();
        }
        until("all have ended", || !killed.iter().any(|blank| lives(*blank)));
        // The request is probably there first; it must be served in whatever order they come.
        let go_on = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            kill(Pid::from_raw(launcher.cast_signed()), Signal::SIGCONT).unwrap();
        });
        assert_eq!(fixture.inside(&["exit", "5"]).1, Exit::Code(5));
        go_on.join().unwrap();
    }
    until("the stock is full", || blanks().len() == BLANKS);
    // The launcher must also notice without a request.
    let killed = blanks();
    for blank in &killed {
        kill(Pid::from_raw(*blank), Signal::SIGKILL).unwrap();
    }
    until("others take their place", || {
        let now = blanks();
        now.len() == BLANKS && !now.iter().any(|blank| killed.contains(blank))
    });
}

#[test]
fn each_launcher_has_a_block_of_user_ids_of_its_own() {
    let (mut one, mut other) = (Fixture::new(), Fixture::new());
    let sandboxes = [one.launch(&spec(&["pause"])), other.launch(&spec(&["pause"]))];
    assert_ne!(sandboxes[0].uid >> 12, sandboxes[1].uid >> 12, "the blocks are the same");
}

#[test]
fn many_sandboxes_live_at_once_and_all_end() {
    let mut fixture = Fixture::new();
    let sandboxes: Vec<Sandbox> = (0..40).map(|_| fixture.launch(&spec(&["pause"]))).collect();
    let uids: std::collections::BTreeSet<u32> = sandboxes.iter().map(|sandbox| sandbox.uid).collect();
    assert_eq!(uids.len(), sandboxes.len());
    assert!(sandboxes.iter().all(|sandbox| line(sandbox) == "ready"));
    let traces: Vec<Traces> = sandboxes.iter().map(|sandbox| Traces::of(&fixture, sandbox)).collect();
    drop(sandboxes);
    until("all are gone", || traces.iter().all(|traces| !traces.left()));
}

#[test]
fn nothing_accumulates_in_the_launcher() {
    let mut fixture = Fixture::new();
    let launcher = fixture.launcher().pid();
    let open = || fs::read_dir(format!("/proc/{launcher}/fd")).unwrap().count();
    let children = || fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap();
    let count = || children().split_whitespace().count();
    drop(fixture.inside(&["exit", "0"]));
    let mut settled = None;
    until("the first one is gone", || {
        let now = (open(), count());
        settled.replace(now) == Some(now) && now.1 == 4
    });
    for _ in 0..100 {
        assert_eq!(fixture.inside(&["exit", "0"]).1, Exit::Code(0));
    }
    // As before there are the guardian, two makers and a blank sandbox; a volume of the last size may wait in
    // a maker's socket.
    until("it holds no more than after one", || count() == 4 && open() <= settled.unwrap().0 + 1);
}
