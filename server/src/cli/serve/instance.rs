//! Names the server of one data directory. A start removes what the server of this name left, and nothing
//! else.

use std::path::Path;

use lambd_model::hex;
use sha2::{Digest as _, Sha256};

/// A short and stable name for the control groups, made from the canonical path.
pub(super) fn name(root: &Path) -> String {
    hex(&hash(root))
}

/// A stable number, made from the canonical path.
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
    fn each_directory_has_a_name_of_its_own() {
        let name = |path: &str| name(Path::new(path));
        assert_eq!(name("/var/lib/lambd"), name("/var/lib/lambd"));
        assert_ne!(name("/var/lib/lambd"), name("/var/lib/lambd2"));
        assert_eq!(name("/a").len(), 12);
    }
}
