//! `lambd runtime install`, `add` and `remove`: make and remove the folders of runtimes.
//!
//! A runtime is built once for each machine into a cache, and put into a data directory from there in one
//! step, so that a running server sees no runtime, the old one, or the new one.

mod needs;
mod node;
mod provided;
mod python;
mod sdk;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::cache::{Build, Cache};
use super::files::{self, By, Staging};
use super::host::System;
use super::identifiers::{Standing, standing};
use super::manifest::{self, Manifest, valid_identifier};
use super::{RuntimeError, dir_of, links};

/// Part of each build's name. Increase it when a recipe's result changes.
const RECIPES_VERSION: &str = "2";

/// Options of the operator.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The data directory; made if it is absent.
    pub data_dir: PathBuf,
    /// The folder with the interpreter's `bin`; if absent, the usual places are searched.
    pub prefix: Option<PathBuf>,
    /// The machine's cache of finished runtimes; if absent, the default one.
    pub cache_dir: Option<PathBuf>,
    /// Whether to build again what is in the cache.
    pub refresh: bool,
}

/// How a runtime is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    /// The function contains its own program.
    Provided,
    /// CPython 3.`minor` with awslambdaric.
    Python {
        /// 10 or later, for which the client is published.
        minor: u32,
    },
    /// Node.js with aws-lambda-ric.
    Node {
        /// 18 or later.
        major: u32,
    },
}

impl Recipe {
    /// The recipe of one of AWS's identifiers, if there is one.
    pub(super) fn of(identifier: &str) -> Option<Self> {
        if let Standing::Unknown | Standing::Deprecated = standing(identifier) {
            return None;
        }
        if identifier.starts_with("provided.") {
            return Some(Self::Provided);
        }
        if let Some(minor) = identifier.strip_prefix("python3.") {
            return minor
                .parse()
                .ok()
                .filter(|minor| *minor >= python::MINOR_MIN)
                .map(|minor| Self::Python { minor });
        }
        let major = identifier.strip_prefix("nodejs")?.strip_suffix(".x")?;
        major.parse().ok().filter(|major| *major >= node::MAJOR_MIN).map(|major| Self::Node { major })
    }
}

/// A runtime whose parts are known, but which has not been built yet.
trait Plan {
    /// All its parts: names, versions and paths of clients and interpreters.
    fn parts(&self) -> Vec<&str>;
    /// Builds it into the empty folder `dir` and describes it.
    fn make(&self, dir: &Path, out: &mut dyn Write) -> Result<Manifest, RuntimeError>;
}

/// Installs `identifier`, unless the same build is installed already. Writes to `out` what it does. Needs no
/// server; needs root only if the folders are root's or programs are missing.
///
/// # Errors
/// There is no recipe or no interpreter, a build fails, or folders cannot be written. The data directory is
/// not changed then.
pub fn install(identifier: &str, options: &Options, out: &mut dyn Write) -> Result<(), RuntimeError> {
    let plan: Box<dyn Plan> = match (Recipe::of(identifier), standing(identifier)) {
        (Some(Recipe::Provided), _) => Box::new(provided::Provided::plan(identifier)),
        (Some(Recipe::Python { minor }), _) => {
            Box::new(python::Python::plan(identifier, minor, options.prefix.as_deref())?)
        }
        (Some(Recipe::Node { major }), _) => {
            Box::new(node::Node::plan(identifier, major, options.prefix.as_deref())?)
        }
        (None, Standing::Unknown) => return Err(RuntimeError::Unknown(identifier.to_owned())),
        (None, _) => return Err(RuntimeError::NoRecipe(identifier.to_owned())),
    };
    let mut parts = vec![RECIPES_VERSION];
    parts.extend(plan.parts());
    let build = Build::new(identifier, &parts);

    let place = dir_of(&options.data_dir).join(identifier);
    check_data_dir(&options.data_dir)?;
    if !options.refresh && Manifest::read(&place).is_ok_and(|there| there.build.as_ref() == Some(&build.name))
    {
        writeln!(out, "{identifier}: already installed")?;
        return Ok(());
    }
    let cache = Cache::open(options.cache_dir.as_deref())?;
    let made = match cache.find(&build) {
        Some(made) if !options.refresh => made,
        _ => {
            let staging = cache.stage(&build)?;
            let mut manifest = plan.make(staging.path(), out)?;
            manifest.build = Some(build.name.clone());
            manifest.write(staging.path())?;
            cache.keep(&build, staging)?
        }
    };
    put(&made, &place, By::Link)?;
    writeln!(out, "{identifier}: installed in {}", place.display())?;
    Ok(())
}

