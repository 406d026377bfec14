//! Tests across routes: lifetimes, limits of connections, malformed HTTP, and many invocations.

mod connections;
mod invocations;
mod malformed;
