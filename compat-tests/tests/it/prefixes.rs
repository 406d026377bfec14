//! Runtimes that show folders of the host besides the system folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use lambd_compat_tests::{FunctionSpec, TestServer, package, server, tools};
use serde_json::json;

/// Answers every event with the content of `/etc/java-99-test/which`.
const RUN: &str = r#"#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
    id=$(curl -sS -D - -o /dev/null "$api/next" | sed -n 's/^lambda-runtime-aws-request-id: *//Ip' | tr -d '\r')
    curl -sS -o /dev/null --data "\"$(cat /etc/java-99-test/which)\"" "$api/$id/response"
done
"#;

fn runtime(server: &TestServer, command: &str) -> Result<Command> {
    let mut lambd = tools::command(server::binary()?);
    lambd.args(["runtime", command, "--data-dir"]).arg(server.data_dir());
    Ok(lambd)
}

/// Makes a runtime folder that binds `lang` and `etc`.
fn own(at: &Path, lang: &Path, etc: &Path) -> Result<()> {
    fs::create_dir_all(at)?;
    let text = format!(
        "identifier = 'java21'\nroot = 'host'\nbootstrap = ['/var/lang/run']\n[bind]\n'/var/lang' = {lang:?}\n\
         '/etc/java-99-test' = {etc:?}\n[environment]\nPATH = '/usr/bin:/bin'\n"
    );
    Ok(fs::write(at.join("runtime.toml"), text)?)
}

#[test]
fn only_what_a_manifest_names_is_shown() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let dir = tempfile::tempdir()?;
    let (lang, etc, made) = (dir.path().join("lang"), dir.path().join("etc"), dir.path().join("made"));
    for (folder, file, text) in [(&lang, "run", RUN), (&etc, "which", "the JDK's own")] {
        fs::create_dir(folder)?;
        fs::write(folder.join(file), text)?;
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o755))?;
    }
    own(&made, &lang, &etc)?;
    // The server runs already: a source that is added later is accepted, too.
    tools::run(runtime(&server, "add")?.arg(&made))?;
    let function = || FunctionSpec::new("java21", "any", &package::files(&[("x", "")])).create(&server.api);
    let (first, second) = (function()?, function()?);
    assert_eq!(first.invoke(&json!({}))?.ok()?, "the JDK's own");

    // The manifest now names more than when it was installed.
    let manifest = server.data_dir().join("runtimes/java21/runtime.toml");
    let text = fs::read_to_string(&manifest)?.replace(&*etc.to_string_lossy(), "/root");
    let changed = manifest.with_extension("new");
    fs::write(&changed, text)?;
    fs::rename(&changed, &manifest)?;
    server.allow("lambd runtime add");
    let refused = second.invoke(&json!({}))?.answer;
    ensure!(refused.status == 500, "{} {}", refused.status, refused.text());
    Ok(())
}

#[test]
fn sources_that_others_can_change_are_refused_at_installation() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let dir = tempfile::tempdir()?;
    let (open, made) = (dir.path().join("open"), dir.path().join("made"));
    fs::create_dir(&open)?;
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777))?;
    own(&made, &open, Path::new("/usr/share/doc"))?;
    let output = runtime(&server, "add")?.arg(&made).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.lines().count() == 1, "{said}");
    ensure!(said.contains(&*open.to_string_lossy()) && said.contains("chmod go-w"), "{said}");
    ensure!(!server.data_dir().join("runtimes/java21").exists(), "it was installed");
    Ok(())
}

/// Copies the host's CPython, with its pip, to a prefix.
const PYTHON_BELOW: &str = r#"import os, shutil, sys, sysconfig, pip
to, version = sys.argv[1], "python%d.%d" % sys.version_info[:2]
os.makedirs(to + "/bin")
shutil.copy(os.path.realpath(sys.executable), to + "/bin/" + version)
skip = shutil.ignore_patterns("test", "tests", "config-*", "__pycache__", "site-packages", "dist-packages")
shutil.copytree(sysconfig.get_path("stdlib"), to + "/lib/" + version, ignore=skip)
# Debian's interpreter looks in the one, any other in the other.
for folder in ("/lib/python3/dist-packages", "/lib/" + version + "/site-packages"):
    shutil.copytree(os.path.dirname(pip.__file__), to + folder + "/pip")
print(version)
"#;

#[test]
fn an_interpreter_below_a_prefix_runs() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
    let (prefix, cache) = (dir.path().join("python"), dir.path().join("cache"));
    let made = tools::run(tools::command("/usr/bin/python3").args(["-I", "-c", PYTHON_BELOW]).arg(&prefix))?;
    let version = String::from_utf8(made.stdout)?.trim().to_owned();
    let mut install = runtime(&server, "install")?;
    tools::run(install.arg("--prefix").arg(&prefix).arg("--cache-dir").arg(&cache).arg(&version))?;
    let code = "import sys\ndef handler(event, context):\n    return [sys.executable, sys.prefix]\n";
    let function = FunctionSpec::new(&version, "app.handler", &package::files(&[("app.py", code)]))
        .with("Timeout", 30)
        .create(&server.api)?;
    let program = format!("/var/lang/bin/{version}");
    assert_eq!(function.invoke(&json!({}))?.ok()?, json!([program, "/var/lang"]));
    Ok(())
}
