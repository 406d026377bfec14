//! PID 1 of a sandbox: a clone of the launcher that contains itself, starts the program and reports how it
//! ended. It never returns and never execs, so a sandbox costs only one program start.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::Mode;
use nix::unistd::execve;

use crate::error::{At, StepError};
use crate::protocol::{Assignment, Channel, Progress};
use crate::seccomp::Filter;
use crate::sys;
use crate::sys::process::exit;
use crate::{Exit, contain, root};

/// The socket to the API process while the program runs; exec closes it in the program.
pub(crate) const STATUS: RawFd = 3;
/// The channel to the launcher until containment is complete.
pub(crate) const CHANNEL: RawFd = 4;
const DEVICES: RawFd = 5;
/// Descriptors are first moved to numbers from here on, where the fixed numbers do not collide with them.
const HIGH: RawFd = 64;

/// What the new process gets from the launcher.
#[derive(Debug)]
pub(crate) struct InitContext<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) devices: &'a OwnedFd,
    pub(crate) groups: Vec<File>,
    pub(crate) uid: u32,
    pub(crate) filter: &'a Filter,
}

/// Contains the new process, runs the program and exits.
pub(crate) fn run(context: InitContext<'_>) -> ! {
    let lived = catch_unwind(AssertUnwindSafe(|| contain_and_run(context)));
    exit(i32::from(!matches!(lived, Ok(Ok(())))))
}

fn contain_and_run(context: InitContext<'_>) -> Result<(), StepError> {
    let InitContext { channel, devices, groups, uid, filter } = context;
    set_pdeathsig(Signal::SIGKILL).at("tie to the launcher's life")?;
    set_name(c"lambd-init").at("set the name")?;
    sys::process::default_signals();
    contain::enter_groups(groups)?;
    let (channel, devices) = keep_only(channel, devices)?;
    let blank = contain::prepare_sandbox(&devices, uid);
    drop(devices);
    let (root, listener) = match blank {
        Ok(made) => made,
        Err(error) => return channel.send(&Progress::Err(error), &[]).at("report"),
    };
    channel.send(&Progress::Ok(()), &[listener.as_fd()]).at("report")?;
    drop(listener);
    let Ok(received) = channel.receive::<Assignment>() else { return Ok(()) };
    let (assignment, descriptors) = (received.value, received.descriptors);
    let done = assign_function(root, &assignment, descriptors, uid, filter);
    channel.send(&done, &[]).at("report")?;
    drop(channel);
    if done.is_ok() { supervise(&assignment) } else { Ok(()) }
}

/// Closes every descriptor of the launcher except the ones needed, and moves these to their fixed numbers.
fn keep_only(channel: &Channel, devices: &OwnedFd) -> Result<(Channel, OwnedFd), StepError> {
    let step = "sort descriptors";
    let high = |fd: BorrowedFd<'_>| fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(HIGH)).at(step);
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).at("open /dev/null")?;
    let (null, channel, devices) = (high(null.as_fd())?, high(channel.as_fd())?, high(devices.as_fd())?);
    for (from, to, cloexec) in
        [(null, 0, false), (null, STATUS, true), (channel, CHANNEL, true), (devices, DEVICES, true)]
    {
        sys::fd::place(sys::fd::borrow(from), to, cloexec).at(step)?;
    }
    sys::fd::close_from(DEVICES + 1).at(step)?;
    Ok((Channel::placed(CHANNEL), sys::fd::own(DEVICES)))
}

fn assign_function(
    root: OwnedFd,
    assignment: &Assignment,
    mut descriptors: Vec<OwnedFd>,
    uid: u32,
    filter: &Filter,
) -> Progress {
    let mounts = descriptors.split_off(descriptors.len().min(2));
    let [output, status] = descriptors.as_slice() else {
        return Err(StepError { step: "receive descriptors".into(), errno: 0 });
    };
    contain::assign_function(root, assignment, &mounts, [output.as_fd(), status.as_fd()], uid, filter)
}

/// Starts the program, reaps orphans, and reports how the program ended.
fn supervise(assignment: &Assignment) -> Result<(), StepError> {
    let status = Channel::placed(STATUS);
    let program = Program::new(assignment)?;
    let Some(first) = sys::process::fork().at("fork")? else {
        let Err(errno) = program.execute();
        let _ = status.send(&Exit::ExecFailed(errno as i32), &[]);
        exit(127);
    };
    loop {
        match sys::process::wait_any() {
            Ok((pid, ended)) if pid == first => {
                return status.send(&Exit::from_wait(ended), &[]).at("report");
            }
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error).at("wait"),
            _ => {}
        }
    }
}

struct Program {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    fn new(assignment: &Assignment) -> Result<Self, StepError> {
        use std::os::unix::ffi::OsStrExt;
        let all = |texts: &[Vec<u8>]| {
            let texts = texts.iter().map(|text| root::c_string(std::ffi::OsStr::from_bytes(text)));
            texts.collect::<Result<Vec<_>, _>>()
        };
        let argv = all(&assignment.argv)?;
        Ok(Self { path: argv.first().cloned().unwrap_or_default(), argv, env: all(&assignment.env)? })
    }

    fn execute(&self) -> Result<Infallible, nix::Error> {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        execve(&self.path, &self.argv, &self.env)
    }
}
