//! The one thread that writes.
//!
//! Batches gather while it waits for the disk; then it takes all of them into one round, with one flush if
//! any of them needs it. The waiting batches are bounded in bytes: beyond the bound a caller waits until
//! there is room.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use lambd_store::{Batch, Claim, CommitError, Durability, Hub, RowVersion, StoreError, check_name};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::database::Database;
use crate::round::Round;

/// Most that may wait, in KiB: two of the largest batches.
const WAITING_KIB_MAX: usize = 64 << 10;
/// Most that one round takes, in KiB; the last batch may exceed it.
const ROUND_KIB_MAX: usize = 16 << 10;

/// The handle of the thread. When it is dropped, the thread finishes the waiting work and ends.
#[derive(Debug)]
pub(crate) struct Committer {
    /// `None` while the handle is dropped.
    jobs: Option<Sender<Job>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

/// Held while the job waits or is in a round.
type Room = OwnedSemaphorePermit;
type Answer<T, E> = oneshot::Sender<Result<T, E>>;

#[derive(Debug)]
enum Work {
    Commit(Batch, Durability, Answer<RowVersion, CommitError>),
    Claim { queue: String, now_ms: u64, max: usize, lease_ms: u64, answer: Answer<Vec<Claim>, StoreError> },
    NextDue { queue: String, answer: Answer<Option<u64>, StoreError> },
}

#[derive(Debug)]
struct Job {
    work: Work,
    room: Room,
}

/// Sends an answer once the result of the round's write is known.
type Pending = Box<dyn FnOnce(&Result<(), StoreError>)>;

impl Committer {
    pub(crate) fn start(database: Arc<Database>, hub: Arc<Hub>) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let run = move || run(&database, &hub, &waiting);
        let thread = thread::Builder::new().name("store-committer".into()).spawn(run)?;
        let room = Arc::new(Semaphore::new(WAITING_KIB_MAX));
        Ok(Self { jobs: Some(jobs), room, thread: Some(thread) })
    }

    pub(crate) async fn commit(
        &self,
        batch: Batch,
        durability: Durability,
    ) -> Result<RowVersion, CommitError> {
        batch.validate()?;
        self.ask(batch.bytes(), |answer| Work::Commit(batch, durability, answer)).await
    }

    pub(crate) async fn claim(
        &self,
        queue: &str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claim>, StoreError> {
        check_name("queue name", queue)?;
        let queue = queue.to_owned();
        self.ask(0, |answer| Work::Claim { queue, now_ms, max, lease_ms, answer }).await
    }

    pub(crate) async fn next_due(&self, queue: &str) -> Result<Option<u64>, StoreError> {
        check_name("queue name", queue)?;
        let queue = queue.to_owned();
        self.ask(0, |answer| Work::NextDue { queue, answer }).await
    }

    /// Hands over work of `bytes` to the thread when there is room, and waits for its answer.
    async fn ask<T, E: From<StoreError>>(
        &self,
        bytes: usize,
        work: impl FnOnce(Answer<T, E>) -> Work,
    ) -> Result<T, E> {
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).saturating_add(1);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| ended())?;
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(Job { work: work(answer), room }).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, its callers got an error.
            let _ = thread.join();
        }
    }
}

fn ended() -> StoreError {
    StoreError::ReadOnly { cause: "the thread that writes has ended".into() }
}

fn run(database: &Database, hub: &Hub, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let (mut kib, mut jobs) = (0, Vec::new());
        let mut next = Some(first);
        while let Some(job) = next {
            kib += job.room.num_permits();
            jobs.push(job);
            next = if kib < ROUND_KIB_MAX { waiting.try_recv().ok() } else { None };
        }
        run_round(database, hub, jobs);
    }
}

fn run_round(database: &Database, hub: &Hub, jobs: Vec<Job>) {
    let usable = database.refuse_after_failure();
    let mut round = Round::new(database);
    let (works, rooms): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.work, job.room)).unzip();
    let take = |work| match work {
        Work::Commit(batch, durability, answer) => {
            let usable = usable.clone().map_err(CommitError::from);
            pending(answer, usable.and_then(|()| round.commit(batch, durability)))
        }
        Work::Claim { queue, now_ms, max, lease_ms, answer } => {
            let usable = usable.clone();
            pending(answer, usable.and_then(|()| round.claim(&queue, now_ms, max, lease_ms)))
        }
        Work::NextDue { queue, answer } => pending(answer, round.next_due(&queue)),
    };
    let pending: Vec<Pending> = works.into_iter().map(take).collect();
    let written = round.write(hub);
    drop(rooms);
    for answer in pending {
        answer(&written);
    }
}

/// Answers with the result of the write. If the write failed, refusals get that error, too: the reason of a
/// refusal may be a change that another batch of the round would have made.
fn pending<T: 'static, E: From<StoreError> + 'static>(answer: Answer<T, E>, taken: Result<T, E>) -> Pending {
    Box::new(move |written| {
        let fate = written.clone().map_err(E::from);
        // The caller may have gone.
        let _ = answer.send(fate.and(taken));
    })
}
