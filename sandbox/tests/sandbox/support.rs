//! A launcher for each test, a sandbox that runs `inside.c`, and the host's view of it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lambd_sandbox::{Bind, Exit, Launcher, LauncherConfig, Sandbox, Spec, SymlinkSpec, start};
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};

/// How long a test waits for a condition. It is generous, because nothing is measured by it.
pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

/// The folder with the compiled `inside`, shared by all tests. On a machine without a compiler,
/// `LAMBD_TEST_CODE` names a folder in which it is compiled already.
pub(crate) fn code() -> &'static Path {
    static CODE: OnceLock<PathBuf> = OnceLock::new();
    CODE.get_or_init(|| std::env::var_os("LAMBD_TEST_CODE").map_or_else(compile, PathBuf::from))
}

#[expect(clippy::disallowed_methods, reason = "the compiler of the test's own program")]
fn compile() -> PathBuf {
    assert!(nix::unistd::geteuid().is_root(), "these tests need root");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inside");
    fs::create_dir_all(&folder).unwrap();
    // From the checkout that is tested; it may share its target directory with the one that was compiled.
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let source = Path::new(&package).join("tests/sandbox/inside.c");
    // First under a name of its own, because another run may be executing the finished program.
    let fresh = folder.join(format!("inside-{}", std::process::id()));
    let status = Command::new("cc").args(["-O1", "-static", "-w", "-o"]).arg(&fresh).arg(source).status();
    assert!(status.expect("these tests need a C compiler, cc").success(), "cc failed");
    fs::rename(&fresh, folder.join("inside")).unwrap();
    folder
}

/// A mount namespace for the calling test's thread, whose mounts are all shared, as on a machine with
/// systemd. The host sees no mount made in it, and it ends with the thread.
pub(crate) struct SharedRoot;

impl SharedRoot {
    pub(crate) fn enter() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        for propagation in [MsFlags::MS_PRIVATE, MsFlags::MS_SHARED] {
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | propagation, none).unwrap();
            assert_ne!(
                namespace("thread-self", "mnt"),
                namespace("self", "mnt"),
                "not in a namespace of its own"
            );
        }
        Self
    }
}

/// Mounts a small tmpfs; only in a [`SharedRoot`].
pub(crate) fn mount_tmpfs(place: &Path) {
    assert_ne!(namespace("thread-self", "mnt"), namespace("self", "mnt"), "not in a namespace of its own");
    mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), Some("size=200m")).unwrap();
}

/// Makes and mounts an ext4 of 200 MiB, whose image is next to `place`; only in a [`SharedRoot`].
#[expect(clippy::disallowed_methods, reason = "the host's tools, for a disk of the test's own")]
pub(crate) fn mount_small_disk(place: &Path) {
    assert_ne!(namespace("thread-self", "mnt"), namespace("self", "mnt"), "not in a namespace of its own");
    let image = place.with_extension("image");
    fs::create_dir_all(place).unwrap();
    File::create(&image).unwrap().set_len(200 << 20).unwrap();
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("mke2fs").args(["-q", "-t", "ext4", "-m", "0"]).arg(&image));
    run(Command::new("mount").args(["-o", "loop"]).args([&image, place]));
}

/// A launcher with its own folders.
pub(crate) struct Fixture {
    pub(crate) launcher: Option<Launcher>,
    pub(crate) config: LauncherConfig,
    pub(crate) dir: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut LauncherConfig)) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::tempdir().unwrap();
        let mut config = LauncherConfig::new(name, dir.path().join("volumes"), shared_uids());
        config.allowed_sources = vec![code().to_owned(), "/usr".into(), dir.path().to_owned()];
        config.volume_stock = 1;
        config.blank_stock = 1;
        config.exe = Some(env!("CARGO_BIN_EXE_lambd-launcher").into());
        change(&mut config);
        Self { launcher: Some(start(&config).unwrap()), config, dir }
    }

    pub(crate) fn launcher(&mut self) -> &mut Launcher {
        self.launcher.as_mut().unwrap()
    }

    pub(crate) fn launch(&mut self, spec: &Spec) -> Sandbox {
        let sandbox = self.launcher().launch(spec).unwrap();
        // A small share of CPU makes the start of a program slow; another test covers the limit itself.
        sandbox.control.set_cpu_quota(false).unwrap();
        sandbox
    }

    /// Runs `inside` to its end.
    pub(crate) fn inside(&mut self, argv: &[&str]) -> (String, Exit) {
        let sandbox = self.launch(&spec(argv));
        finish(&sandbox)
    }

    /// The groups of this instance on the host, in all hierarchies.
    pub(crate) fn groups(&self) -> BTreeSet<PathBuf> {
        let name = format!("lambd-{}", self.config.instance);
        let mut found = BTreeSet::new();
        find_folders(Path::new("/sys/fs/cgroup"), &name, 6, &mut found);
        found
    }
}

