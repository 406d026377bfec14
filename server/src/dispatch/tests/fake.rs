//! Sandboxes without root, processes or control groups: each is a task that is its own runtime.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lambd_sandbox::{Exit, Spec};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::act::Init;
use super::runtime;
use crate::environment::launch::{Launch, LaunchFuture, Launched, StartError};
use crate::environment::program::Program;

/// Starts environments and remembers them all.
#[derive(Debug, Default)]
pub(super) struct Fake {
    inits: Mutex<VecDeque<Init>>,
    bodies: Mutex<Vec<Arc<Body>>>,
}

/// One environment, alive or not.
#[derive(Debug)]
pub(super) struct Body {
    /// Counts from 0, in the order of their launches.
    pub(super) number: usize,
    /// CPU of its init, thousandths.
    pub(super) init_permille: u32,
    life: Mutex<Life>,
    thawed: Notify,
}

#[derive(Debug, Default)]
struct Life {
    exit: Option<Exit>,
    waker: Option<Waker>,
    task: Option<AbortHandle>,
    /// Standard output.
    output: Option<File>,
    frozen: bool,
    freezes: usize,
    cpu_limited: bool,
    received: Vec<String>,
}

impl Fake {
    /// How the next launches go; those behind them start at once.
    pub(super) fn next_inits(&self, inits: impl IntoIterator<Item = Init>) {
        self.inits.lock().unwrap().extend(inits);
    }

    /// The environment of this number.
    pub(super) fn body(&self, number: usize) -> Arc<Body> {
        Arc::clone(&self.bodies.lock().unwrap()[number])
    }

    pub(super) fn launched(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }

    /// The numbers of those that live.
    pub(super) fn alive(&self) -> Vec<usize> {
        self.numbers(Body::is_alive)
    }

    /// The numbers of those that are frozen.
    pub(super) fn frozen(&self) -> Vec<usize> {
        self.numbers(|body| body.is_alive() && body.life().frozen)
    }

    /// Every event that any of them got, as often as it was got.
    pub(super) fn received(&self) -> Vec<String> {
        self.bodies.lock().unwrap().iter().flat_map(|body| body.life().received.clone()).collect()
    }

    fn numbers(&self, which: impl Fn(&Body) -> bool) -> Vec<usize> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().filter(|body| which(body)).map(|body| body.number).collect()
    }

    fn start(&self, spec: &Spec) -> Result<Launched, StartError> {
        let init = self.inits.lock().unwrap().pop_front().unwrap_or(Init::Ready(Duration::ZERO));
        if matches!(init, Init::Refused) {
            return Err(StartError::Busy);
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let api = listener.local_addr()?;
        let (sender, output) = tokio::net::unix::pipe::pipe()?;
        let mut bodies = self.bodies.lock().unwrap();
        let (number, init_permille) = (bodies.len(), spec.cpu_init_permille);
        let body = Arc::new(Body { number, init_permille, life: Mutex::default(), thawed: Notify::new() });
        bodies.push(Arc::clone(&body));
        let task = {
            let body = Arc::clone(&body);
            tokio::spawn(async move {
                let exit = runtime::run(&body, init, api).await;
                body.end(exit);
            })
        };
        body.life().task = Some(task.abort_handle());
        body.life().output = Some(sender.into_nonblocking_fd()?.into());
        Ok(Launched { listener, output: output.into_nonblocking_fd()?, program: Box::new(Handle(body)) })
    }
}

impl Launch for Fake {
    fn launch(&self, spec: Spec) -> LaunchFuture<'_> {
        Box::pin(async move { self.start(&spec) })
    }
}

impl Body {
    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.life().exit.is_none()
    }

    pub(super) fn freezes(&self) -> usize {
        self.life().freezes
    }

    pub(super) fn is_cpu_limited(&self) -> bool {
        self.life().cpu_limited
    }

    pub(super) fn events(&self) -> usize {
        self.life().received.len()
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

    /// Its connections end; of the program's end nobody has heard yet.
    pub(super) fn hang_up(&self) {
        if let Some(task) = self.life().task.take() {
            task.abort();
        }
    }

    /// Its program ends, if it has not yet.
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

/// What the environment holds of it.
#[derive(Debug)]
struct Handle(Arc<Body>);

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
