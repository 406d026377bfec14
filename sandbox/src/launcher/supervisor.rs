//! The launcher's loop: answers requests, notices ends of sandboxes, refills the stocks.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::blanks::Blank;
use super::guardian;
use super::launch::SandboxParts;
use super::machine::Machine;
use super::supervised::{KILL_AGAIN_AFTER, SupervisedSandbox};
use crate::error::{At, LaunchFailure, StepError};
use crate::protocol::{Channel, ChannelError, LauncherReply, LauncherRequest, Started};
use crate::sys;
use crate::sys::process::Child;

/// How long the end of all sandboxes may take before the launcher stops waiting.
const TEAR_DOWN_WAIT: Duration = Duration::from_secs(15);
const EVENTS: usize = 64;
/// How many blanks may die in a row before the stock is refilled only by a launch, which then reports the
/// cause.
const DEATHS_MAX: u32 = 16;

/// How many guardians a launcher may start. One that is killed is rare; many in a row mean a fault.
const GUARDIANS_MAX: u32 = 16;

/// The data of an epoll event: a kind in the low bits, the sandbox's serial number above.
const KIND_BITS: u32 = 3;
const REQUEST: u64 = 0;
const GUARDIAN: u64 = 1;
const LIFELINE: u64 = 2;
const ENDED: u64 = 3;
const OUT_OF_MEMORY: u64 = 4;

/// Whether the API process still exists.
enum ApiProcess {
    Alive,
    Gone,
}

/// State of the launcher's loop.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) machine: Machine,
    channel: Channel,
    epoll: Epoll,
    guardian: Child,
    guardians: u32,
    sandboxes: HashMap<u64, SupervisedSandbox>,
    /// Blanks with their serial numbers, oldest first.
    blanks: VecDeque<(u64, Blank)>,
    /// How many blanks have died since one was last used.
    pub(super) deaths: u32,
    serial: u64,
}

