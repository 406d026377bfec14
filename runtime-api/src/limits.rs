//! What a runtime may send.

/// Largest body of `/response`, in bytes [fact:response-size].
pub const RESPONSE_BODY_MAX_BYTES: usize = 6 * 1024 * 1024 + 100;

/// Largest body of `/error` and `/init/error`, in bytes [fact:runtime-error-size].
pub const ERROR_BODY_MAX_BYTES: usize = 1024 * 1024;

/// Largest request head, in bytes. Clients put up to 1 MiB into one header (the X-Ray cause)
/// [fact:runtime-head-size]; 1.1 MB is refused with 431.
pub const REQUEST_HEAD_MAX_BYTES: usize = 1024 * 1024 + 16 * 1024;

/// Largest X-Ray cause that is kept, in bytes; a larger one is dropped [fact:xray-cause-size].
pub const XRAY_CAUSE_MAX_BYTES: usize = 64 * 1024;

/// Longest error type that is taken as given, in bytes; a longer one becomes `…Unknown` [fact:error-type-form].
pub const ERROR_TYPE_MAX_BYTES: usize = 1024;

/// Connections that one environment may hold open; further ones wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 1024;

/// Connections of these that need no descriptors of the common pool: they are paid with the environment.
pub const CONNECTIONS_FREE: usize = 2;

/// Descriptors that one connection takes.
pub const CONNECTION_DESCRIPTORS: u32 = 2;

/// Bytes that the requests of one environment may make the server hold, beside one response: heads, and bodies of
/// `/error` and `/init/error`. One request may use up about half of it.
pub const HELD_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How much of a refused request's body is read and dropped, in bytes, so that the client gets to
/// read the refusal; past it the connection is closed.
pub const DRAIN_MAX_BYTES: usize = 64 * 1024 * 1024;

/// How long reading and dropping a refused request's body may take, in milliseconds.
pub const DRAIN_MAX_MS: u64 = 5_000;
