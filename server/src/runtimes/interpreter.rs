//! Finds the interpreters of the host.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::RuntimeError;
use super::tool::{Tool, is_program, on_path};

/// An interpreter of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    /// The real path of the program on the host.
    pub(super) program: PathBuf,
    /// The real path of the folder with its `bin` and `lib`.
    pub(super) prefix: PathBuf,
    /// Its full version, such as `3.11.2` or `20.20.2`.
    pub(super) version: String,
}

impl Interpreter {
    /// Whether it is in the host's `/usr`, which every sandbox shows; any other prefix must be bound.
    pub(super) fn in_usr(&self) -> bool {
        self.prefix.starts_with("/usr")
    }
}

/// Finds CPython 3.`minor` in `prefix` if given, else in `/usr`, `/usr/local`, on `PATH`, and among the
/// versions of pyenv (newest first). The system's is preferred, because sandboxes show it anyway.
pub(super) fn cpython(minor: u32, prefix: Option<&Path>) -> Result<Interpreter, RuntimeError> {
    let name = format!("python3.{minor}");
    let candidates = match prefix {
        Some(prefix) => vec![prefix.join("bin").join(&name)],
        None => {
            let mut all: Vec<PathBuf> =
                ["/usr/bin", "/usr/local/bin"].map(|dir| Path::new(dir).join(&name)).into();
            all.extend(on_path(&name));
            all.extend(pyenv_versions(minor).into_iter().map(|dir| dir.join("bin").join(&name)));
            all
        }
    };
    let probe = |program: PathBuf| {
        // -I -S: ignore environment variables and site packages.
        let script = "import os, platform, sys\n\
                      print(platform.python_implementation(), platform.python_version(), \
                      os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix), sep='\\n')";
        let told = Tool::new(program).args(["-I", "-S", "-c", script]).run().ok()?;
        let mut lines = told.lines();
        let (kind, version) = (lines.next()?, lines.next()?.to_owned());
        let (program, prefix) = (PathBuf::from(lines.next()?), PathBuf::from(lines.next()?));
        let wanted = kind == "CPython" && version.starts_with(&format!("3.{minor}."));
        wanted.then_some(Interpreter { program, prefix, version })
    };
    candidates.into_iter().filter(|file| is_program(file)).find_map(probe).ok_or_else(|| {
        let usual = "/usr/bin, /usr/local/bin, PATH and ~/.pyenv/versions";
        missing(&format!("CPython 3.{minor}"), &name, prefix, usual)
    })
}

/// Finds Node.js of this major version in `prefix` if given, else on `PATH` and in `/usr`.
pub(super) fn node(major: u32, prefix: Option<&Path>) -> Result<Interpreter, RuntimeError> {
    let candidates = match prefix {
        Some(prefix) => vec![prefix.join("bin/node")],
        None => on_path("node")
            .into_iter()
            .chain(["/usr/bin/node".into(), "/usr/local/bin/node".into()])
            .collect(),
    };
    let probe = |program: PathBuf| {
        let script = "console.log(process.version + '\\n' + process.execPath)";
        let told = Tool::new(program).args(["-e", script]).run().ok()?;
        let (version, program) = told.trim_end().split_once('\n')?;
        let program = fs::canonicalize(program).ok()?;
        let prefix = program.parent()?.parent()?.to_owned();
        let version = version.strip_prefix('v')?.to_owned();
        version.starts_with(&format!("{major}.")).then_some(Interpreter { program, prefix, version })
    };
    candidates.into_iter().filter(|file| is_program(file)).find_map(probe).ok_or_else(|| {
        missing(&format!("Node.js {major}"), "node", prefix, "PATH, /usr/bin and /usr/local/bin")
    })
}

fn missing(wanted: &str, program: &str, prefix: Option<&Path>, usual: &str) -> RuntimeError {
    RuntimeError::NoInterpreter {
        wanted: wanted.to_owned(),
        program: program.to_owned(),
        places: prefix.map_or_else(|| usual.to_owned(), |prefix| prefix.join("bin").display().to_string()),
    }
}

/// The folders of pyenv for 3.`minor`, newest first.
fn pyenv_versions(minor: u32) -> Vec<PathBuf> {
    let Some(home) = env::var_os("HOME") else { return Vec::new() };
    let Ok(entries) = fs::read_dir(Path::new(&home).join(".pyenv/versions")) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let patch = name.strip_prefix(&format!("3.{minor}."))?.parse().ok()?;
            Some((patch, entry.path()))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_prefix_is_named() {
        let error = cpython(11, Some(Path::new("/no/such"))).unwrap_err().to_string();
        assert!(error.contains("CPython 3.11") && error.contains("/no/such/bin"), "{error}");
        let error = node(20, Some(Path::new("/no/such"))).unwrap_err().to_string();
        assert!(error.contains("Node.js 20") && error.contains("/no/such/bin"), "{error}");
    }
}
