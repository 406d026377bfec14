//! Data directories that do not belong to this server are refused with one line and not changed.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::{FunctionSpec, TestServer, tools};

use crate::starts::{refused, serve};

/// The visible properties of a file.
type Look = (u32, u32, u64, SystemTime);

/// The properties of a folder and of every path in it.
fn look(path: &Path, seen: &mut BTreeMap<PathBuf, Look>) -> Result<()> {
    let meta = fs::symlink_metadata(path)?;
    seen.insert(path.to_owned(), (meta.mode(), meta.uid(), meta.len(), meta.modified()?));
    if meta.is_dir() {
        fs::read_dir(path)?.try_for_each(|entry| look(&entry?.path(), seen))?;
    }
    Ok(())
}

fn looks(path: &Path) -> Result<BTreeMap<PathBuf, Look>> {
    let mut seen = BTreeMap::new();
    look(path, &mut seen)?;
    Ok(seen)
}

/// The server refuses the directory twice, with a line that has these texts, and changes nothing.
fn stays_as_it_is(data: &Path, texts: &[&str]) -> Result<()> {
    let before = looks(data)?;
    for _ in 0..2 {
        let line = refused(&mut serve(data, "127.0.0.1:0")?, 1)?;
        for text in texts {
            ensure!(line.contains(text), "no {text:?} in {line}");
        }
        ensure!(line.contains(&*data.to_string_lossy()), "{line}");
        assert_eq!(looks(data)?, before, "{texts:?}");
    }
    Ok(())
}

fn fill(data: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        let path = data.join(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(path, "theirs")?;
    }
    Ok(())
}

#[test]
fn a_folder_with_other_content_is_not_changed() -> Result<()> {
    if !tools::root()? {
        return Ok(());
    }
    for (names, texts) in [
        (&["passwd", "conf.d/theirs"][..], ["no data directory of lambd", "choose an empty folder"]),
        (
            &["db/CURRENT", "db/MANIFEST-000004", "db/000009.log"],
            ["CURRENT without lambd.lock", "choose another"],
        ),
        (&["db/ibdata1", "packages/theirs"], ["ibdata1 without CURRENT", "choose another"]),
    ] {
        let dir = tempfile::tempdir()?;
        fill(dir.path(), names)?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o750))?;
        stays_as_it_is(dir.path(), &texts)?;
    }
    Ok(())
}

/// Files that a shell or a file system leaves in an empty folder do not make it somebody's data.
#[test]
fn an_empty_folder_with_usual_system_files_is_accepted() -> Result<()> {
    let prepare = |data: &Path| {
        fs::create_dir_all(data.join("lost+found"))?;
        Ok(fs::write(data.join(".bash_history"), "")?)
    };
    let Some(server) = TestServer::start_on(prepare, &[])? else { return Ok(()) };
    assert_eq!(server.api.call("GET", "/2015-03-31/functions", None)?.status, 200);
    Ok(())
}

/// A server's data directory with a function, owned by root as after a restore from a backup.
fn restored() -> Result<Option<TestServer>> {
    let Some(mut server) = TestServer::start()? else { return Ok(None) };
    server.install("provided.al2023")?;
    ensure!(FunctionSpec::bootstrap()?.send(&server.api)?.status == 201);
    server.stop()?;
    for path in looks(&server.data_dir())?.into_keys() {
        chown(path, Some(0), Some(0))?;
    }
    Ok(Some(server))
}

#[test]
fn a_newer_data_directory_is_not_changed_and_opens_again() -> Result<()> {
    let Some(mut server) = restored()? else { return Ok(()) };
    let (data, note) = (server.data_dir(), server.data_dir().join("db/format"));
    let format = fs::read_to_string(&note)?;
    fs::write(&note, "99\n")?;
    stays_as_it_is(&data, &["has format 99", "use the newer lambd again"])?;
    fs::write(&note, format)?;
    server.restart()?;
    let list = server.api.call("GET", "/2015-03-31/functions", None)?.json()?;
    assert_eq!(list["Functions"].as_array().map(Vec::len), Some(1));
    Ok(())
}

/// The refusal names the file that does not belong to lambd, whoever owned the directory.
#[test]
fn a_foreign_file_is_named_before_any_owner_is_changed() -> Result<()> {
    let Some(server) = restored()? else { return Ok(()) };
    let data = server.data_dir();
    chown(data.join("db/IDENTITY"), Some(65_534), None)?;
    stays_as_it_is(&data, &["db/IDENTITY belongs to uid 65534", "remove it"])
}

/// Only the unprivileged server sees the damage; its message has the operator's path and the remedy.
#[test]
fn a_damaged_database_is_named_with_its_remedy() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.stop()?;
    let data = server.data_dir();
    let names = fs::read_dir(data.join("db"))?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let manifest =
        names.iter().find(|path| path.to_string_lossy().contains("MANIFEST-")).context("no manifest")?;
    let whole = fs::read(manifest)?;
    File::options().write(true).open(manifest)?.set_len(10)?;
    // RocksDB writes what it does into LOG files, also where it is opened for reading only.
    let outside = || -> Result<_> {
        let logs =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("LOG"));
        Ok(looks(&data)?.into_iter().filter(|(path, _)| !path.is_dir() && !logs(path)).collect::<Vec<_>>())
    };
    let before = outside()?;
    let line = refused(&mut serve(&data, "127.0.0.1:0")?, 1)?;
    assert_eq!(outside()?, before, "a refused start leaves a trace");
    let db = data.join("db");
    ensure!(line.contains(&*db.to_string_lossy()) && line.contains("restore a backup"), "{line}");
    ensure!(!line.contains("./db is") && !line.contains("database ./db"), "{line}");
    fs::write(manifest, whole)?;
    server.restart()
}
