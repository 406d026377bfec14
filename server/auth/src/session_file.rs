//! The file that keeps the [`SessionKey`], so that sessions survive a restart.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::credentials::{self, OPEN_TO_OTHERS, write_new};
use super::key::hex;
use super::{CredentialsError, SessionKey};

impl SessionKey {
    /// Reads the file: 64 hexadecimal digits. Where there is none, writes one with a new key, as
    /// [`super::Credentials::load_or_create`] does.
    ///
    /// # Errors
    /// [`CredentialsError`], also if others may read or write the file. An existing file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, CredentialsError> {
        match credentials::read(path, OPEN_TO_OTHERS, parse) {
            Err(CredentialsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let made = create(path);
                made.map_err(|source| CredentialsError::Write { path: path.to_owned(), source })
            }
            loaded => loaded,
        }
    }
}

fn create(path: &Path) -> io::Result<SessionKey> {
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    write_new(path, &format!("{}\n", String::from_utf8_lossy(&hex(&key))))?;
    Ok(SessionKey::new(key))
}

fn parse(text: &str) -> Result<SessionKey, String> {
    let digits: Option<Vec<_>> = text.trim().chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or("not 64 hexadecimal digits")?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(pair[0] << 4 | pair[1]).unwrap_or_default();
    }
    Ok(SessionKey::new(key))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session-key");
        let made = SessionKey::load_or_create(&path).unwrap();
        assert_eq!(SessionKey::load_or_create(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(SessionKey::load_or_create(&folder.path().join("other")).unwrap(), made);
    }

    #[test]
    fn a_file_that_is_no_key_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session-key");
        for text in ["", "00", &"0".repeat(63), &"x".repeat(64)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = SessionKey::load_or_create(&path).unwrap_err().to_string();
            assert!(
                error.contains("not 64 hexadecimal digits") && error.contains("restore the file"),
                "{error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SessionKey::load_or_create(&path).is_err());
    }
}
