//! What HTTP/1.1 needs below the routes: bodies in both directions, what a connection may hold, who is at its other
//! end. Knows neither routes nor sessions.

pub(crate) mod body;
pub(crate) mod metered;
pub(crate) mod peer;
pub(crate) mod reply;
