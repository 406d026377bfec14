//! Measures a cold start, from the request for a sandbox to the program's first byte, and a plain spawn of
//! the same program, alternately in one run. Needs root, `cc` and the binary `lambd-launcher` in the same
//! folder.
//!
//! `cargo run --release -p lambd-sandbox --example cold_start [ROUNDS]`
#![expect(clippy::print_stdout, reason = "prints a table")]

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lambd_sandbox::{Bind, Launcher, LauncherConfig, Spec, start};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Pause between two rounds, in which the stocks fill as between two cold starts of a quiet server.
const PAUSE: Duration = Duration::from_millis(60);
/// Number of sandboxes of the burst, all alive at the same time.
const BURST: usize = 100;

fn main() -> Outcome<()> {
    lambd_sandbox::launcher_entry();
    let rounds = std::env::args().nth(1).map_or(Ok(200), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let program = compile(dir.path())?;
    let mut config = LauncherConfig::new("bench", dir.path().join("volumes"), dir.path().join("uids"));
    config.allowed_sources = vec![dir.path().to_owned()];
    let mut launcher = start(&config)?;
    let spec = spec(dir.path());

    let (mut bare, mut sandboxed) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        std::thread::sleep(PAUSE);
        bare.push(spawn(&program)?);
        std::thread::sleep(PAUSE);
        sandboxed.push(launch(&mut launcher, &spec)?.0);
    }
    let floor = quantile(&mut bare, 50);
    println!("{:28} {:>9} {:>9} {:>9} {:>9}", "first byte, ms", "p50", "p99", "over p50", "ratio");
    for (name, times) in [("spawn", &mut bare), ("sandbox", &mut sandboxed)] {
        let (p50, p99) = (quantile(times, 50), quantile(times, 99));
        println!("{name:28} {p50:9.3} {p99:9.3} {:9.3} {:9.1}", p50 - floor, p50 / floor);
    }
    burst(&mut launcher, &spec)?;
    let begun = Instant::now();
    let ended = launcher.shutdown(Duration::from_secs(20));
    println!("end: {ended:?}, after {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn burst(launcher: &mut Launcher, spec: &Spec) -> Outcome<()> {
    std::thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    let (mut alive, mut each) = (Vec::new(), Vec::new());
    for _ in 0..BURST {
        let (time, sandbox) = launch(launcher, spec)?;
        each.push(time);
        alive.push(sandbox);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (p50, p99) = (quantile(&mut each, 50), quantile(&mut each, 99));
    println!("{:28} {p50:9.3} {p99:9.3}", format!("burst of {BURST}, one by one"));
    println!("{:28} {:9.0}", "  per second", alive.len() as f64 / seconds);
    Ok(())
}

/// A static program that writes one byte and waits.
#[expect(clippy::disallowed_methods, reason = "a tool of the benchmark")]
fn compile(dir: &Path) -> Outcome<PathBuf> {
    let (source, program) = (dir.join("byte.c"), dir.join("bootstrap"));
    std::fs::write(
        &source,
        "#include <unistd.h>\nint main(void) { write(1, \"x\", 1); pause(); return 0; }\n",
    )?;
    let status = Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(&source).status()?;
    if status.success() { Ok(program) } else { Err("cc failed".into()) }
}

fn spec(code: &Path) -> Spec {
    Spec {
        id: "be".into(),
        binds: vec![Bind { source: code.into(), target: "/var/task".into() }],
        argv: vec![b"/var/task/bootstrap".to_vec()],
        cwd: "/var/task".into(),
        hostname: "bench".into(),
        memory_mib: 128,
        cpu_quota_permille: 72,
        cpu_init_permille: 1000,
        tmp_mib: 512,
        processes_max: 1024,
        ..Spec::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the floor of the comparison")]
fn spawn(program: &Path) -> Outcome<f64> {
    let begun = Instant::now();
    let mut child = Command::new(program).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    first_byte(output.into())?;
    let time = begun.elapsed();
    child.kill()?;
    child.wait()?;
    Ok(time.as_secs_f64() * 1e3)
}

fn launch(launcher: &mut Launcher, spec: &Spec) -> Outcome<(f64, lambd_sandbox::Sandbox)> {
    let begun = Instant::now();
    let sandbox = launcher.launch(spec)?;
    first_byte(sandbox.output.try_clone()?)?;
    Ok((begun.elapsed().as_secs_f64() * 1e3, sandbox))
}

fn first_byte(output: OwnedFd) -> io::Result<()> {
    poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], PollTimeout::from(5000_u16))?;
    File::from(output).read_exact(&mut [0])
}

fn quantile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
