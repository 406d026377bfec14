//! Which runtimes are installed, from which parts, and when they are installed again.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::runtimes::Catalog;
use crate::runtimes::tool::Tool;

fn options(dir: &Path) -> Options {
    Options { data_dir: dir.join("data"), cache_dir: Some(dir.join("cache")), ..Options::default() }
}

fn told(action: impl FnOnce(&mut dyn Write) -> Result<(), RuntimeError>) -> String {
    let mut out = Vec::new();
    match action(&mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn each_identifier_has_its_recipe() {
    for (identifier, want) in [
        ("provided.al2", Some(Recipe::Provided)),
        ("python3.14", Some(Recipe::Python { minor: 14 })),
        ("python3.9", None),
        ("nodejs20.x", Some(Recipe::Node { major: 20 })),
        ("nodejs16.x", None),
        ("nodejs14.x", None),
        ("java21", None),
        ("python3.99", None),
    ] {
        assert_eq!(Recipe::of(identifier), want, "{identifier}");
    }
}

#[test]
fn installing_twice_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let install = || told(|out| install("provided.al2023", &options, out));
    assert!(install().starts_with("provided.al2023: installed in "));
    assert_eq!(install(), "provided.al2023: already installed\n");

    let runtime = Catalog::new(&options.data_dir).find("provided.al2023").unwrap().unwrap();
    let none = runtime.entrypoint(dir.path(), None).refused(2).to_string();
    assert!(none.ends_with(": [/var/task/bootstrap /opt/bootstrap]"), "{none}");
    assert!(runtime.variables().all(|(key, _)| key != "AWS_EXECUTION_ENV"));
}

#[test]
fn an_edited_manifest_does_not_reach_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (options(dir.path()), options(&dir.path().join("second")));
    let second = Options { cache_dir: first.cache_dir.clone(), ..second };
    told(|out| install("provided.al2", &first, out));
    let edited = dir_of(&first.data_dir).join("provided.al2").join(manifest::FILE_NAME);
    fs::write(&edited, "broken").unwrap();
    told(|out| install("provided.al2", &second, out));
    assert!(Catalog::new(&second.data_dir).find("provided.al2").unwrap().is_some());
}

#[test]
fn what_cannot_be_installed_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    for (identifier, want) in
        [("ruby3.4", "lambd runtime add DIR"), ("cobol85", "is not a runtime identifier")]
    {
        let said = told(|out| install(identifier, &options, out));
        assert!(said.starts_with("error: ") && said.contains(want), "{said}");
    }
    assert!(!options.data_dir.exists(), "nothing may be left of a refused install");
}

#[test]
fn a_runtime_that_the_operator_made_is_added_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (own, data) = (dir.path().join("own"), dir.path().join("data"));
    fs::create_dir_all(own.join("runtime")).unwrap();
    let text = "identifier = 'ruby3.4'\nroot = 'host'\nbootstrap = ['/var/runtime/bootstrap']\n";
    fs::write(own.join(manifest::FILE_NAME), text).unwrap();
    files::write(&own.join("runtime/bootstrap"), 0o755, "#!/bin/sh\n").unwrap();

    assert!(told(|out| add(&own, &data, out)).starts_with("ruby3.4: installed in "));
    let bootstrap = dir_of(&data).join("ruby3.4/runtime/bootstrap");
    assert_eq!(fs::metadata(bootstrap).unwrap().permissions().mode() & 0o777, 0o755);

    assert_eq!(told(|out| remove("ruby3.4", &data, out)), "ruby3.4: removed\n");
    assert_eq!(fs::read_dir(dir_of(&data)).unwrap().count(), 0);
    for identifier in ["ruby3.4", "..", ""] {
        assert!(told(|out| remove(identifier, &data, out)).contains("is not installed"), "{identifier:?}");
    }
}

/// A wrapper gets the interpreter and its arguments. A missing one ends with 127, one that is not executable
/// with 126. The test uses programs of the system, because one that was just written may be "busy".
#[test]
fn the_bootstrap_script_honours_wrappers() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("bootstrap");
    files::write(&script, 0o755, &bootstrap_script("/bin/echo client $((6 / 2))")).unwrap();
    let run = |wrapper: &str| Tool::new("/bin/sh").arg(&script).env("AWS_LAMBDA_EXEC_WRAPPER", wrapper).run();

    assert_eq!(run("").unwrap(), "client 3\n");
    assert_eq!(run("/bin/echo").unwrap(), "/bin/echo client 3\n");
    let Err(RuntimeError::Failed { status, output, .. }) = run("/opt/none") else {
        panic!("it does not fail")
    };
    assert_eq!((status.code(), output.as_str()), (Some(127), "/opt/none: does not exist"));
    let Err(RuntimeError::Failed { status, .. }) = run("/etc/passwd") else { panic!("it did not fail") };
    assert_eq!(status.code(), Some(126));
}