impl Supervisor {
    pub(super) fn new(machine: Machine, channel: Channel) -> Result<Self, StepError> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).at("make an epoll")?;
        epoll.add(channel.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, REQUEST)).at("watch requests")?;
        let guardian = guardian::start(&machine)?;
        let (sandboxes, blanks) = (HashMap::new(), VecDeque::new());
        let (guardians, deaths, serial) = (1, 0, 0);
        let server = Self { machine, channel, epoll, guardian, guardians, sandboxes, blanks, deaths, serial };
        server.watch(&server.guardian.pidfd, GUARDIAN)?;
        Ok(server)
    }

    /// Tells the API process that the launcher is ready.
    pub(super) fn send_ready(&self, notes: Vec<String>) -> Result<(), ChannelError> {
        self.channel.send(&Started::Ok(notes), &[])
    }

    /// Runs until the API process is gone.
    pub(super) fn serve(&mut self) {
        self.refill();
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            for token in self.wait(&mut events) {
                match token {
                    REQUEST => match self.answer() {
                        ApiProcess::Alive => {}
                        ApiProcess::Gone => return,
                    },
                    GUARDIAN => self.replace_guardian(),
                    token => self.on_event(token),
                }
            }
            self.check_memory_again();
            self.remove_finished();
            self.refill();
        }
    }

    fn wait(&self, events: &mut [EpollEvent]) -> Vec<u64> {
        let waits = self.sandboxes.values().any(|one| one.is_dying() || one.awaits_second_look());
        let timeout = if waits { KILL_AGAIN_AFTER.try_into() } else { Ok(EpollTimeout::NONE) };
        // EINTR is the only possible error; the next round waits again.
        let count = self.epoll.wait(events, timeout.unwrap_or(EpollTimeout::ZERO)).unwrap_or_default();
        events.iter().take(count).map(EpollEvent::data).collect()
    }

    fn watch(&self, fd: &OwnedFd, token: u64) -> Result<(), StepError> {
        self.epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token)).at("watch a sandbox")
    }

    /// Takes the second looks that are due.
    fn check_memory_again(&mut self) {
        let now = Instant::now();
        for (serial, sandbox) in &mut self.sandboxes {
            if sandbox.memory_was_not_out(now)
                && let Some((fd, flags)) = sandbox.oom_event()
            {
                let mut event =
                    EpollEvent::new(flags | EpollFlags::EPOLLONESHOT, serial << KIND_BITS | OUT_OF_MEMORY);
                // It was added before, so modifying it cannot fail.
                let _ = self.epoll.modify(fd, &mut event);
            }
        }
    }

    /// Replaces a guardian that has ended before the launcher. If that fails, the launcher continues: the
    /// next start sweeps.
    fn replace_guardian(&mut self) {
        unwatch(&self.epoll, &self.guardian.pidfd);
        let _ = sys::process::reap(self.guardian.pidfd.as_fd());
        if self.guardians < GUARDIANS_MAX
            && let Ok(guardian) = guardian::start(&self.machine)
        {
            self.guardian = guardian;
            self.guardians += 1;
            let _ = self.watch(&self.guardian.pidfd, GUARDIAN);
        }
    }

    fn on_event(&mut self, token: u64) {
        let serial = token >> KIND_BITS;
        if let Some(at) = self.blanks.iter().position(|(blank, _)| *blank == serial)
            && let Some((serial, blank)) = self.blanks.remove(at)
        {
            self.discard_failed(serial, blank);
        }
        let Some(sandbox) = self.sandboxes.get_mut(&serial) else { return };
        match token & ((1 << KIND_BITS) - 1) {
            OUT_OF_MEMORY => sandbox.memory_may_be_out(),
            LIFELINE => {
                if let Some(lifeline) = &sandbox.lifeline {
                    unwatch(&self.epoll, lifeline);
                }
                sandbox.kill();
            }
            ENDED => {
                if let Some(pidfd) = &sandbox.pidfd {
                    unwatch(&self.epoll, pidfd);
                }
                sandbox.reap();
            }
            _ => {}
        }
    }

    /// Kills again sandboxes that must end and have not; removes those that have ended and frees their user
    /// ids.
    fn remove_finished(&mut self) {
        let now = Instant::now();
        self.sandboxes.values_mut().for_each(|sandbox| sandbox.kill_again(now));
        let uids = &mut self.machine.uids;
        self.sandboxes.retain(|_, sandbox| {
            let gone = sandbox.remove();
            if gone {
                uids.give_back(sandbox.uid);
            }
            !gone
        });
    }

    /// Fills the stocks. An error here occurs again, and is reported, at the launch that needs the stock.
    fn refill(&mut self) {
        let _ = self.machine.volumes.refill();
        while self.blanks.len() < self.machine.blank_stock && self.deaths < DEATHS_MAX {
            let Ok(blank) = self.start_blank() else { return };
            self.blanks.push_back(blank);
        }
    }

    /// Returns a blank that lives, from the stock or a new one.
    pub(super) fn take_blank(&mut self) -> Result<(u64, Blank), LaunchFailure> {
        while let Some((serial, blank)) = self.blanks.pop_front() {
            if blank.is_alive() {
                return Ok((serial, blank));
            }
            self.discard_failed(serial, blank);
        }
        self.start_blank()
    }

    fn start_blank(&mut self) -> Result<(u64, Blank), LaunchFailure> {
        let blank = Blank::start(&mut self.machine)?;
        self.serial += 1;
        let serial = self.serial;
        match self.watch(&blank.child.pidfd, serial << KIND_BITS | ENDED) {
            Ok(()) => Ok((serial, blank)),
            Err(error) => {
                self.discard(serial, blank);
                Err(error.into())
            }
        }
    }

    /// Discards a blank that is of no use, and counts it.
    pub(super) fn discard_failed(&mut self, serial: u64, blank: Blank) {
        self.deaths += 1;
        self.discard(serial, blank);
    }

    /// Kills a sandbox that was not handed over.
    pub(super) fn discard(&mut self, serial: u64, blank: Blank) {
        let mut sandbox = SupervisedSandbox::new(blank, None);
        sandbox.kill();
        self.sandboxes.insert(serial, sandbox);
    }

    /// Watches a sandbox that is handed over to the API process; if that fails, the sandbox is killed.
    pub(super) fn track(&mut self, serial: u64, blank: Blank, lifeline: OwnedFd) -> Result<(), StepError> {
        let mut watched = self.watch(&lifeline, serial << KIND_BITS | LIFELINE);
        let mut sandbox = SupervisedSandbox::new(blank, Some(lifeline));
        if let Some((fd, flags)) = sandbox.oom_event() {
            let event =
                EpollEvent::new(flags | EpollFlags::EPOLLONESHOT, serial << KIND_BITS | OUT_OF_MEMORY);
            watched = watched.and_then(|()| self.epoll.add(fd, event).at("watch a sandbox"));
        }
        if watched.is_err() {
            sandbox.kill();
        }
        self.sandboxes.insert(serial, sandbox);
        watched
    }

    /// Answers one request.
    fn answer(&mut self) -> ApiProcess {
        let request = match self.channel.receive::<LauncherRequest>() {
            Ok(received) => received.value,
            // A request that cannot be decoded cannot be answered either: the two sides are of different
            // builds.
            Err(_) => return ApiProcess::Gone,
        };
        let LauncherRequest::Launch(spec) = request;
        let sent = match self.launch(&spec) {
            Ok(delivery) => {
                let SandboxParts { launched, descriptors, handles } = delivery;
                let files = [&handles.freeze, &handles.cpu, &handles.peak, &handles.events, &handles.stat];
                let all: Vec<BorrowedFd<'_>> = descriptors.iter().chain(files).map(AsFd::as_fd).collect();
                self.channel.send(&LauncherReply::Ok(launched), &all)
            }
            Err(failure) => self.channel.send(&LauncherReply::Err(failure), &[]),
        };
        if sent.is_ok() { ApiProcess::Alive } else { ApiProcess::Gone }
    }

    /// Kills every sandbox and removes what the launcher made.
    pub(super) fn tear_down(mut self) {
        while let Some((serial, blank)) = self.blanks.pop_front() {
            self.discard(serial, blank);
        }
        self.sandboxes.values_mut().for_each(SupervisedSandbox::kill);
        let deadline = Instant::now() + TEAR_DOWN_WAIT;
        let mut events = [EpollEvent::empty(); EVENTS];
        let _ = self.epoll.delete(self.channel.as_fd());
        while !self.sandboxes.is_empty() && Instant::now() < deadline {
            for token in self.wait(&mut events) {
                self.on_event(token);
            }
            self.remove_finished();
        }
        self.machine.groups.remove();
    }
}

fn unwatch(epoll: &Epoll, fd: impl AsFd) {
    // The descriptor is closed next, but a clone may hold a copy for a moment, and then closing does not
    // remove it.
    let _ = epoll.delete(fd);
}
