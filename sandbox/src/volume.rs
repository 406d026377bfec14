//! `/tmp`: a small ext4 file system of its own, in a file without a name.
//!
//! Pages of a tmpfs are charged to the function and cannot be freed; a function of 128 MB may yet write
//! 10 GB to `/tmp`. An image on disk is neither. Its file is deleted before it is used and its loop device
//! lets go by itself, so whatever dies, nothing is left to clean up. The disk space of a volume is reserved
//! as a whole (0.2 ms); where there is too little of it the file is sparse, and every write goes through to it at once:
//! a write that was accepted is never lost for want of space. Making one takes about 15 ms,
//! so [`maker`] processes do it ahead of time.

mod image;
mod maker;
mod stock;

pub(crate) use self::stock::{Stock, Tmp};
