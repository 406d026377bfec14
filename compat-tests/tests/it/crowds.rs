//! Too many connections, descriptors or bytes: the server survives and real clients are served.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::http::Connection;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, host, programs};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;

const MIB: u64 = 1 << 20;
/// How long a hostile client waits for the server to take its bytes.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that may open 512 files.
fn narrow() -> Result<Option<TestServer>> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let Some(server) = TestServer::start_by(&["prlimit", "--nofile=512:512"], &[])? else { return Ok(None) };
    server.install("provided.al2023")?;
    server.allow("open files");
    server.allow("are not authenticated");
    Ok(Some(server))
}

fn marked(server: &TestServer) -> Result<(TestFunction, String)> {
    let mark = format!("mark-{}", uuid::Uuid::new_v4());
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 120);
    Ok((spec.create(&server.api)?, mark))
}

/// Creates and invokes a function; this must work like on an idle server.
fn serves(server: &TestServer) -> Result<()> {
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    assert_eq!(function.invoke(&json!({ "k": 1 }))?.ok()?, json!({ "k": 1 }));
    Ok(())
}

#[test]
fn strangers_cannot_hold_every_place() -> Result<()> {
    let Some(server) = narrow()? else { return Ok(()) };
    let refused = ApiRequest::new("GET", FUNCTIONS).unsigned(server.api.address);
    let mut strangers = Vec::new();
    for _ in 0..600 {
        let mut stranger = Connection::open(server.api.address)?;
        // A refused request does not entitle a connection to its place.
        assert_eq!(stranger.exchange(&refused)?.status, 403);
        strangers.push(stranger);
    }
    serves(&server)
}

/// More callers at once than there are places for unauthenticated connections, and than the server has in
/// total: no request is lost.
#[test]
fn every_caller_of_an_honest_burst_is_answered() -> Result<()> {
    let Some(server) = narrow()? else { return Ok(()) };
    let known = ApiRequest::new("GET", FUNCTIONS).signed(server.api.address, &server.api.signer);
    let mut burst = Vec::new();
    for _ in 0..150 {
        let mut caller = Connection::open(server.api.address)?;
        caller.send(&known)?;
        burst.push(caller);
    }
    for (n, caller) in burst.iter_mut().enumerate() {
        assert_eq!(caller.exchange(&[]).with_context(|| format!("caller {n}"))?.status, 200);
    }
    Ok(())
}

/// Idle authenticated clients, and more environments than there are descriptors for.
#[test]
fn the_server_keeps_working_with_few_descriptors() -> Result<()> {
    let Some(mut server) = narrow()? else { return Ok(()) };
    let (function, mark) = marked(&server)?;
    let known = ApiRequest::new("GET", FUNCTIONS).signed(server.api.address, &server.api.signer);
    let mut idle = Vec::new();
    for _ in 0..400 {
        let mut client = Connection::open(server.api.address)?;
        assert_eq!(client.exchange(&known)?.status, 200);
        idle.push(client);
    }
    const CALLS: usize = 60;
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let call = || -> Result<()> {
            let answer = function.invoke(&json!({ "do": "hold" }))?.answer;
            if answer.status == 429 {
                assert_eq!(answer.json()?["Reason"], "ConcurrentInvocationLimitExceeded");
                refused.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
            Ok(())
        };
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(call)).collect();
        let settled = until("every call is held or refused", || {
            let held = host::held(&mark);
            let refused = usize::try_from(refused.load(Ordering::SeqCst))?;
            let over = calls.iter().filter(|call| call.is_finished()).count();
            ensure!(over <= refused, "{over} calls are over, and {refused} of them were refused");
            Ok((held.len() + refused == CALLS).then_some(held))
        });
        host::release(&settled.as_ref().map_or_else(|_| host::held(&mark), Clone::clone))?;
        for call in calls {
            call.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
        }
        let held = settled?.len();
        ensure!((2..CALLS).contains(&held), "{held} of {CALLS} ran");
        anyhow::Ok(())
    })?;
    serves(&server)?;
    drop(function);
    server.stop()?;
    let log = server.log()?;
    let told = log.lines().filter(|line| line.contains("no execution environment can be started")).count();
    assert_eq!(told, 1, "{log}");
    Ok(())
}

/// Heads without an end, from unauthenticated clients.
#[test]
fn large_heads_of_strangers_are_refused() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let before = host::resident_bytes(server.pid());
    let head = format!("GET {FUNCTIONS} HTTP/1.1\r\nhost: h\r\nx: {}", "x".repeat(1_000_000));
    let strangers = (0..300).map(|_| {
        let mut stranger = TcpStream::connect(server.api.address)?;
        stranger.set_write_timeout(Some(WAIT_TIMEOUT))?;
        let _ = stranger.write_all(head.as_bytes());
        anyhow::Ok(stranger)
    });
    let strangers = strangers.collect::<Result<Vec<_>>>()?;
    for mut stranger in &strangers {
        stranger.set_read_timeout(Some(WAIT_TIMEOUT))?;
        // A reset or an answer is fine; waiting for more bytes is not.
        let read = stranger.read(&mut [0; 512]).map_err(|error| error.kind());
        ensure!(
            read != Err(std::io::ErrorKind::WouldBlock),
            "the server waits for the rest of a head of 1 MB"
        );
    }
    let grown = host::resident_bytes(server.pid()).saturating_sub(before) / MIB;
    ensure!(grown < 64, "the server grew by {grown} MiB");
    Ok(())
}

