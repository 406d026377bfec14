//! The checks of `lambd doctor`. Most read a text of the kernel and judge it in a function of its own.

use std::fs;
use std::path::Path;

use lambd_sandbox::{KERNEL_MIN, kernel_suffices};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use crate::cli;
use crate::cli::folder::Folder;
use crate::cli::serve::{DatabaseKind, data_dir};
use crate::config::{Config, Ids};
use crate::runtimes::Catalog;

/// Controllers that limit an environment, with control groups version 1.
const CONTROLLERS_V1: [&str; 4] = ["memory", "cpu", "pids", "freezer"];
const CONTROLLERS_V2: [&str; 3] = ["memory", "cpu", "pids"];
/// Namespaces that an environment has.
const NAMESPACES: [&str; 6] = ["pid", "mnt", "net", "ipc", "uts", "cgroup"];
/// Enough descriptors for a thousand environments.
const OPEN_FILES_MIN: u64 = 16_384;
/// Free space below which packages and volumes soon cannot be written.
const FREE_MIB_MIN: u64 = 2048;

/// One check and its result.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) found: Finding,
}

/// The result of a check; its text is a detail, or the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Ok(String),
    /// Something is not as it should be, but the server works.
    Note(String),
    /// The server does not work without it.
    Missing(String),
}

/// All checks, in the order in which an operator would fix their findings.
pub(super) fn all(config: &Config, database: &DatabaseKind) -> Vec<Check> {
    let check = |what, found| Check { what, found };
    vec![
        check("root", root(geteuid().is_root())),
        check("kernel", kernel(&read("/proc/sys/kernel/osrelease"))),
        check("core dumps", core_pattern(&read("/proc/sys/kernel/core_pattern"))),
        check("namespaces", namespaces(|name| Path::new("/proc/self/ns").join(name).exists())),
        check("seccomp", seccomp(&read("/proc/sys/kernel/seccomp/actions_avail"))),
        check("control groups", control_groups(&read("/proc/self/mounts"), read)),
        check("loop devices", loop_devices(Path::new("/dev/loop-control").exists())),
        check("mke2fs", mke2fs(&["/usr/sbin", "/sbin", "/usr/bin", "/bin"])),
        check("open files", open_files(getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(_, hard)| hard))),
        check("disk", disk(&config.data_dir)),
        check("data directory", data_directory(config, database)),
        check("account", account(&config.user)),
        check("runtimes", runtimes(&config.data_dir)),
    ]
}

/// A file of the kernel; an absent one reads as empty.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn root(is_root: bool) -> Finding {
    if is_root {
        return Finding::Ok("yes; the API process drops its privileges".to_owned());
    }
    Finding::Missing(
        "run as root (sudo lambd …): the launcher makes namespaces, mounts and groups".to_owned(),
    )
}

fn kernel(release: &str) -> Finding {
    let release = release.trim();
    if kernel_suffices(release) {
        return Finding::Ok(release.to_owned());
    }
    let (major, minor) = KERNEL_MIN;
    Finding::Missing(format!("this is Linux {release}; install {major}.{minor} or newer (mount_setattr)"))
}

/// Functions make no core dumps, because their limit refuses pipes, too. Other programs of the machine may.
fn core_pattern(pattern: &str) -> Finding {
    let pattern = pattern.trim();
    if pattern.starts_with('|') || pattern.starts_with('@') {
        return Finding::Note(format!(
            "crashes on this machine start or call a program ({pattern}); functions cannot: their limit of core \
             files (1) refuses that, and they cannot change it"
        ));
    }
    Finding::Ok(pattern.to_owned())
}

fn namespaces(exists: impl Fn(&str) -> bool) -> Finding {
    let absent: Vec<_> = NAMESPACES.into_iter().filter(|name| !exists(name)).collect();
    if absent.is_empty() {
        return Finding::Ok(NAMESPACES.join(" "));
    }
    Finding::Missing(format!("use a kernel built with CONFIG_NAMESPACES and: {}", absent.join(" ")))
}

fn seccomp(actions: &str) -> Finding {
    let has = |wanted: &str| actions.split_whitespace().any(|action| action == wanted);
    if has("kill_process") && has("errno") {
        return Finding::Ok(actions.trim().to_owned());
    }
    Finding::Missing("use a kernel built with CONFIG_SECCOMP_FILTER".to_owned())
}

