//! A name for the server of one data directory: what its predecessor left is swept, another server's is not.

use std::path::Path;

use lambd_model::hex;
use sha2::{Digest as _, Sha256};

/// Short and stable, made of the canonical path: names the control groups.
pub(super) fn name(root: &Path) -> String {
    hex(&hash(root))
}

/// The same as a number.
pub(super) fn number(root: &Path) -> u32 {
    let [a, b, c, d, ..] = hash(root);
    u32::from_be_bytes([a, b, c, d])
}

fn hash(root: &Path) -> [u8; 6] {
    let mut short = [0; 6];
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_each_directory() {
        let name = |path: &str| name(Path::new(path));
        assert_eq!(name("/var/lib/lambd"), name("/var/lib/lambd"));
        assert_ne!(name("/var/lib/lambd"), name("/var/lib/lambd2"));
        assert_eq!(name("/a").len(), 12);
    }
}
