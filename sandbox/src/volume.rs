//! `/tmp`: a small ext4 file system for each sandbox, in a file without a name.
//!
//! Pages of a tmpfs are charged to the function and cannot be freed, but a function of 128 MB may write 10 GB
//! to `/tmp`. An image on disk has no such limit. Its file is deleted before it is used and its loop device
//! detaches by itself, so nothing is left to clean up, whatever is killed. A volume's disk space is reserved
//! as a whole (0.2 ms). Where too little is free, the file is sparse and every write goes through to it at
//! once, so an accepted write is never lost because the disk is full. Making a volume takes about 15 ms, so
//! [`maker`] processes do it ahead of time.

mod image;
mod maker;
mod stock;

pub(crate) use self::stock::{Stock, Tmp};