/// Version 2 if its hierarchy has the controllers, else version 1.
fn control_groups(mounts: &str, read: impl Fn(String) -> String) -> Finding {
    let mounted = |kind: &str| {
        let kind = kind.to_owned();
        mounts.lines().filter_map(move |line| {
            let mut fields = line.split(' ').skip(1);
            let (at, found, options) = (fields.next()?, fields.next()?, fields.next()?);
            (found == kind).then_some((at, options))
        })
    };
    if let Some((at, _)) = mounted("cgroup2").next() {
        let offered = read(format!("{at}/cgroup.controllers"));
        let has = |name: &&str| offered.split_whitespace().any(|offered| offered == *name);
        if CONTROLLERS_V2.iter().all(has) {
            return Finding::Ok(format!("version 2 at {at}"));
        }
    }
    let has = |name: &&str| mounted("cgroup").any(|(_, options)| options.split(',').any(|o| o == *name));
    let absent: Vec<_> = CONTROLLERS_V1.into_iter().filter(|name| !has(name)).collect();
    if absent.is_empty() {
        return Finding::Ok(format!("version 1: {}", CONTROLLERS_V1.join(" ")));
    }
    Finding::Missing(format!(
        "mount them (mount -t cgroup2 none /sys/fs/cgroup, or version 1 with {})",
        absent.join(" ")
    ))
}

fn loop_devices(there: bool) -> Finding {
    if there {
        return Finding::Ok("/dev/loop-control".to_owned());
    }
    Finding::Missing("load the module: modprobe loop (for /tmp of the configured size)".to_owned())
}

fn mke2fs(folders: &[&str]) -> Finding {
    let there = folders.iter().map(|folder| Path::new(folder).join("mke2fs")).find(|path| path.exists());
    match there {
        Some(path) => Finding::Ok(path.display().to_string()),
        None => Finding::Missing("install it (Debian: apt-get install e2fsprogs)".to_owned()),
    }
}

fn open_files(hard_limit: u64) -> Finding {
    if hard_limit >= OPEN_FILES_MIN {
        return Finding::Ok(format!("up to {hard_limit}"));
    }
    Finding::Note(format!(
        "the hard limit is {hard_limit}; raise it to {OPEN_FILES_MIN} or more (ulimit -Hn, LimitNOFILE=) to run many environments"
    ))
}

/// The file system of the data directory, or of the nearest folder above it that exists.
fn disk(data_dir: &Path) -> Finding {
    let Some((at, stat)) = data_dir.ancestors().find_map(|path| Some((path, statvfs(path).ok()?))) else {
        return Finding::Missing(format!("cannot read the file system of {}", data_dir.display()));
    };
    let free_mib = stat.blocks_available().saturating_mul(stat.fragment_size()) / (1024 * 1024);
    if free_mib >= FREE_MIB_MIN {
        return Finding::Ok(format!("{free_mib} MiB free at {}", at.display()));
    }
    Finding::Note(format!(
        "only {free_mib} MiB free at {}; make room, or choose another --data-dir",
        at.display()
    ))
}

fn account(user: &str) -> Finding {
    match Ids::of(user) {
        Ok(Some(ids)) => Finding::Ok(format!("{user}, uid {}", ids.uid)),
        Ok(None) => Finding::Note(format!(
            "there is no user {user}; an unused uid is used: make it with systemd-sysusers or useradd --system {user}"
        )),
        Err(error) => Finding::Missing(format!("the account database cannot be read ({error})")),
    }
}

/// Whether `lambd serve` would accept the data directory, as far as it can be seen without opening the database.
fn data_directory(config: &Config, database: &DatabaseKind) -> Finding {
    let path = &config.data_dir;
    let judged = Folder::open(path).and_then(|folder| match folder {
        None => Ok(format!("{} does not exist yet; lambd serve makes it", path.display())),
        Some(folder) => {
            folder.is_roots_alone()?;
            data_dir::judge(&folder, database, config, path).map(|_| path.display().to_string())
        }
    });
    judged.map_or_else(|error| Finding::Missing(format!("{error:#}")), Finding::Ok)
}

