//! The installed runtimes of a data directory; each is read again when it has changed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::host::System;
use super::manifest::{self, Manifest, valid_identifier};
use super::{Runtime, RuntimeError, dir_of};

/// Reads runtimes by identifier and caches each as long as its manifest does not change.
///
/// A look-up costs one `stat`. So the next function or environment sees a runtime that was installed,
/// replaced or removed while the server runs.
#[derive(Debug)]
pub struct Catalog {
    dir: PathBuf,
    read: Mutex<HashMap<String, (Stamp, Arc<Runtime>)>>,
}

/// Distinguishes a manifest from its predecessor: installing always makes a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl Catalog {
    /// A catalogue of `data_dir`. Reads nothing yet.
    pub fn new(data_dir: &Path) -> Self {
        Self { dir: dir_of(data_dir), read: Mutex::default() }
    }

    /// The runtime, or `None` if it is not installed.
    ///
    /// # Errors
    /// The runtime is installed, but cannot be read, or its manifest breaks a rule.
    pub fn find(&self, identifier: &str) -> Result<Option<Arc<Runtime>>, RuntimeError> {
        if !valid_identifier(identifier) {
            return Ok(None);
        }
        let dir = self.dir.join(identifier);
        let path = dir.join(manifest::FILE_NAME);
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RuntimeError::io("read", &path)(error)),
        };
        let stamp = Stamp { inode: meta.ino(), changed_s: meta.ctime(), changed_ns: meta.ctime_nsec() };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, runtime)) = read.get(identifier)
            && *known == stamp
        {
            return Ok(Some(Arc::clone(runtime)));
        }
        let runtime = Arc::new(load(&dir, identifier)?);
        read.insert(identifier.to_owned(), (stamp, Arc::clone(&runtime)));
        Ok(Some(runtime))
    }

    /// The identifiers that are installed, sorted.
    ///
    /// # Errors
    /// The folder exists, but cannot be listed.
    pub fn identifiers(&self) -> Result<Vec<String>, RuntimeError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RuntimeError::io("list", &self.dir)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(RuntimeError::io("list", &self.dir))?.file_name();
            if let Ok(name) = name.into_string()
                && valid_identifier(&name)
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

fn load(dir: &Path, identifier: &str) -> Result<Runtime, RuntimeError> {
    let manifest = Manifest::read(dir)?;
    if manifest.identifier != identifier {
        let what = format!("names {}, but is in the folder of {identifier}", manifest.identifier);
        return Err(RuntimeError::Rule { path: dir.join(manifest::FILE_NAME), what });
    }
    let system = System::of(&manifest, dir)?;
    let version = manifest.digest()?;
    Ok(Runtime { manifest, system, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(data_dir: &Path, identifier: &str, variable: &str) {
        let dir = dir_of(data_dir).join(identifier);
        fs::create_dir_all(&dir).unwrap();
        let text = format!(
            "identifier = '{identifier}'\nroot = 'host'\nbootstrap = ['/x']\n[environment]\n{variable} = ''\n"
        );
        fs::write(dir.join("new"), text).unwrap();
        fs::rename(dir.join("new"), dir.join(manifest::FILE_NAME)).unwrap();
    }

    #[test]
    fn changes_are_seen_while_the_server_runs() {
        let data = tempfile::tempdir().unwrap();
        let catalog = Catalog::new(data.path());
        assert!(catalog.find("python3.11").unwrap().is_none());
        assert!(catalog.identifiers().unwrap().is_empty());

        put(data.path(), "python3.11", "FIRST");
        let first = catalog.find("python3.11").unwrap().unwrap();
        assert!(
            Arc::ptr_eq(&first, &catalog.find("python3.11").unwrap().unwrap()),
            "read again without a change"
        );

        put(data.path(), "python3.11", "SECOND");
        let second = catalog.find("python3.11").unwrap().unwrap();
        assert_ne!(first.version(), second.version(), "another build is another version");
        assert_eq!(
            second.version(),
            Catalog::new(data.path()).find("python3.11").unwrap().unwrap().version()
        );
        assert_eq!(second.variables().next(), Some(("SECOND", "")));

        fs::remove_dir_all(dir_of(data.path()).join("python3.11")).unwrap();
        assert!(catalog.find("python3.11").unwrap().is_none());
    }

    #[test]
    fn identifiers_never_lead_out_of_the_folder() {
        let data = tempfile::tempdir().unwrap();
        put(data.path(), "../outside", "A");
        let catalog = Catalog::new(data.path());
        assert!(catalog.find("../outside").unwrap().is_none());
        put(data.path(), ".staging-1", "A");
        assert!(catalog.identifiers().unwrap().is_empty());
    }

    #[test]
    fn a_manifest_of_another_runtime_is_refused() {
        let data = tempfile::tempdir().unwrap();
        put(data.path(), "python3.11", "A");
        fs::rename(dir_of(data.path()).join("python3.11"), dir_of(data.path()).join("python3.12")).unwrap();
        let error = Catalog::new(data.path()).find("python3.12").unwrap_err();
        assert!(matches!(error, RuntimeError::Rule { .. }), "{error}");
    }
}
