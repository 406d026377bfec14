//! The launcher's store of ready volumes, filled by [`super::maker`] processes.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::image::is_possible;
use super::maker::{self, Delivery, Order};
use crate::error::{At, StartFailure, StepError};
use crate::protocol::Channel;
use crate::sys::process::{Cloned, clone, exit};

/// Helper processes: two, because making a volume is mostly waiting for the kernel.
const MAKERS: usize = 2;
/// Longest wait for one volume.
const WAIT: Duration = Duration::from_secs(10);

/// What becomes `/tmp` of a sandbox.
#[derive(Debug)]
pub(crate) enum Tmp {
    /// A file system of its own.
    Volume(OwnedFd),
    /// Memory, charged to the function: this machine has no loop devices.
    Memory,
}

#[derive(Debug)]
struct Maker {
    channel: Channel,
    /// Orders that it has not answered yet.
    open: usize,
    /// Held so that its end can be waited for by nobody else.
    _pidfd: OwnedFd,
}

/// Ready volumes of the usual size, and orders under way.
#[derive(Debug)]
pub(crate) struct Stock {
    makers: Vec<Maker>,
    ready: HashMap<u32, VecDeque<OwnedFd>>,
    ordered: HashMap<u32, usize>,
    usual_mib: u32,
    target: usize,
}

impl Stock {
    /// Starts the makers. With `Err(reason)` in the second place there are none: `/tmp` is memory.
    pub(crate) fn start(
        folder: &Path,
        usual_mib: u32,
        target: usize,
    ) -> Result<(Self, Option<String>), StartFailure> {
        let mut stock =
            Self { makers: Vec::new(), ready: HashMap::new(), ordered: HashMap::new(), usual_mib, target };
        if let Err(reason) = is_possible() {
            return Ok((stock, Some(reason)));
        }
        for _ in 0..MAKERS {
            stock.makers.push(start_maker(folder)?);
        }
        // One is made at once, so that a machine which cannot do it says so now.
        match stock.take(usual_mib) {
            Ok(Tmp::Volume(volume)) => stock.ready.entry(usual_mib).or_default().push_back(volume),
            Ok(Tmp::Memory) => {}
            Err(StartFailure::Step(error)) => {
                stock.makers.clear();
                return Ok((stock, Some(error.to_string())));
            }
            Err(failure) => return Err(failure),
        }
        Ok((stock, None))
    }

    /// A volume of this size: from the stock, or as soon as one is made.
    pub(crate) fn take(&mut self, tmp_mib: u32) -> Result<Tmp, StartFailure> {
        if self.makers.is_empty() {
            return Ok(Tmp::Memory);
        }
        loop {
            if let Some(volume) = self.ready.get_mut(&tmp_mib).and_then(VecDeque::pop_front) {
                return Ok(Tmp::Volume(volume));
            }
            if self.ordered.get(&tmp_mib).copied().unwrap_or_default() == 0 {
                self.order(tmp_mib)?;
            }
            self.collect(WAIT)?;
        }
    }

    /// Orders what is missing, collects what has come; never waits.
    pub(crate) fn refill(&mut self) -> Result<(), StartFailure> {
        if self.makers.is_empty() {
            return Ok(());
        }
        while self.ordered.values().sum::<usize>() > 0 && self.collect(Duration::ZERO)? {}
        let have = self.ready.get(&self.usual_mib).map_or(0, VecDeque::len);
        let coming = self.ordered.get(&self.usual_mib).copied().unwrap_or_default();
        for _ in have + coming..self.target {
            self.order(self.usual_mib)?;
        }
        Ok(())
    }

    /// The descriptors that become readable when a maker delivers.
    pub(crate) fn makers(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.makers.iter().map(|maker| maker.channel.as_fd())
    }

    fn order(&mut self, tmp_mib: u32) -> Result<(), StepError> {
        if let Some(maker) = self.makers.iter_mut().min_by_key(|maker| maker.open) {
            maker.channel.send(&Order { tmp_mib }, &[]).at("order a volume")?;
            maker.open += 1;
            *self.ordered.entry(tmp_mib).or_default() += 1;
        }
        Ok(())
    }

    /// Takes in what makers have delivered; false when nothing came within `wait`.
    fn collect(&mut self, wait: Duration) -> Result<bool, StartFailure> {
        let ready = {
            let mut fds: Vec<PollFd<'_>> =
                self.makers().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
            nix::poll::poll(&mut fds, timeout).at("wait for a volume")?;
            fds.iter().position(|fd| fd.any().unwrap_or(false))
        };
        let Some(maker) = ready.and_then(|index| self.makers.get_mut(index)) else {
            if wait.is_zero() {
                return Ok(false);
            }
            return Err(StepError { step: "wait for a volume".into(), errno: libc::ETIMEDOUT }.into());
        };
        let delivery = maker.channel.receive::<Delivery>().at("receive a volume")?;
        maker.open = maker.open.saturating_sub(1);
        let tmp_mib = match delivery.value {
            Ok(tmp_mib) => tmp_mib,
            Err(failure) => {
                // Which order it was does not matter: the next `take` orders anew.
                self.ordered.clear();
                return Err(failure);
            }
        };
        if let Some(ordered) = self.ordered.get_mut(&tmp_mib) {
            *ordered = ordered.saturating_sub(1);
        }
        self.ready.entry(tmp_mib).or_default().extend(delivery.descriptors);
        Ok(true)
    }
}

fn start_maker(folder: &Path) -> Result<Maker, StepError> {
    let (here, there) = Channel::pair().at("make a channel")?;
    match clone(0, None).at("start a volume maker")? {
        Cloned::Parent(child) => Ok(Maker { channel: here, open: 0, _pidfd: child.pidfd }),
        Cloned::Child => {
            // Only its own end may stay open, or it would not notice the launcher's.
            let prepared =
                crate::sys::fd::place(there.as_fd(), 3, true).and_then(|()| crate::sys::fd::close_from(4));
            if prepared.is_ok() && set_pdeathsig(Signal::SIGKILL).is_ok() {
                let channel = Channel::placed(3);
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    maker::serve(&channel, folder)
                })));
            }
            exit(0)
        }
    }
}
