//! What the host shows of a server: its processes and what they use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Start time of a process in clock ticks after boot. Together with a pid it identifies the process.
type Start = u64;

fn read(pid: i32, file: &str) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

fn namespace(pid: i32, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// Fields of `/proc/PID/stat` after the name: state, parent, …; empty if the process has ended.
fn stat(pid: i32) -> Vec<String> {
    let text = String::from_utf8_lossy(&read(pid, "stat")).into_owned();
    let rest = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    rest.split_whitespace().map(str::to_owned).collect()
}

/// The start time; `None` if the process has ended or is a zombie.
fn start(pid: i32) -> Option<Start> {
    let stat = stat(pid);
    let alive = stat.first().is_some_and(|state| state != "Z" && state != "X");
    if alive { stat.get(19)?.parse().ok() } else { None }
}

/// Every process of the machine.
#[must_use]
pub fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

/// `root` and its descendants.
#[must_use]
pub fn tree(root: i32) -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in pids() {
        if let Some(parent) = stat(pid).get(1).and_then(|p| p.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (BTreeSet::new(), vec![root]);
    while let Some(pid) = next.pop() {
        if found.insert(pid) {
            next.extend(children.remove(&pid).unwrap_or_default());
        }
    }
    found
}

/// The living processes that `parent` started.
#[must_use]
pub fn children(parent: i32) -> Vec<i32> {
    let own = |pid: &i32| stat(*pid).get(1).and_then(|p| p.parse().ok()) == Some(parent);
    pids().into_iter().filter(own).collect()
}

/// Processes with `mark` in their environment.
#[must_use]
pub fn marked(mark: &str) -> Vec<i32> {
    let has = |pid: &i32| read(*pid, "environ").windows(mark.len()).any(|w| w == mark.as_bytes());
    pids().into_iter().filter(has).collect()
}

/// The name of a process's program; empty if the process has ended.
#[must_use]
pub fn comm(pid: i32) -> String {
    String::from_utf8_lossy(&read(pid, "comm")).trim_end().to_owned()
}

/// Bootstrap processes with `mark` that hold an invocation (the event `{"do":"hold"}`).
#[must_use]
pub fn held(mark: &str) -> Vec<i32> {
    marked(mark).into_iter().filter(|pid| comm(*pid) == "held").collect()
}

/// Makes these held processes continue.
///
/// # Errors
/// If one cannot be signalled.
pub fn release(pids: &[i32]) -> Result<()> {
    for pid in pids {
        kill(Pid::from_raw(*pid), Signal::SIGUSR1).with_context(|| format!("releasing {pid}"))?;
    }
    Ok(())
}

/// Resident bytes of the server's own processes: its process tree without other pid namespaces.
#[must_use]
pub fn resident_bytes(root: i32) -> u64 {
    own_processes(root).into_iter().map(|pid| kib(pid, "status", "VmRSS:") * 1024).sum()
}

/// The same, but a page that several processes share counts once.
#[must_use]
pub fn proportional_bytes(root: i32) -> u64 {
    own_processes(root).into_iter().map(|pid| kib(pid, "smaps_rollup", "Pss:") * 1024).sum()
}

/// CPU time of the server's own processes since they started, with that of ended threads, in steps of 10 ms.
#[must_use]
pub fn cpu_time(root: i32) -> Duration {
    /// The unit of `/proc`, which does not depend on the kernel's own tick.
    const TICK: Duration = Duration::from_millis(10);
    let ticks =
        |pid: i32| stat(pid).get(11..13)?.iter().map(|ticks| ticks.parse::<u32>().ok()).sum::<Option<u32>>();
    own_processes(root).into_iter().filter_map(ticks).map(|ticks| TICK * ticks).sum()
}

fn own_processes(root: i32) -> Vec<i32> {
    let host = namespace(std::process::id().cast_signed(), "pid");
    tree(root).into_iter().filter(|pid| namespace(*pid, "pid") == host).collect()
}

fn kib(pid: i32, file: &str, field: &str) -> u64 {
    let text = String::from_utf8_lossy(&read(pid, file)).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Traces of a living server on the host.
#[derive(Debug)]
pub struct Footprint {
    processes: BTreeMap<i32, Start>,
    /// Paths with their inodes, because the next server's groups have the same names.
    groups: BTreeMap<PathBuf, u64>,
    /// The folders of these groups, without mount points and folders that the host had before.
    parents: BTreeSet<PathBuf>,
    networks: BTreeSet<PathBuf>,
    data_dir: PathBuf,
}

impl Footprint {
    /// The traces of the server `root` with this data directory, and of environments with `mark`.
    #[must_use]
    pub fn of(root: i32, data_dir: &Path, mark: &str) -> Self {
        let own = std::process::id().cast_signed();
        let mut all = tree(root);
        all.extend(marked(mark));
        let spaces: BTreeSet<_> = all.iter().filter_map(|pid| namespace(*pid, "pid")).collect();
        let host = namespace(own, "pid");
        let inside = |pid: &i32| {
            namespace(*pid, "pid").is_some_and(|n| Some(&n) != host.as_ref() && spaces.contains(&n))
        };
        let environments: Vec<_> = pids().into_iter().filter(inside).collect();
        all.extend(&environments);
        let outside = [own, root].into_iter().filter(|pid| namespace(*pid, "pid") == host);
        let base: BTreeSet<_> = outside.flat_map(groups).collect();
        let groups: BTreeMap<_, _> = environments
            .iter()
            .flat_map(|pid| groups(*pid))
            .filter(|group| !base.contains(group))
            .filter_map(|group| Some((group.clone(), inode(&group)?)))
            .collect();
        let parents = groups.keys().filter_map(|group| Some(group.parent()?.to_owned()));
        let had =
            |parent: &PathBuf| mount_points().contains(parent) || base.iter().any(|b| b.starts_with(parent));
        Self {
            processes: all.iter().filter_map(|pid| Some((*pid, start(*pid)?))).collect(),
            parents: parents.filter(|parent| !had(parent)).collect(),
            groups,
            networks: environments
                .iter()
                .filter_map(|pid| namespace(*pid, "net"))
                .filter(|n| Some(n) != namespace(own, "net").as_ref())
                .collect(),
            data_dir: data_dir.to_owned(),
        }
    }

    /// Numbers of processes, control groups and network namespaces. A test checks that it has found some.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.processes.len(), self.groups.len(), self.networks.len())
    }

    /// Its processes and control groups that still exist. Another server may already run on the same data
    /// directory.
    #[must_use]
    pub fn alive(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (pid, began) in &self.processes {
            if start(*pid) == Some(*began) {
                left.push(format!("process {pid} {:?}", String::from_utf8_lossy(&read(*pid, "cmdline"))));
            }
        }
        let groups = self.groups.iter().filter(|(group, was)| inode(group) == Some(**was));
        left.extend(groups.map(|(group, _)| format!("control group {}", group.display())));
        left
    }

    /// Like [`Footprint::alive`], and also what would outlive the processes: mounts, those of its network
    /// namespaces included, loop devices and the folders of its control groups. No server may run on its data
    /// directory.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        let mut left = self.alive();
        let dir = self.data_dir.to_string_lossy();
        let kept = |line: &str| self.networks.iter().any(|n| line.split(' ').nth(3) == n.to_str());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        left.extend(mounts.lines().filter(|l| l.contains(&*dir) || kept(l)).map(|l| format!("mount {l}")));
        left.extend(loops(&dir));
        let parents = self.parents.iter().filter(|parent| parent.is_dir());
        left.extend(parents.map(|parent| format!("control group {}", parent.display())));
        left
    }
}

fn mount_points() -> BTreeSet<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from).collect()
}

