//! The rendezvous between the server, which has an event, and the runtime, which polls for one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::http::Service;
use crate::render::Refusal;
use crate::state::{Call, State};

/// One event for the runtime, with everything that becomes a header (lambda.md A2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// UUID of the invocation.
    pub request_id: String,
    /// When the invocation times out, ms since 1970.
    pub deadline_ms: i64,
    /// The ARN as the caller named it.
    pub invoked_function_arn: String,
    /// X-Ray header.
    pub trace_id: Option<String>,
    /// Decoded JSON text.
    pub client_context: Option<String>,
    /// JSON text.
    pub cognito_identity: Option<String>,
    /// Tenant of a tenant-isolated function.
    pub tenant_id: Option<String>,
    /// Unique for each attempt; the runtime may echo it.
    pub invocation_id: Option<String>,
    /// `application/json` when absent.
    pub content_type: Option<String>,
    /// The event itself.
    pub body: Bytes,
}

/// How the runtime's init ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// It polls for its first event.
    Next,
    /// It reported a failure; it usually exits next.
    InitError(InitError),
}

/// What was posted to init/error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitError {
    /// Passed on verbatim.
    pub body: Bytes,
    /// Normalised (lambda.md A6).
    pub error_type: String,
}

/// What the runtime made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// POST response.
    Response {
        /// The answer, untouched.
        body: Bytes,
        /// As the runtime sent it.
        content_type: Option<String>,
    },
    /// POST error, or the error trailers of a response.
    Error {
        /// The error, untouched.
        body: Bytes,
        /// As the runtime sent it.
        content_type: Option<String>,
        /// Normalised (lambda.md A6).
        error_type: String,
    },
    /// More than [`crate::RESPONSE_BYTES_MAX`]; the runtime goes on.
    ResponseTooLarge,
    /// The body ended early; the runtime goes on.
    Truncated,
    /// A response mode that does not exist; every further call but a reset is refused (lambda.md A3).
    InvalidResponseMode,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Waits for a poll.
    queued: Option<Arc<Event>>,
    /// With the runtime.
    active: Option<Arc<Event>>,
    outcome: Option<Outcome>,
    init_error: Option<InitError>,
}

/// State and wake-ups shared by the server's side and the HTTP side.
#[derive(Debug)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    /// An event is queued.
    queued: Notify,
    /// Something happened that the server may wait for.
    progress: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the state whole; there is nothing to distrust after a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The poll itself. Gives the event, or nothing when it must wait.
    pub(crate) fn poll_event(&self) -> Result<Option<Arc<Event>>, Refusal> {
        let mut inner = self.lock();
        let before = inner.state;
        inner.state = before.after(Call::Next)?;
        if inner.state == State::Running {
            return Ok(inner.active.clone());
        }
        if before != State::Ready {
            inner.active = None;
            self.progress.notify_one();
        }
        Ok(inner.take_queued())
    }

    /// Waits for an event after [`Self::poll_event`] gave none. Cancel-safe: a poll whose connection closes
    /// leaves the event to the next one.
    pub(crate) async fn next_event(&self) -> Result<Arc<Event>, Refusal> {
        loop {
            let queued = self.queued.notified();
            let event = {
                let mut inner = self.lock();
                match inner.state {
                    State::Ready => inner.take_queued(),
                    // Another poll took the event: this one keeps waiting.
                    _ => None,
                }
            };
            if let Some(event) = event {
                return Ok(event);
            }
            queued.await;
        }
    }

    /// The head of a POST for `request_id`: id first, then state.
    pub(crate) fn begin(&self, request_id: &str, echo: Option<&[u8]>, call: Call) -> Result<(), Refusal> {
        let mut inner = self.lock();
        let active = inner.active.as_deref().filter(|event| event.request_id == request_id);
        let active = active.ok_or(Refusal::RequestId)?;
        let expected = active.invocation_id.as_deref().map(str::as_bytes);
        if echo.is_some() && expected.is_some() && echo != expected {
            return Err(Refusal::InvocationId);
        }
        inner.state = inner.state.after(call)?;
        Ok(())
    }

    /// The end of that POST.
    pub(crate) fn complete(&self, outcome: Outcome) {
        let mut inner = self.lock();
        // A wrong response mode leaves the runtime where it is: its further calls are refused.
        if outcome != Outcome::InvalidResponseMode
            && let Ok(state) = inner.state.after(Call::Sent)
        {
            inner.state = state;
        }
        inner.outcome = Some(outcome);
        drop(inner);
        self.progress.notify_one();
    }

    pub(crate) fn check_init_error(&self) -> Result<(), Refusal> {
        self.lock().state.after(Call::InitError)?;
        Ok(())
    }

    pub(crate) fn init_error(&self, error: InitError) -> Result<(), Refusal> {
        let mut inner = self.lock();
        inner.state = inner.state.after(Call::InitError)?;
        inner.init_error = Some(error);
        drop(inner);
        self.progress.notify_one();
        Ok(())
    }

    /// Waits until `look` finds what it looks for. The server's task is the only one that waits here.
    async fn wait<T>(&self, mut look: impl FnMut(&mut Inner) -> Option<T>) -> T {
        loop {
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            self.progress.notified().await;
        }
    }
}

impl Inner {
    fn take_queued(&mut self) -> Option<Arc<Event>> {
        let event = self.queued.take()?;
        self.state = State::Running;
        self.active = Some(Arc::clone(&event));
        Some(event)
    }
}

/// The server's side of one environment. Dropping it ends the [`Service`].
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
    /// Closed with the session.
    _alive: tokio::sync::oneshot::Sender<()>,
}

impl Session {
    /// A session in its init, and the service that the runtime is to reach.
    pub fn new() -> (Self, Service) {
        let inner =
            Inner { state: State::Started, queued: None, active: None, outcome: None, init_error: None };
        let shared =
            Arc::new(Shared { inner: Mutex::new(inner), queued: Notify::new(), progress: Notify::new() });
        let (alive, ended) = tokio::sync::oneshot::channel();
        (Self { shared: Arc::clone(&shared), _alive: alive }, Service::new(shared, ended))
    }

    /// Waits for the end of init. Cancel-safe.
    pub async fn ready(&self) -> Ready {
        self.shared
            .wait(|inner| match (&inner.init_error, inner.state) {
                (Some(error), _) => Some(Ready::InitError(error.clone())),
                (None, State::Started) => None,
                (None, _) => Some(Ready::Next),
            })
            .await
    }

    /// Queues an event for the runtime's next poll, which normally waits already. One at a time: the previous
    /// delivery must be done.
    pub fn deliver(&self, event: Event) -> Delivery {
        let mut inner = self.shared.lock();
        inner.outcome = None;
        inner.queued = Some(Arc::new(event));
        drop(inner);
        self.shared.queued.notify_one();
        Delivery { shared: Arc::clone(&self.shared) }
    }
}

/// An event on its way. Dropping it before a poll took the event takes it back.
#[derive(Debug)]
pub struct Delivery {
    shared: Arc<Shared>,
}

impl Delivery {
    /// Waits for the runtime's answer. Cancel-safe.
    pub async fn outcome(&mut self) -> Outcome {
        self.shared.wait(|inner| inner.outcome.take()).await
    }

    /// Waits until the runtime polls again: the end of the invoke phase. Cancel-safe.
    pub async fn done(&mut self) {
        self.shared.wait(|inner| (inner.state == State::Ready).then_some(())).await;
    }

    /// Whether a poll took the event. One that nobody took may be given to another environment.
    pub fn was_delivered(&self) -> bool {
        self.shared.lock().queued.is_none()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.shared.lock().queued = None;
    }
}
