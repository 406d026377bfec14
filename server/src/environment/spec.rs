//! Makes the launcher's order from a version and its runtime.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use lambd_auth::SessionCredentials;
use lambd_sandbox::{Bind, FileSpec, Spec, SymlinkSpec};

use super::EnvironmentStart;
use super::variables::variables;
use crate::runtimes::{Entrypoint, File, HOSTNAME, Symlink};

/// Processes and threads that one environment may have [fact:process-count].
const PROCESSES_MAX: u32 = 1024;
/// Memory for which a function gets one whole CPU, MiB [fact:cpu-share].
const MIB_PER_CPU: u64 = 1769;
/// CPU of a first init for any amount of memory, thousandths of one CPU; AWS also gives functions more than
/// their share at their start. Runtimes start with one thread, so more than one CPU would be of no use.
const BOOST_PERMILLE: u32 = 1000;

pub(super) fn build(
    start: &EnvironmentStart<'_>,
    entrypoint: &Entrypoint,
    id: &str,
    log_stream: &str,
    keys: &SessionCredentials,
    root: &Path,
) -> Spec {
    let (version, runtime, code) = (&*start.version, start.runtime, &*start.package.code_dir);
    let config = &version.configuration;
    let share = cpu_permille(config.memory_mib);
    // A relative source is in the data directory; an absolute one is used as it is.
    let bind = |source: &Path, target: &Path| Bind {
        source: root.join(source.strip_prefix(".").unwrap_or(source)),
        target: target.to_owned(),
    };
    let mut binds: Vec<Bind> = runtime.binds().iter().map(|b| bind(&b.source, &b.target)).collect();
    binds.push(bind(code, Path::new("/var/task")));
    binds.extend(start.layers.as_ref().map(|layers| bind(&layers.code_dir, Path::new("/opt"))));
    let file = |f: &File| FileSpec { path: f.path.clone(), mode: f.mode, content: f.content.clone() };
    let link = |link: &Symlink| SymlinkSpec { link: link.path.clone(), to: link.points_to.clone() };
    Spec {
        id: id.to_owned(),
        binds,
        files: runtime.files().iter().map(file).collect(),
        symlinks: runtime.symlinks().iter().map(link).collect(),
        argv: vec![entrypoint.program().as_os_str().as_bytes().to_vec()],
        env: variables(version, runtime.variables(), log_stream, start.initialization, keys),
        cwd: PathBuf::from("/var/task"),
        hostname: HOSTNAME.to_owned(),
        memory_mib: config.memory_mib,
        cpu_quota_permille: share,
        cpu_init_permille: if start.initialization.is_boosted() { share.max(BOOST_PERMILLE) } else { share },
        tmp_mib: config.ephemeral_mib,
        processes_max: PROCESSES_MAX,
    }
}

/// CPU in proportion to memory, thousandths of one CPU.
fn cpu_permille(memory_mib: u32) -> u32 {
    u32::try_from(u64::from(memory_mib) * 1000 / MIB_PER_CPU).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_in_proportion_to_memory() {
        for (mib, permille) in [(128, 72), (1769, 1000), (10_240, 5788)] {
            assert_eq!(cpu_permille(mib), permille);
        }
    }
}
