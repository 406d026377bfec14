//! The launcher's stock of ready volumes, filled by [`super::maker`] processes.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::prctl::{set_name, set_pdeathsig};
use nix::sys::signal::Signal;

use super::image::is_possible;
use super::maker::{self, MadeVolume, VolumeOrder};
use crate::error::{At, StartFailure, StepError};
use crate::identity;
use crate::protocol::Channel;
use crate::sys;
use crate::sys::process::{Cloned, clone, exit};

/// Number of maker processes: two, because making a volume is mostly waiting for the kernel.
const MAKERS: usize = 2;
/// Longest wait for one volume.
const WAIT: Duration = Duration::from_secs(10);

/// What is mounted at `/tmp` of a sandbox.
#[derive(Debug)]
pub(crate) enum Tmp {
    /// A file system of the sandbox's own.
    Volume(OwnedFd),
    /// Memory, charged to the function, because this machine has no loop devices.
    Memory,
}

#[derive(Debug)]
struct Maker {
    channel: Channel,
    /// Sizes in MiB that are ordered and not delivered yet, oldest first.
    orders: VecDeque<u32>,
}

/// Ready volumes and open orders. Deliveries wait in the makers' sockets until they are needed.
#[derive(Debug)]
pub(crate) struct Stock {
    makers: Vec<Maker>,
    ready: HashMap<u32, VecDeque<OwnedFd>>,
    usual_mib: u32,
    target: usize,
}

/// Result of a look at the makers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collected {
    /// One delivery came, or a maker ended.
    One,
    /// Nothing came within the time allowed.
    Nothing,
}

impl Stock {
    /// Starts the makers, which work in the current folder. If a reason is returned, there are none and
    /// `/tmp` is memory.
    pub(crate) fn start(usual_mib: u32, target: usize) -> Result<(Self, Option<String>), StartFailure> {
        let mut stock = Self { makers: Vec::new(), ready: HashMap::new(), usual_mib, target };
        if let Err(reason) = is_possible() {
            return Ok((stock, Some(reason)));
        }
        for _ in 0..MAKERS {
            stock.makers.push(start_maker()?);
        }
        // One volume is made at once, so that a machine which cannot do it reports this at the start.
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

    /// Returns a volume of this size, from the stock or as soon as one is made.
    pub(crate) fn take(&mut self, tmp_mib: u32) -> Result<Tmp, StartFailure> {
        if self.makers.is_empty() {
            return Ok(Tmp::Memory);
        }
        let deadline = Instant::now() + WAIT;
        loop {
            if let Some(volume) = self.ready.get_mut(&tmp_mib).and_then(VecDeque::pop_front) {
                return Ok(Tmp::Volume(volume));
            }
            if self.coming(tmp_mib) == 0 {
                self.order(tmp_mib)?;
            }
            // A maker that dies each time is treated like one that does not answer.
            let collected = self.collect(WAIT)?;
            if collected == Collected::Nothing || Instant::now() > deadline {
                return Err(StepError { step: "wait for a volume".into(), errno: libc::ETIMEDOUT }.into());
            }
        }
    }

    /// Takes in what has been delivered and orders what is missing; never waits.
    pub(crate) fn refill(&mut self) -> Result<(), StartFailure> {
        if self.makers.is_empty() {
            return Ok(());
        }
        while self.collect(Duration::ZERO)? == Collected::One {}
        let have = self.ready.get(&self.usual_mib).map_or(0, VecDeque::len);
        for _ in have + self.coming(self.usual_mib)..self.target {
            self.order(self.usual_mib)?;
        }
        Ok(())
    }

    /// How many volumes of this size are ordered.
    fn coming(&self, tmp_mib: u32) -> usize {
        self.makers.iter().flat_map(|maker| &maker.orders).filter(|size| **size == tmp_mib).count()
    }

    fn order(&mut self, tmp_mib: u32) -> Result<(), StepError> {
        if let Some(maker) = self.makers.iter_mut().min_by_key(|maker| maker.orders.len()) {
            if maker.channel.send(&VolumeOrder { tmp_mib }, &[]).is_err() {
                *maker = start_maker()?;
                maker.channel.send(&VolumeOrder { tmp_mib }, &[]).at("order a volume")?;
            }
            maker.orders.push_back(tmp_mib);
        }
        Ok(())
    }

    /// Takes in one delivery.
    fn collect(&mut self, wait: Duration) -> Result<Collected, StartFailure> {
        let mut busy: Vec<&mut Maker> =
            self.makers.iter_mut().filter(|maker| !maker.orders.is_empty()).collect();
        let ready = {
            let channels = busy.iter().map(|maker| maker.channel.as_fd());
            let mut fds: Vec<PollFd<'_>> = channels.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
            nix::poll::poll(&mut fds, timeout).at("wait for a volume")?;
            fds.iter().position(|fd| fd.any().unwrap_or(false))
        };
        let Some(maker) = ready.and_then(|nth| busy.get_mut(nth)) else { return Ok(Collected::Nothing) };
        let tmp_mib = maker.orders.pop_front().unwrap_or_default();
        match maker.channel.receive::<MadeVolume>() {
            Ok(delivery) => {
                delivery.value?;
                self.ready.entry(tmp_mib).or_default().extend(delivery.descriptors);
            }
            // The maker has died. Another one takes its place; what is still missing is ordered again.
            Err(_) => **maker = start_maker()?,
        }
        Ok(Collected::One)
    }
}

fn start_maker() -> Result<Maker, StepError> {
    let (here, there) = Channel::pair().at("make a channel")?;
    match clone(0, None).at("start a volume maker")? {
        Cloned::Parent(_) => Ok(Maker { channel: here, orders: VecDeque::new() }),
        Cloned::Child => {
            // Only its own end may stay open; otherwise neither side would notice when the other ends.
            // Descriptor 0 was the connection to the API process.
            let prepared = sys::fd::place(there.as_fd(), 3, true)
                .and_then(|()| File::open("/dev/null"))
                .and_then(|null| sys::fd::place(null.as_fd(), 0, false))
                .and_then(|()| sys::fd::close_from(4));
            // Only a label for `ps`.
            let _ = set_name(c"lambd-volumes");
            if prepared.is_ok()
                && set_pdeathsig(Signal::SIGKILL).is_ok()
                && identity::keep(&identity::MAKER).is_ok()
            {
                let channel = Channel::placed(3);
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| maker::serve(&channel)));
            }
            exit(0)
        }
    }
}
