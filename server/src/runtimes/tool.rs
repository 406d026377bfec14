//! Starts the programs that an installation needs: interpreters, pip, npm, apt-get.
//!
//! They run with the operator's environment (proxies, settings of registries), without a terminal and without
//! a time limit, because the operator can interrupt them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::RuntimeError;

/// Lines of a failed program's output that an error shows.
const SHOWN_LINES_MAX: usize = 20;

/// Variables that would make an interpreter or installer use other places than ordered.
const DROPPED: [&str; 6] =
    ["NODE_OPTIONS", "NODE_PATH", "PIP_PREFIX", "PIP_TARGET", "PYTHONHOME", "PYTHONPATH"];

/// Variables for every program: no questions, and no installation for one user.
const SET: [(&str, &str); 4] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_ROOT_USER_ACTION", "ignore"),
    ("PIP_USER", "0"),
];

/// A program that is to be run.
#[derive(Debug)]
pub(super) struct Tool(Command);

impl Tool {
    #[expect(clippy::disallowed_methods, reason = "the one place where the CLI starts programs")]
    pub(super) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).envs(SET);
        for name in DROPPED {
            command.env_remove(name);
        }
        Self(command)
    }

    pub(super) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(super) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(super) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(key, value);
        self
    }

    pub(super) fn dir(mut self, dir: &Path) -> Self {
        self.0.current_dir(dir);
        self
    }

    /// Runs it to its end and returns its standard output.
    pub(super) fn run(mut self) -> Result<String, RuntimeError> {
        let program = self.0.get_program().to_string_lossy().into_owned();
        let done =
            self.0.output().map_err(|source| RuntimeError::Start { program: program.clone(), source })?;
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        if done.status.success() {
            return Ok(printed);
        }
        let complaints = String::from_utf8_lossy(&done.stderr).into_owned();
        let args = self.0.get_args().map(|arg| arg.to_string_lossy());
        let command: Vec<_> = std::iter::once(program.into()).chain(args).collect();
        Err(RuntimeError::Failed {
            command: command.join(" "),
            status: done.status,
            output: last_lines(&(printed + &complaints)),
        })
    }
}

/// The path of an executable file with this name on `PATH`.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| is_program(file))
}

/// Whether the current user may execute this file.
pub(super) fn is_program(file: &Path) -> bool {
    file.is_file() && nix::unistd::access(file, nix::unistd::AccessFlags::X_OK).is_ok()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES_MAX)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gives_its_output_or_why_it_failed() {
        let sh = |script: &str| Tool::new("/bin/sh").args(["-c", script]).run();
        assert_eq!(sh("echo \"$PIP_USER$PYTHONPATH\"").unwrap(), "0\n");
        let Err(RuntimeError::Failed { command, status, output }) = sh("echo a; echo b >&2; exit 3") else {
            panic!("it does not fail");
        };
        assert_eq!((status.code(), output.as_str()), (Some(3), "a\nb"));
        assert!(command.starts_with("/bin/sh -c"), "{command}");
        let missing = Tool::new("/no/such/program").run();
        assert!(matches!(missing, Err(RuntimeError::Start { .. })), "{missing:?}");
    }

    #[test]
    fn long_output_is_cut_at_its_beginning() {
        let text = (1..=50).map(|n| n.to_string()).collect::<Vec<_>>().join("\n\n");
        let cut = last_lines(&text);
        assert!(cut.starts_with("31\n") && cut.ends_with("\n50"), "{cut}");
    }
}