fn shared_uids() -> PathBuf {
    std::env::temp_dir().join("lambd-test-uids")
}

fn find_folders(folder: &Path, name: &str, depth: u32, found: &mut BTreeSet<PathBuf>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name() == name {
                found.insert(entry.path());
            }
            find_folders(&entry.path(), name, depth, found);
        }
    }
}

/// A sandbox that runs `inside` with these arguments.
pub(crate) fn spec(argv: &[&str]) -> Spec {
    let mut all = vec![b"/var/task/inside".to_vec()];
    all.extend(argv.iter().map(|text| text.as_bytes().to_vec()));
    Spec {
        id: "7e57".into(),
        binds: vec![Bind { source: code().into(), target: "/var/task".into() }],
        argv: all,
        cwd: "/var/task".into(),
        hostname: "inside.test".into(),
        memory_mib: 128,
        cpu_quota_permille: 1000,
        cpu_init_permille: 1000,
        tmp_mib: 64,
        processes_max: 1024,
        ..Spec::default()
    }
}

/// A sandbox with the host's programs that runs a shell script.
pub(crate) fn shell(script: &str) -> Spec {
    let link = |link: &str, to: &str| SymlinkSpec { link: link.into(), to: to.into() };
    let mut spec = spec(&[]);
    spec.binds.push(Bind { source: "/usr".into(), target: "/usr".into() });
    spec.symlinks = vec![link("/bin", "usr/bin"), link("/lib", "usr/lib"), link("/lib64", "usr/lib64")];
    spec.argv = vec![b"/bin/sh".to_vec(), b"-c".to_vec(), script.into()];
    spec.env = vec![b"PATH=/usr/bin".to_vec()];
    spec
}

/// Reads everything that the program writes, and waits for its end.
pub(crate) fn finish(sandbox: &Sandbox) -> (String, Exit) {
    let mut text = Vec::new();
    let mut output = File::from(sandbox.output.try_clone().unwrap());
    loop {
        let mut fds = [PollFd::new(sandbox.output.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(WAIT_TIMEOUT).unwrap();
        assert_ne!(poll(&mut fds, timeout).unwrap(), 0, "silent, after {}", String::from_utf8_lossy(&text));
        let mut buffer = [0; 4096];
        match output.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    (String::from_utf8(text).unwrap(), ended(sandbox))
}

/// Waits for the program's end.
pub(crate) fn ended(sandbox: &Sandbox) -> Exit {
    let mut fds = [PollFd::new(sandbox.exit.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, PollTimeout::try_from(WAIT_TIMEOUT).unwrap()).unwrap(), 1, "no end");
    sandbox.exit.read().unwrap().unwrap()
}

/// Reads one line of output.
pub(crate) fn line(sandbox: &Sandbox) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    let mut output = File::from(sandbox.output.try_clone().unwrap());
    loop {
        let mut fds = [PollFd::new(sandbox.output.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, PollTimeout::try_from(WAIT_TIMEOUT).unwrap()).unwrap(), 1, "silent");
        assert_eq!(output.read(&mut byte).unwrap(), 1, "ended");
        match byte[0] {
            b'\n' => return text,
            other => text.push(other.into()),
        }
    }
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "timed out; waited until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A namespace of a process, as in `/proc/PID/ns`.
pub(crate) fn namespace(pid: impl std::fmt::Display, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// The living children of the launcher that have this name.
pub(crate) fn children(launcher: u32, name: &str) -> Vec<i32> {
    let of_that_name = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end() == name && lives(*pid)
    };
    let children =
        fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap_or_default();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).filter(of_that_name).collect()
}

/// The guardian. It takes its name soon after the launcher's start, so this waits for it.
pub(crate) fn guardian(launcher: u32) -> i32 {
    let mut found = None;
    until("there is a guardian", || {
        found = children(launcher, "lambd-guardian").first().copied();
        found.is_some()
    });
    found.unwrap()
}

/// The processes of the host in the pid namespace of `pid`.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let own = namespace(pid, "pid");
    assert!(own.is_some() && own != namespace("self", "pid"), "{pid} is in no namespace of its own");
    processes().filter(|other| namespace(other, "pid") == own).collect()
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process lives; a zombie does not.
pub(crate) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}