fn runtimes(data_dir: &Path) -> Finding {
    let catalog = Catalog::new(data_dir);
    let identifiers = match catalog.identifiers() {
        Ok(identifiers) => identifiers,
        Err(error) => return Finding::Note(cli::one_line(&error.into())),
    };
    let found: Result<Vec<_>, _> = identifiers.iter().map(|identifier| catalog.find(identifier)).collect();
    match found.map(|all| all.into_iter().flatten().count()) {
        Err(error) => Finding::Note(cli::one_line(&error.into())),
        Ok(0) => Finding::Note(format!(
            "none in {}: install some with lambd runtime install provided.al2023 python3.11 …",
            data_dir.display()
        )),
        Ok(count) => Finding::Ok(format!("{count} installed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn is_ok(found: &Finding) -> bool {
        matches!(found, Finding::Ok(_))
    }

    #[test]
    fn a_kernel_must_be_new_enough() {
        for (release, right) in [
            ("6.18.44-fc-v657\n", true),
            ("5.12.0", true),
            ("5.11.22", false),
            ("4.19.0-27-amd64", false),
            ("", false),
        ] {
            assert_eq!(is_ok(&kernel(release)), right, "{release}");
        }
    }

    #[test]
    fn a_pattern_that_starts_a_program_is_worth_a_note() {
        for (pattern, ok) in [("core\n", true), ("/var/crash/%p", true), ("", true)] {
            assert_eq!(is_ok(&core_pattern(pattern)), ok, "{pattern}");
        }
        for pattern in ["|/usr/lib/systemd/systemd-coredump %P\n", "@/run/coredump.socket"] {
            let Finding::Note(text) = core_pattern(pattern) else { panic!("{pattern} is worth a note") };
            assert!(text.contains(pattern.trim()), "{text}");
        }
    }

    #[test]
    fn either_version_of_control_groups_must_have_its_controllers() {
        let v1 = "cgroup /c/cpu cgroup rw,relatime,cpu,cpuacct 0 0\ncgroup /c/memory cgroup rw,memory 0 0\n\
                  cgroup /c/pids cgroup rw,pids 0 0\ncgroup /c/freezer cgroup rw,freezer 0 0\n";
        let both = format!("cgroup2 /c/unified cgroup2 rw 0 0\n{v1}");
        for (mounts, offered, expect) in [
            ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "cpuset cpu io memory pids\n", Some("version 2")),
            ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "cpuset cpu\n", None),
            (v1, "", Some("version 1")),
            (&both, "", Some("version 1")),
            (&v1.replace("memory", "blkio"), "", None),
            ("", "", None),
        ] {
            let found = control_groups(mounts, |path| {
                assert!(path.ends_with("/cgroup.controllers"));
                offered.to_owned()
            });
            match expect {
                Some(start) => {
                    assert!(matches!(&found, Finding::Ok(text) if text.starts_with(start)), "{found:?}")
                }
                None => assert!(matches!(found, Finding::Missing(_)), "{mounts}"),
            }
        }
    }

    #[test]
    fn a_data_directory_is_judged_as_serve_does() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseKind {
            refuse_at_first_sight: |path| {
                anyhow::ensure!(!path.join("db").exists(), "it is another database");
                Ok(())
            },
            open: |_, _| anyhow::bail!("it is not opened"),
        };
        let data_directory = |path: &Path| {
            let settings = Settings { data_dir: Some(path.to_owned()), ..Settings::default() };
            data_directory(&settings.into_config(), &database)
        };
        assert!(is_ok(&data_directory(&folder.path().join("not/yet/made"))));
        assert_eq!(is_ok(&data_directory(folder.path())), geteuid().is_root());
        fs::create_dir(folder.path().join("db")).unwrap();
        assert!(!is_ok(&data_directory(folder.path())));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(matches!(data_directory(&link), Finding::Missing(text) if text.contains("symbolic link")));
    }

    #[test]
    fn what_is_missing_comes_with_its_remedy() {
        assert!(is_ok(&namespaces(|_| true)));
        let Finding::Missing(remedy) = namespaces(|name| name != "net") else { panic!("net is missing") };
        assert!(remedy.ends_with(": net"), "{remedy}");
        assert!(is_ok(&seccomp("kill_process kill_thread trap errno trace log allow\n")));
        assert!(!is_ok(&seccomp("")));
        assert!(!is_ok(&mke2fs(&["/no/such/folder"])));
        assert!(!is_ok(&open_files(1024)) && is_ok(&open_files(1_048_576)));
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_ok(&runtimes(folder.path())));
        fs::create_dir_all(folder.path().join("runtimes/python3.11")).unwrap();
        fs::create_dir_all(folder.path().join("runtimes/half-made")).unwrap();
        let manifest = folder.path().join("runtimes/python3.11/runtime.toml");
        fs::write(&manifest, "identifier = 'python3.11'\nroot = 'host'\nbootstrap = ['/x']\n").unwrap();
        assert_eq!(runtimes(folder.path()), Finding::Ok("1 installed".to_owned()));
        fs::write(&manifest, "").unwrap();
        assert!(
            matches!(runtimes(folder.path()), Finding::Note(text) if text.contains("no runtime manifest"))
        );
        assert!(!matches!(disk(&folder.path().join("not/yet/made")), Finding::Missing(_)));
    }
}