/// Installs a runtime that the operator has made, by copying the folder `from`, which has a manifest.
///
/// # Errors
/// The manifest is missing or breaks a rule, or folders cannot be read or written.
pub fn add(from: &Path, data_dir: &Path, out: &mut dyn Write) -> Result<(), RuntimeError> {
    let identifier = Manifest::read(from)?.identifier;
    if standing(&identifier) == Standing::Unknown {
        return Err(RuntimeError::Unknown(identifier));
    }
    let place = dir_of(data_dir).join(&identifier);
    check_data_dir(data_dir)?;
    put(from, &place, By::Copy)?;
    writeln!(out, "{identifier}: installed in {}", place.display())?;
    Ok(())
}

/// Removes an installed runtime. Environments that use it keep the files that they have open.
///
/// # Errors
/// It is not installed, or cannot be removed.
pub fn remove(identifier: &str, data_dir: &Path, out: &mut dyn Write) -> Result<(), RuntimeError> {
    let dir = dir_of(data_dir);
    let place = dir.join(identifier);
    if !valid_identifier(identifier) || !place.is_dir() {
        return Err(RuntimeError::NotInstalled { identifier: identifier.to_owned(), dir });
    }
    // Moved away first, because a half-removed runtime must not be found.
    Staging::new(&dir, identifier)?.take_away(&place)?;
    writeln!(out, "{identifier}: removed")?;
    Ok(())
}

/// Refuses a folder that another user could change, or that is a link to another place.
fn check_data_dir(data_dir: &Path) -> Result<(), RuntimeError> {
    for path in [data_dir.to_owned(), dir_of(data_dir)] {
        if path.symlink_metadata().is_ok() && !files::is_private(&path)? {
            let what = "others than you can change it: chown it to yourself and chmod go-w it".to_owned();
            return Err(RuntimeError::Rule { path, what });
        }
    }
    Ok(())
}

fn put(from: &Path, place: &Path, by: By) -> Result<(), RuntimeError> {
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
        return Err(RuntimeError::Rule {
            path: place.to_owned(),
            what: "this is not a folder for a runtime".to_owned(),
        });
    };
    let staging = Staging::new(parent, &name.to_string_lossy())?;
    files::replicate(from, staging.path(), by)?;
    if by == By::Link {
        // Copied, because the operator may edit the manifest, which must not change the cache.
        let manifest = staging.path().join(manifest::FILE_NAME);
        files::remove(&manifest)?;
        fs::copy(from.join(manifest::FILE_NAME), &manifest).map_err(RuntimeError::io("write", &manifest))?;
    }
    let manifest = Manifest::read(staging.path())?;
    links::make(&manifest, staging.path())?;
    if let Some(target) = System::of(&manifest, staging.path())?.contested() {
        let what = format!("{} would show two things, one of them by [bind]", target.display());
        return Err(RuntimeError::Rule { path: from.join(manifest::FILE_NAME), what });
    }
    staging.put_at(place)
}

/// The program `/var/runtime/bootstrap` of a managed runtime. It also runs AWS's wrapper scripts, which are a
/// feature of this script: OS-only runtimes ignore them. A wrapper that is not executable ends with the
/// shell's status 126.
///
/// `command` is the interpreter with its arguments, as words of the shell.
fn bootstrap_script(command: &str) -> String {
    format!(
        "#!/bin/sh\n\
         # Starts the runtime client, through the program that AWS_LAMBDA_EXEC_WRAPPER names.\n\
         set -- {command}\n\
         if [ -n \"${{AWS_LAMBDA_EXEC_WRAPPER-}}\" ]; then\n    \
             if [ ! -f \"$AWS_LAMBDA_EXEC_WRAPPER\" ]; then\n        \
                 echo \"$AWS_LAMBDA_EXEC_WRAPPER: does not exist\"\n        \
                 exit 127\n    \
             fi\n    \
             set -- \"$AWS_LAMBDA_EXEC_WRAPPER\" \"$@\"\n\
         fi\n\
         exec \"$@\"\n"
    )
}

#[cfg(test)]
mod tests;