/// Large events whose callers disconnect during their invocations: what the server holds for them is bounded.
#[test]
fn events_of_callers_that_disconnect_stay_counted() -> Result<()> {
    let Some(mut server) = TestServer::start_with(&["--host-memory-mib", "100000"])? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (function, mark) = marked(&server)?;
    let before = host::resident_bytes(server.pid());
    let event = format!(r#"{{"do":"hold","pad":"{}"}}"#, "x".repeat(6_000_000));
    let request = function.request(event).signed(server.api.address, &server.api.signer);
    let (most, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                most.fetch_max(host::resident_bytes(server.pid()), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        for _ in 0..160 {
            let Ok(mut caller) = TcpStream::connect(server.api.address) else { continue };
            let _ = caller.set_write_timeout(Some(Duration::from_millis(300)));
            if caller.write_all(&request).is_ok() {
                let _ = caller.shutdown(Shutdown::Write);
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    let held = host::held(&mark).len();
    let grown = most.load(Ordering::SeqCst).saturating_sub(before) / MIB;
    server.kill9()?; // held invocations need not end
    ensure!(held > 20, "only {held} invocations ran");
    ensure!(grown < 700, "the server grew by {grown} MiB");
    Ok(())
}

/// Uploads that are announced and not sent, by clients that know only the key's id.
#[test]
fn announced_uploads_do_not_keep_out_a_real_one() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let mut idle = Vec::new();
    for _ in 0..8 {
        let upload = ApiRequest::new("POST", FUNCTIONS).header("content-type", "application/json");
        let signed = String::from_utf8(upload.signed(server.api.address, &server.api.signer))?;
        let (head, signature) = signed.split_once("Signature=").context("no signature")?;
        let rest = signature.get(64..).context("a short signature")?;
        let forged = format!("{head}Signature={}{rest}", "0".repeat(64));
        let forged = forged.replace("content-length: 0", "content-length: 70000000");
        let mut client = TcpStream::connect(server.api.address)?;
        client.write_all(forged.as_bytes())?;
        client.write_all(b"{")?;
        idle.push(client);
    }
    let filler = lambd_compat_tests::package::ZipEntry::file("filler", &incompressible(9_000_000));
    let bootstrap = lambd_compat_tests::package::ZipEntry::executable("bootstrap", programs::bootstrap()?);
    server.install("provided.al2023")?;
    let zip = lambd_compat_tests::package::zip(&[bootstrap, filler]);
    let function =
        FunctionSpec::new("provided.al2023", "any", &zip).with("Role", ROLE).create(&server.api)?;
    assert_eq!(function.invoke(&json!(1))?.ok()?, json!(1));
    Ok(())
}

/// Clients that send the whole body before they read an answer must see why it was refused.
#[test]
fn a_refusal_reaches_clients_that_write_first() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let bytes = 80_000_000;
    let head = format!("POST {FUNCTIONS} HTTP/1.1\r\nhost: h\r\ncontent-length: {bytes}\r\n\r\n");
    let mut client = TcpStream::connect(server.api.address)?;
    client.write_all(head.as_bytes())?;
    client.write_all(&vec![b' '; bytes]).context("the server stopped reading")?;
    let mut status = [0; 12];
    client.read_exact(&mut status)?;
    assert_eq!(&status, b"HTTP/1.1 413");
    Ok(())
}

fn incompressible(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

/// Without signatures the server answers programs of its own machine, but no web page.
#[test]
fn without_signatures_only_own_names_are_answered() -> Result<()> {
    let Some(server) = TestServer::start_with(&["--auth", "off"])? else { return Ok(()) };
    let port = server.api.address.port();
    let send = |host: &str, headers: &[(&str, &str)]| {
        let mut request = format!("GET {FUNCTIONS} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n");
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        Connection::open(server.api.address)?.exchange(format!("{request}\r\n").as_bytes())
    };
    for host in
        [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "localhost".to_owned(), "[::1]".to_owned()]
    {
        assert_eq!(send(&host, &[])?.status, 200, "{host}");
    }
    let own = format!("http://127.0.0.1:{port}");
    let host = format!("127.0.0.1:{port}");
    assert_eq!(send(&host, &[("origin", &own), ("sec-fetch-site", "same-origin")])?.status, 200);
    for (host, headers) in [
        ("evil.example", &[][..]),
        ("localhost.evil.example", &[]),
        (&host, &[("origin", "http://evil.example"), ("content-type", "text/plain")]),
        (&host, &[("sec-fetch-site", "cross-site")]),
        (&host, &[("sec-fetch-site", "same-site"), ("origin", &own)]),
        (&host, &[("origin", "null")]),
    ] {
        let answer = send(host, headers)?;
        assert_eq!((answer.status, answer.code()), (403, "AccessDeniedException"), "{host} {headers:?}");
        assert!(!answer.message().is_empty());
    }
    server.install("provided.al2023")?;
    serves(&server)
}
