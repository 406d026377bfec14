//! The names of entries: paths that stay inside the package.

use super::PackageError;

/// Longest name of an entry in bytes. Linux allows 4,095 for a path, of which the data directory needs a
/// part.
const NAME_BYTES_MAX: usize = 2048;
/// Longest part of a name in bytes: Linux's limit.
const PART_BYTES_MAX: usize = 255;
/// Most directories above a file.
const DEPTH_MAX: usize = 64;

/// The path of an entry in the tree: relative, with `/` between its parts, none of which is empty, `.` or
/// `..`. It is empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPath(String);

impl EntryPath {
    /// Reads the name of an entry.
    pub(super) fn parse(name: &str) -> Result<Self, PackageError> {
        let bad = |why: &str| Err(PackageError::bad(format!("name {name:?} {why}")));
        if name.len() > NAME_BYTES_MAX {
            return Err(PackageError::bad(format!("name of {} bytes", name.len())));
        }
        if name.contains('\0') {
            return bad("contains a NUL");
        }
        if name.starts_with(['/', '\\']) || has_drive(name) {
            return bad("is absolute");
        }
        // A backslash is an ordinary character here, but a separator for some tools.
        if name.split(['/', '\\']).any(|part| part == "..") {
            return bad("leads upwards");
        }
        let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.iter().any(|part| part.len() > PART_BYTES_MAX) {
            return bad("has a part that is too long");
        }
        if parts.len() > DEPTH_MAX + 1 {
            return bad("is too deep");
        }
        Ok(Self(parts.join("/")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory of the entry, and its name there.
    pub(super) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_package_are_refused() {
        let deep = "d/".repeat(DEPTH_MAX);
        let cases = [
            ("a", Some("a")),
            ("a/b.py", Some("a/b.py")),
            ("./a//b/./c", Some("a/b/c")),
            ("dir/", Some("dir")),
            ("./", Some("")),
            ("...", Some("...")),
            ("a\\b", Some("a\\b")),
            ("é ☃", Some("é ☃")),
            (&format!("{deep}f"), Some(&*format!("{deep}f"))),
            (&format!("{deep}d/f"), None),
            (&"n".repeat(255), Some(&*"n".repeat(255))),
            (&"n".repeat(256), None),
            (&"n/".repeat(2000), None),
            ("..", None),
            ("../a", None),
            ("a/../b", None),
            ("a/..", None),
            ("..\\a", None),
            ("a\\..\\b", None),
            ("/a", None),
            ("\\a", None),
            ("C:\\a", None),
            ("c:a", None),
            ("a\0b", None),
        ];
        for (name, want) in cases {
            let got = EntryPath::parse(name).ok();
            assert_eq!(got.as_ref().map(EntryPath::as_str), want, "{name:?}");
        }
    }

    #[test]
    fn a_path_is_split_into_directory_and_name() {
        for (name, want) in [("a", ("", "a")), ("a/b/c", ("a/b", "c"))] {
            assert_eq!(EntryPath::parse(name).unwrap().split(), want);
        }
    }
}
