//! Configuration. One table declares all keys; each is a line of the TOML file, an environment variable and a
//! flag. A flag has precedence over a variable, a variable over the file, the file over the default.
//!
//! Everything is read and checked before a port is bound or a file of the data directory is touched.
//! Unknown keys of the file, unknown flags and unknown `LAMBD_…` variables are refused by name: a
//! misspelt limit must not be a missing limit.

mod check;
mod error;
mod keys;
mod load;
mod log;
mod policies;
#[cfg(test)]
mod reference;
mod values;

pub use error::ConfigError;
pub use keys::{Config, Settings};
pub use load::Source;
pub use log::init_log;
pub use values::{AuthMode, Ids, LogLevel, ServerLogFormat};