fn inode(path: &Path) -> Option<u64> {
    Some(fs::metadata(path).ok()?.ino())
}

fn loops(dir: &str) -> Vec<String> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let backing = devices.filter_map(|d| fs::read_to_string(d.path().join("loop/backing_file")).ok());
    backing.filter(|file| file.contains(dir)).map(|file| format!("loop device of {}", file.trim())).collect()
}

/// Control group folders of the process in every hierarchy, without the top ones.
fn groups(pid: i32) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut tops = BTreeMap::new();
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let (mut kind, at) = (right.split(' '), left.split(' ').nth(4).unwrap_or_default());
        match (kind.next(), kind.nth(1)) {
            (Some("cgroup2"), _) => {
                tops.insert(String::new(), at.to_owned());
            }
            (Some("cgroup"), Some(options)) => {
                tops.extend(options.split(',').map(|option| (option.to_owned(), at.to_owned())));
            }
            _ => {}
        }
    }
    let memberships = String::from_utf8_lossy(&read(pid, "cgroup")).into_owned();
    let folder = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (names, path) = (parts.next()?, parts.next()?);
        let top = tops.get(names.split(',').next()?)?;
        (path != "/").then(|| PathBuf::from(format!("{top}{path}")))
    };
    memberships.lines().filter_map(folder).collect()
}
