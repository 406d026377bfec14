//! Sandboxes without root, processes or control groups: each is a task that acts as the runtime.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambd_sandbox::Spec;

use super::act::Init;
use super::body::{Body, Handle};
use super::runtime;
use crate::environment::launch::{EnvironmentStartError, Launch, LaunchFuture, LaunchedSandbox};

/// Starts sandboxes and keeps all of them.
#[derive(Debug, Default)]
pub(super) struct Fake {
    inits: Mutex<VecDeque<Init>>,
    bodies: Mutex<Vec<Arc<Body>>>,
}

impl Fake {
    /// How the next launches go; those after them are ready at once.
    pub(super) fn next_inits(&self, inits: impl IntoIterator<Item = Init>) {
        self.inits.lock().unwrap().extend(inits);
    }

    /// The sandbox with this number.
    pub(super) fn body(&self, number: usize) -> Arc<Body> {
        Arc::clone(&self.bodies.lock().unwrap()[number])
    }

    pub(super) fn launched(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }

    /// The numbers of those that are alive.
    pub(super) fn alive(&self) -> Vec<usize> {
        self.numbers(Body::is_alive)
    }

    /// The numbers of those that are frozen.
    pub(super) fn frozen(&self) -> Vec<usize> {
        self.numbers(Body::is_frozen)
    }

    /// Every event that any of them received, as often as it was received.
    pub(super) fn received(&self) -> Vec<String> {
        self.bodies.lock().unwrap().iter().flat_map(|body| body.events()).collect()
    }

    fn numbers(&self, which: impl Fn(&Body) -> bool) -> Vec<usize> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().filter(|body| which(body)).map(|body| body.number).collect()
    }

    fn start(&self, spec: &Spec) -> Result<LaunchedSandbox, EnvironmentStartError> {
        let init = self.inits.lock().unwrap().pop_front().unwrap_or(Init::Ready(Duration::ZERO));
        if matches!(init, Init::Refused) {
            return Err(EnvironmentStartError::Busy);
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let api = listener.local_addr()?;
        let (sender, output) = tokio::net::unix::pipe::pipe()?;
        let mut bodies = self.bodies.lock().unwrap();
        let body = Arc::new(Body::new(bodies.len(), spec.cpu_init_permille));
        bodies.push(Arc::clone(&body));
        let task = {
            let body = Arc::clone(&body);
            tokio::spawn(async move {
                let exit = runtime::run(&body, init, api).await;
                body.end(exit);
            })
        };
        body.begin(task.abort_handle(), sender.into_nonblocking_fd()?.into());
        Ok(LaunchedSandbox {
            listener,
            output: output.into_nonblocking_fd()?,
            program: Box::new(Handle(body)),
        })
    }
}

impl Launch for Fake {
    fn launch(&self, spec: Spec) -> LaunchFuture<'_> {
        Box::pin(async move { self.start(&spec) })
    }
}
