//! `nodejs*.x`: Node.js of the host or of npm, with AWS's client `aws-lambda-ric`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::needs::{Need, ensure};
use super::{Plan, bootstrap_script, sdk};
use crate::runtimes::interpreter::{self, Interpreter};
use crate::runtimes::tool::Tool;
use crate::runtimes::{Manifest, Root, RuntimeError, files, variables};

/// The oldest major version for which the client can be built.
pub(super) const MAJOR_MIN: u32 = 18;

/// From this major version on the fourth series of the client is used. It refuses handlers with a callback,
/// which AWS supports up to nodejs22.x (except for Managed Instances, as the client itself says).
const FOURTH_SERIES_FROM: u32 = 24;

/// The npm project for the installation. The third series depends on a node-gyp that needs a Python older
/// than 3.12.
const PROJECT: &str = "{\"private\": true, \"overrides\": {\"node-gyp\": \"^11.2.0\"}}\n";

/// Programs that compile the client's native part: curl, AWS's C++ client, and the add-on itself.
const NEEDS: [Need; 8] = [
    Need::new("npm", "npm"),
    Need::new("cmake", "cmake"),
    Need::new("autoconf", "autoconf"),
    Need::new("automake", "automake"),
    Need::new("libtoolize", "libtool"),
    Need::new("make", "make"),
    Need::new("g++", "g++"),
    Need::new("python3", "python3"),
];

/// The files of the client's package that functions need; the others are sources and build tools.
const CLIENT_FILES: [&str; 6] =
    ["package.json", "LICENSE", "NOTICE", "dist", "index.mjs", "rapid-client.node"];

/// Makes `NODE_PATH` work for ES modules.
const NODE_PATH: &str = include_str!("node_path.mjs");
/// The third series is started by a call, the fourth by its import.
const INDEX_3: &str = "import { install } from \"./node-path.mjs\";\n\
                       import { run } from \"aws-lambda-ric\";\n\
                       install();\n\
                       await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n";
const INDEX_4: &str = "import { install } from \"./node-path.mjs\";\n\
                       install();\n\
                       await import(\"aws-lambda-ric\");\n";

/// AWS's flags: nine tenths of the function's memory for old objects and one twentieth for each half of the
/// young ones, so that garbage is collected before the limit is reached. A header of the Runtime API may
/// contain a client context.
const COMMAND: &str = "/var/lang/bin/node --expose-gc --max-http-header-size=81920 \
                       --max-semi-space-size=$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE / 20)) \
                       --max-old-space-size=$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 9 / 10)) \
                       /var/runtime/index.mjs";

#[derive(Debug)]
pub(super) struct Node {
    identifier: String,
    major: u32,
    /// The host's Node.js, if it has this version and can compile add-ons; else npm's package is used.
    found: Option<Interpreter>,
    /// npm's name of the Node.js package for this processor, with the major version.
    package: String,
    client: &'static str,
    sdk: Vec<String>,
}

impl Node {
    pub(super) fn plan(identifier: &str, major: u32, prefix: Option<&Path>) -> Result<Self, RuntimeError> {
        let found = match (interpreter::node(major, prefix), prefix) {
            (Err(error), Some(_)) => return Err(error),
            (found, Some(_)) => found.ok(),
            (found, None) => found.ok().filter(|node| node.prefix.join("include/node/node.h").is_file()),
        };
        let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        Ok(Self {
            identifier: identifier.to_owned(),
            major,
            found,
            package: format!("node-linux-{processor}@{major}"),
            client: if major < FOURTH_SERIES_FROM { "aws-lambda-ric@3.3.0" } else { "aws-lambda-ric@4.0.2" },
            sdk: sdk::packages(major).collect(),
        })
    }

    /// The folder of the Node.js to build with: the host's prefix, or npm's package, which is fetched.
    fn prefix(&self, modules: &Modules, out: &mut dyn Write) -> Result<PathBuf, RuntimeError> {
        if let Some(found) = &self.found {
            writeln!(out, "{}: Node.js {} of {}", self.identifier, found.version, found.prefix.display())?;
            return Ok(found.prefix.clone());
        }
        writeln!(out, "{}: fetching {} by npm", self.identifier, self.package)?;
        modules.install(std::slice::from_ref(&self.package), None)?;
        let name = self.package.split('@').next().unwrap_or_default();
        Ok(modules.0.join("node_modules").join(name))
    }

