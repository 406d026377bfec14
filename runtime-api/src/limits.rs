//! Limits on what a runtime may send.

/// Largest body of `/response`, in bytes [fact:response-size].
pub const RESPONSE_BODY_MAX_BYTES: usize = 6 * 1024 * 1024 + 100;

/// Largest body of `/error` and `/init/error`, in bytes [fact:runtime-error-size].
pub const ERROR_BODY_MAX_BYTES: usize = 1024 * 1024;

/// Largest request head, in bytes. Clients put up to 1 MiB into one header (the X-Ray cause)
/// [fact:runtime-head-size]; a head of 1.1 MB is refused with 431.
pub const REQUEST_HEAD_MAX_BYTES: usize = 1024 * 1024 + 16 * 1024;

/// Largest X-Ray cause that is kept, in bytes; a larger one is dropped [fact:xray-cause-size].
pub const XRAY_CAUSE_MAX_BYTES: usize = 64 * 1024;

/// Longest error type that is kept, in bytes; a longer one becomes `…Unknown` [fact:error-type-form].
pub const ERROR_TYPE_MAX_BYTES: usize = 1024;

/// Connections that one environment may hold open; more wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 1024;

/// The first connections of an environment, which take no descriptors from the common pool: the environment
/// has paid for them.
pub const CONNECTIONS_FREE: usize = 2;

/// Descriptors that one connection takes.
pub const CONNECTION_DESCRIPTORS: u32 = 2;

/// Bytes that the requests of one environment may make the server hold in addition to one response: heads,
/// and bodies of `/error` and `/init/error`. One request may use about half of it.
pub const HELD_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How much of a refused request's body is read and dropped, in bytes, so that the client reads the refusal;
/// if there is more, the connection is closed.
pub const DRAIN_MAX_BYTES: usize = 64 * 1024 * 1024;

/// How long a refused request's body may be read and dropped, in milliseconds.
pub const DRAIN_MAX_MS: u64 = 5_000;
