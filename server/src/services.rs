//! Small stand-ins of services beside Lambda that its clients ask.

pub mod sts;
