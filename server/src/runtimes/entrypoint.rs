//! Chooses the `bootstrap` to start, and has AWS's texts for when none can be started.

use std::fs;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// The program of an environment, chosen before the sandbox starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrypoint {
    program: PathBuf,
    /// All candidates, for the message, if none of them exists.
    missing: Option<Vec<String>>,
}

/// Why no program runs: AWS's error `Runtime.InvalidEntrypoint`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntrypoint {
    /// No candidate exists.
    #[error("Couldn't find valid bootstrap(s): [{}]", candidates.join(" "))]
    Missing {
        /// All candidates, as paths inside the sandbox.
        candidates: Vec<String>,
    },
    /// The kernel refused to run it: it is not executable, its interpreter does not exist (a script with CRLF
    /// line ends names such a one), or it is for another processor.
    #[error("fork/exec {}: {}", program.display(), reason(*errno))]
    Refused {
        /// The program, as a path inside the sandbox.
        program: PathBuf,
        /// The kernel's error number.
        errno: i32,
    },
}

impl InvalidEntrypoint {
    /// AWS's name of the error.
    pub const TYPE: &'static str = "Runtime.InvalidEntrypoint";
}

impl Entrypoint {
    /// Chooses the first candidate that exists. Those below `/var/task` and `/opt` are searched in the
    /// folders that the sandbox will show there; all others belong to the runtime and are not checked.
    ///
    /// The kernel decides inside the sandbox whether the program can be executed. If no candidate exists, the
    /// first is tried, so that its failure is handled like any other failed init.
    pub(super) fn choose(candidates: &[PathBuf], task: &Path, opt: Option<&Path>) -> Self {
        let there = |candidate: &&PathBuf| {
            if let Ok(rest) = candidate.strip_prefix("/var/task") {
                exists(&task.join(rest))
            } else if let Ok(rest) = candidate.strip_prefix("/opt") {
                opt.is_some_and(|opt| exists(&opt.join(rest)))
            } else {
                true
            }
        };
        match candidates.iter().find(there) {
            Some(program) => Self { program: program.clone(), missing: None },
            None => Self {
                program: candidates.first().cloned().unwrap_or_else(|| PathBuf::from("/var/task/bootstrap")),
                missing: Some(candidates.iter().map(|path| path.display().to_string()).collect()),
            },
        }
    }

    /// The program, as a path inside the sandbox.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The error for the kernel's refusal to run the program.
    pub fn refused(&self, errno: i32) -> InvalidEntrypoint {
        match &self.missing {
            Some(candidates) => InvalidEntrypoint::Missing { candidates: candidates.clone() },
            None => InvalidEntrypoint::Refused { program: self.program.clone(), errno },
        }
    }
}

/// The text for an error number in Go, which AWS's texts use: that of the C library in lower case.
pub fn reason(errno: i32) -> String {
    Errno::from_raw(errno).desc().to_lowercase()
}

/// A link counts as a program, because its target is known only inside the sandbox.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_program_that_exists_is_chosen() {
        let candidates = [PathBuf::from("/var/task/bootstrap"), PathBuf::from("/opt/bootstrap")];
        let missing = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
        for (in_task, in_opt, program, told) in [
            (true, true, "/var/task/bootstrap", "fork/exec /var/task/bootstrap: permission denied"),
            (false, true, "/opt/bootstrap", "fork/exec /opt/bootstrap: permission denied"),
            (false, false, "/var/task/bootstrap", missing),
        ] {
            let (task, opt) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            for (dir, there) in [(&task, in_task), (&opt, in_opt)] {
                if there {
                    fs::write(dir.path().join("bootstrap"), "").unwrap();
                }
            }
            let chosen = Entrypoint::choose(&candidates, task.path(), Some(opt.path()));
            assert_eq!(chosen.program(), Path::new(program));
            assert_eq!(chosen.refused(Errno::EACCES as i32).to_string(), told);
        }
    }

    #[test]
    fn a_folder_is_no_program_and_a_link_may_be_one() {
        let task = tempfile::tempdir().unwrap();
        let path = task.path().join("bootstrap");
        fs::create_dir(&path).unwrap();
        assert!(!exists(&path));
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/opt/elsewhere", &path).unwrap();
        assert!(exists(&path));
    }

    #[test]
    fn reasons_have_the_texts_of_aws() {
        for (errno, text) in [
            (Errno::EACCES, "permission denied"),
            (Errno::ENOENT, "no such file or directory"),
            (Errno::ENOEXEC, "exec format error"),
        ] {
            assert_eq!(reason(errno as i32), text);
        }
    }
}
