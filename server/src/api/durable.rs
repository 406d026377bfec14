//! Durable executions. None can run here, so there are none: every operation on one answers that it does not exist, and
//! the list of a function's is empty.

pub(super) mod list;