    fn place_client(&self, modules: &Modules, node: &Path, runtime: &Path) -> Result<(), RuntimeError> {
        let from = modules.0.join("node_modules/aws-lambda-ric");
        let to = runtime.join("node_modules/aws-lambda-ric");
        files::make_dirs(&to)?;
        for name in CLIENT_FILES {
            let (from, to) = (from.join(name), to.join(name));
            if from.exists() {
                fs::rename(&from, &to).map_err(RuntimeError::io("move", &from))?;
            }
        }
        let fourth = self.major >= FOURTH_SERIES_FROM;
        let addon = to.join(if fourth { "rapid-client.node" } else { "dist/rapid-client.node" });
        // The add-on reads the address when it is loaded, but does not connect.
        Tool::new(node.join("bin/node"))
            .args(["-e", "require(process.argv[1])"])
            .arg(addon)
            .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
            .run()?;
        files::write(&runtime.join("index.mjs"), 0o644, if fourth { INDEX_4 } else { INDEX_3 })?;
        files::write(&runtime.join("node-path.mjs"), 0o644, NODE_PATH)?;
        files::write(&runtime.join("bootstrap"), 0o755, &bootstrap_script(COMMAND))
    }

    /// Keeps npm's folder of the SDK: its packages find each other there, and functions find it by
    /// `NODE_PATH`.
    fn place_sdk(&self, dir: &Path, runtime: &Path, out: &mut dyn Write) -> Result<(), RuntimeError> {
        writeln!(out, "{}: fetching the AWS SDK by npm", self.identifier)?;
        let project = Modules::new(dir.join("sdk"))?;
        project.install(&self.sdk, None)?;
        let modules = project.0.join("node_modules");
        sdk::prune(&modules)?;
        fs::rename(&modules, runtime.join("node_modules")).map_err(RuntimeError::io("move", &modules))?;
        files::remove(&project.0)
    }

    /// Prepares `/var/lang`; returns the host's prefix if that is to be bound there.
    fn place_node(&self, node: &Path, dir: &Path) -> Result<Option<PathBuf>, RuntimeError> {
        if let Some(found) = &self.found
            && !found.in_usr()
        {
            return Ok(Some(found.prefix.clone()));
        }
        let bin = dir.join("lang/bin");
        files::make_dirs(&bin)?;
        let target = bin.join("node");
        match &self.found {
            Some(found) => symlink(&found.program, &target).map_err(RuntimeError::io("link", &target))?,
            None => fs::rename(node.join("bin/node"), &target).map_err(RuntimeError::io("move", &target))?,
        }
        Ok(None)
    }
}

impl Plan for Node {
    fn parts(&self) -> Vec<&str> {
        let mut parts = vec![self.client];
        parts.extend(self.sdk.iter().map(String::as_str));
        match &self.found {
            Some(found) => {
                parts.push(&found.version);
                parts.extend(found.prefix.to_str());
            }
            None => parts.push(&self.package),
        }
        parts
    }

    fn make(&self, dir: &Path, out: &mut dyn Write) -> Result<Manifest, RuntimeError> {
        ensure(&NEEDS, out)?;
        let modules = Modules::new(dir.join("npm"))?;
        let node = self.prefix(&modules, out)?;
        writeln!(
            out,
            "{}: building {} by npm, once for this machine; this takes minutes",
            self.identifier, self.client
        )?;
        modules.install(&[self.client.to_owned()], Some(&node))?;

        let version = Tool::new(node.join("bin/node")).arg("--version").run()?;
        let runtime = dir.join("runtime");
        files::make_dir(&runtime)?;
        self.place_sdk(dir, &runtime, out)?;
        self.place_client(&modules, &node, &runtime)?;
        let prefix = self.place_node(&node, dir)?;
        files::remove(&modules.0)?;
        Ok(Manifest {
            identifier: self.identifier.clone(),
            root: Root::Host,
            interpreter: Some(format!("Node.js {}", version.trim().trim_start_matches('v'))),
            build: None,
            bootstrap: vec!["/var/runtime/bootstrap".into()],
            bind: prefix.map(|prefix| ("/var/lang".into(), prefix)).into_iter().collect(),
            environment: variables::node(&self.identifier, self.major),
        })
    }
}

/// A folder into which npm installs.
struct Modules(PathBuf);

impl Modules {
    fn new(dir: PathBuf) -> Result<Self, RuntimeError> {
        files::make_dir(&dir)?;
        files::write(&dir.join("package.json"), 0o644, PROJECT)?;
        Ok(Self(dir))
    }

    /// Installs packages. Native parts are compiled with the headers of the Node.js in `node`; without it the
    /// scripts of packages do not run.
    fn install(&self, packages: &[String], node: Option<&Path>) -> Result<(), RuntimeError> {
        let mut npm = Tool::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-update-notifier", "--no-package-lock"])
            .arg("--loglevel=error")
            .args(packages)
            .dir(&self.0);
        npm = match node {
            Some(node) => npm.env("npm_config_nodedir", node),
            None => npm.arg("--ignore-scripts"),
        };
        npm.run().map(drop)
    }
}
