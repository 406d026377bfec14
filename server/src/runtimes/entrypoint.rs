//! Which `bootstrap` is started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// No candidate is an executable file: AWS's error `Runtime.InvalidEntrypoint`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Couldn't find valid bootstrap(s): [{}]", candidates.join(" "))]
pub struct InvalidEntrypoint {
    candidates: Vec<String>,
}

impl InvalidEntrypoint {
    /// AWS's name of the error.
    pub const TYPE: &'static str = "Runtime.InvalidEntrypoint";
}

/// The first candidate that can be executed; those below `/var/task` and `/opt` are looked up in
/// the folders that will be shown there, all others are the runtime's own and taken as they are.
///
/// A link counts as executable: where it leads is only known inside the sandbox.
pub(super) fn choose<'a>(
    candidates: &'a [PathBuf],
    task: &Path,
    opt: Option<&Path>,
) -> Result<&'a Path, InvalidEntrypoint> {
    let usable = |candidate: &&PathBuf| {
        if let Ok(rest) = candidate.strip_prefix("/var/task") {
            executable(&task.join(rest))
        } else if let Ok(rest) = candidate.strip_prefix("/opt") {
            opt.is_some_and(|opt| executable(&opt.join(rest)))
        } else {
            true
        }
    };
    candidates.iter().find(usable).map(PathBuf::as_path).ok_or_else(|| InvalidEntrypoint {
        candidates: candidates.iter().map(|candidate| candidate.display().to_string()).collect(),
    })
}

/// Executable for the sandbox's user, who neither owns the file nor is in its group.
fn executable(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|meta| meta.is_symlink() || meta.is_file() && meta.permissions().mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_modes() {
        let candidates = [PathBuf::from("/var/task/bootstrap"), PathBuf::from("/opt/bootstrap")];
        for (task_mode, opt_mode, want) in [
            (Some(0o755), Some(0o755), Some("/var/task/bootstrap")),
            (Some(0o644), Some(0o755), Some("/opt/bootstrap")),
            (None, Some(0o755), Some("/opt/bootstrap")),
            (Some(0o750), None, None),
            (None, None, None),
        ] {
            let (task, opt) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            for (dir, mode) in [(&task, task_mode), (&opt, opt_mode)] {
                let Some(mode) = mode else { continue };
                let path = dir.path().join("bootstrap");
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            let got = choose(&candidates, task.path(), Some(opt.path()));
            assert_eq!(got.as_ref().ok().copied(), want.map(Path::new), "{task_mode:?} {opt_mode:?}");
            if let Err(error) = got {
                let want = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
                assert_eq!(error.to_string(), want);
            }
        }
    }
}
