//! One sandbox that is a task, and the program that its environment has of it.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use lambd_sandbox::Exit;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::environment::program::Program;

/// One sandbox, alive or not.
#[derive(Debug)]
pub(super) struct Body {
    /// The number of the sandbox, from 0, in the order of the launches.
    pub(super) number: usize,
    /// CPU of its init, thousandths of one CPU.
    pub(super) init_permille: u32,
    life: Mutex<Life>,
    thawed: Notify,
}

#[derive(Debug, Default)]
struct Life {
    exit: Option<Exit>,
    waker: Option<Waker>,
    task: Option<AbortHandle>,
    /// The writing end of its standard output.
    output: Option<File>,
    frozen: bool,
    freezes: usize,
    cpu_limited: bool,
    received: Vec<String>,
}

impl Body {
    pub(super) fn new(number: usize, init_permille: u32) -> Self {
        Self { number, init_permille, life: Mutex::default(), thawed: Notify::new() }
    }

    /// Its task runs and prints to this pipe.
    pub(super) fn begin(&self, task: AbortHandle, output: File) {
        let mut life = self.life();
        (life.task, life.output) = (Some(task), Some(output));
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.life().exit.is_none()
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.is_alive() && self.life().frozen
    }

    pub(super) fn freezes(&self) -> usize {
        self.life().freezes
    }

    pub(super) fn is_cpu_limited(&self) -> bool {
        self.life().cpu_limited
    }

    /// The events that it received.
    pub(super) fn events(&self) -> Vec<String> {
        self.life().received.clone()
    }

    pub(super) fn received(&self, id: &str) {
        self.life().received.push(id.to_owned());
    }

    /// Writes a line to its standard output.
    pub(super) fn print(&self, line: &str) {
        writeln!(self.life().output.as_ref().expect("it lives"), "{line}").unwrap();
    }

    /// Waits while it is frozen.
    pub(super) async fn thawed(&self) {
        while self.life().frozen {
            self.thawed.notified().await;
        }
    }

    /// Closes its connections; the server has not learnt of the program's end yet.
    pub(super) fn hang_up(&self) {
        if let Some(task) = self.life().task.take() {
            task.abort();
        }
    }

    /// Ends its program, unless it has ended already.
    pub(super) fn end(&self, exit: Exit) {
        let mut life = self.life();
        life.exit.get_or_insert(exit);
        life.output = None;
        let (waker, task) = (life.waker.take(), life.task.take());
        drop(life);
        if let Some(task) = task {
            task.abort();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The program, as the environment has it.
#[derive(Debug)]
pub(super) struct Handle(pub(super) Arc<Body>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program for Handle {
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit> {
        let mut life = self.0.life();
        life.waker = Some(cx.waker().clone());
        life.exit.map_or(Poll::Pending, Poll::Ready)
    }

    fn kill(&mut self) {
        self.0.end(Exit::Gone);
    }

    fn freeze(&self) -> io::Result<()> {
        let mut life = self.0.life();
        life.frozen = true;
        life.freezes += 1;
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        self.0.life().frozen = false;
        self.0.thawed.notify_one();
        Ok(())
    }

    fn limit_cpu(&self) -> io::Result<()> {
        self.0.life().cpu_limited = true;
        Ok(())
    }

    fn memory_peak_bytes(&self) -> io::Result<u64> {
        Ok(1 << 20)
    }

    fn memory_cache_bytes(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn oom_kills(&self) -> io::Result<u64> {
        Ok(0)
    }
}
