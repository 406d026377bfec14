//! `lambd runtime install`, `add` and `remove`: makes and unmakes the runtimes' folders.
//!
//! A runtime is built once per machine into a cache and from there put into a data directory in
//! one step, so that a server that runs sees either none, the old or the new one.

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

/// Part of each build's name: raise it when a recipe changes what it makes.
const RECIPES_VERSION: &str = "2";

/// What the operator can choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The data directory; made if it is not there.
    pub data_dir: PathBuf,
    /// The folder with the interpreter's `bin`, instead of one that is looked for.
    pub prefix: Option<PathBuf>,
    /// The machine's cache of finished runtimes, instead of the usual place.
    pub cache_dir: Option<PathBuf>,
    /// Build again what the cache holds.
    pub refresh: bool,
}

/// How a runtime is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    /// The function brings its own program.
    Provided,
    /// CPython 3.`minor` with awslambdaric.
    Python {
        /// 10 and later, for which the client is published.
        minor: u32,
    },
    /// Node.js with aws-lambda-ric.
    Node {
        /// 18 and later.
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

/// A runtime whose parts are known but that is not built yet.
trait Plan {
    /// All that goes into it: clients' and interpreters' names, versions and places.
    fn parts(&self) -> Vec<&str>;
    /// Builds it into the empty folder `dir` and describes it.
    fn make(&self, dir: &Path, out: &mut dyn Write) -> Result<Manifest, RuntimeError>;
}

/// Installs `identifier`; does nothing if the same build is installed already. Tells `out` what it
/// does. Needs no server, and root only if the folders are root's or packages are missing.
///
/// # Errors
/// No recipe, no interpreter, a failed build, or folders that cannot be written. Then the data
/// directory is as it was.
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

/// Installs the runtime that the operator made in `from`, a folder with a manifest, by copying it.
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

/// Removes an installed runtime. Environments that run on it keep what they have open.
///
/// # Errors
/// It is not installed, or cannot be removed.
pub fn remove(identifier: &str, data_dir: &Path, out: &mut dyn Write) -> Result<(), RuntimeError> {
    let dir = dir_of(data_dir);
    let place = dir.join(identifier);
    if !valid_identifier(identifier) || !place.is_dir() {
        return Err(RuntimeError::NotInstalled { identifier: identifier.to_owned(), dir });
    }
    // Out of sight first: a half-removed runtime must not be found.
    Staging::new(&dir, identifier)?.take_away(&place)?;
    writeln!(out, "{identifier}: removed")?;
    Ok(())
}

/// Nothing is put where somebody else could change it, or have it put elsewhere by a link.
fn check_data_dir(data_dir: &Path) -> Result<(), RuntimeError> {
    for path in [data_dir.to_owned(), dir_of(data_dir)] {
        if path.symlink_metadata().is_ok() && !files::is_private(&path)? {
            let what = "others than you can change it; chown it to yourself and chmod go-w it".to_owned();
            return Err(RuntimeError::Rule { path, what });
        }
    }
    Ok(())
}

fn put(from: &Path, place: &Path, by: By) -> Result<(), RuntimeError> {
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
        return Err(RuntimeError::Rule {
            path: place.to_owned(),
            what: "is no folder for a runtime".to_owned(),
        });
    };
    let staging = Staging::new(parent, &name.to_string_lossy())?;
    files::replicate(from, staging.path(), by)?;
    if by == By::Link {
        // An operator may edit the manifest, which must not reach the cache through a shared file.
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

/// The program `/var/runtime/bootstrap` of a managed runtime. AWS's wrapper scripts are this
/// script's doing, not the platform's: OS-only runtimes ignore them. A wrapper that is not
/// executable ends with the shell's 126.
///
/// `command` is the shell's words for interpreter and arguments.
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
