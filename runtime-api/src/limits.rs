//! Bounds of what a runtime may send.

/// Largest response or error body: 6 MiB and 100 bytes (lambda.md A4).
pub const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;
/// What is read of a too large body so that its sender sees the refusal; then the connection ends.
pub(crate) const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Request line and headers: clients put up to 1 MiB into one header (lambda.md A3).
pub const HEADERS_BYTES_MAX: usize = 1024 * 1024 + 16 * 1024;
/// Connections of one environment at once.
pub(crate) const CONNECTIONS_MAX: usize = 1024;
