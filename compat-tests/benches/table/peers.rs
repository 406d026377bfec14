//! Other programs that answer the Lambda API on one machine, asked the same as lambd in the rows of scale, with as many
//! functions as they create in one turn. They come from PyPI; without it there is no row, and the reason is printed.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::sigv4::TestSigner;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{package, tools};
use serde_json::json;

use crate::floor::Running;
use crate::report::ReportRow;
use crate::scale::{Load, READERS, TURN, rate};

/// Most functions that a peer gets.
const FUNCTIONS_MAX: usize = 2_000;
const ROLE: &str = "arn:aws:iam::123456789012:role/test";
/// They look only at the service that a signature names.
const IAM: &str =
    "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";

struct Peer {
    name: &'static str,
    packages: &'static [&'static str],
    program: &'static str,
    /// How it gets its port: after these arguments, or in this variable.
    arguments: &'static [&'static str],
    variable: &'static str,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "moto",
        packages: &["moto[server]", "docker"],
        program: "moto_server",
        arguments: &["-H", "127.0.0.1", "-p"],
        variable: "MOTO_PORT",
    },
    Peer {
        name: "MiniStack",
        packages: &["ministack"],
        program: "ministack",
        arguments: &[],
        variable: "GATEWAY_PORT",
    },
];

/// A virtual environment with the peer's packages, in the target directory.
fn install(peer: &Peer) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let venv = own.ancestors().nth(3).context("no target directory")?.join("peers").join(peer.name);
    let program = venv.join("bin").join(peer.program);
    if !program.is_file() {
        tools::run(tools::command("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = tools::command(venv.join("bin/pip"));
        tools::run(pip.args(["install", "-q", "--disable-pip-version-check"]).args(peer.packages))?;
    }
    Ok(program)
}

fn start(peer: &Peer, program: &Path, home: &Path) -> Result<(Running, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let port = address.port().to_string();
    let mut command = tools::command(program);
    command.args(peer.arguments);
    if !peer.arguments.is_empty() {
        command.arg(&port);
    }
    command.env(peer.variable, &port).env("HOME", home).current_dir(home);
    let running = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    until(&format!("{} listens", peer.name), || Ok(Connection::open(address).ok()))?;
    Ok((running, address))
}

fn measure_one(peer: &Peer) -> Result<ReportRow> {
    let (program, home) = (install(peer)?, tempfile::tempdir()?);
    let (running, address) = start(peer, &program, home.path())?;
    let form = "Action=CreateRole&Version=2010-05-08&RoleName=test&AssumeRolePolicyDocument=%7B%7D";
    let role = ApiRequest::new("POST", "/")
        .body(form)
        .header("authorization", IAM)
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = Connection::open(address)?.exchange(&role.unsigned(address))?;
    ensure!(answer.status == 200, "CreateRole: {} {}", answer.status, answer.text());

    let signer = TestSigner { key: "k".to_owned(), secret: "s".to_owned(), region: "us-east-1".to_owned() };
    let sign = |method: &str, path: &str, body: String| {
        let request = ApiRequest::new(method, path).body(body).header("content-type", "application/json");
        request.signed(address, &signer)
    };
    let code = STANDARD.encode(package::files(&[("app.py", "#")]));
    let create = |number: usize| {
        let members = json!({
            "FunctionName": format!("scale-{number:05}"), "Runtime": "python3.11", "Handler": "app.handler",
            "Role": ROLE, "Code": { "ZipFile": code },
        });
        sign("POST", FUNCTIONS, members.to_string())
    };
    let creates: Vec<_> = (0..FUNCTIONS_MAX).map(create).collect();
    let created = rate(address, &Load::Once(&creates), 1, TURN, 201)?;
    let get = |number| sign("GET", &format!("{FUNCTIONS}/scale-{number:05}"), String::new());
    let gets: Vec<_> = (0..created.count).map(get).collect();
    let list = [sign("GET", &format!("{FUNCTIONS}?MaxItems=50"), String::new())];
    let got = rate(address, &Load::Again(&gets), READERS, TURN, 200)?;
    let listed = rate(address, &Load::Again(&list), READERS, TURN, 200)?;
    drop(running);
    let dash = || "-".to_owned();
    let [got, listed, each] = [got, listed, created].map(|rate| format!("{:.0}/s", rate.per_second()));
    Ok(ReportRow {
        what: format!("  {}: GetFunction, ListFunctions, CreateFunction", peer.name),
        floor: dash(),
        ours: format!("{got}, {listed}, {each}"),
        ratio: dash(),
        goal: "",
        met: None,
    })
}

/// A row of each peer that can be installed.
pub(crate) fn measure() -> Vec<ReportRow> {
    let mut rows = Vec::new();
    for peer in &PEERS {
        tools::say(&format!("measuring {}", peer.name));
        match measure_one(peer) {
            Ok(row) => rows.push(row),
            Err(error) => tools::say(&format!("no row for {}: {error:#}", peer.name)),
        }
    }
    rows
}
