//! HTTP/1.1 below the routes: bodies in both directions, what a connection may make the server hold, whether
//! its client is still there. These modules know neither routes nor sessions.

pub(crate) mod body;
pub(crate) mod metered;
pub(crate) mod peer;
pub(crate) mod reply;
