//! Access keys and their secrets, in an AWS shared-credentials file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::profile::{Profile, profiles};

/// The profile that holds the server's own keys.
pub(super) const PROFILE: &str = "default";
/// Longest credentials file that is read; a real one has a few hundred bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// The digits of base 32, of which AWS's ids are made.
pub(super) const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Permission bits that the server's own file must not have: all of group and others.
pub(super) const OPEN_TO_OTHERS: u32 = 0o077;

/// A secret access key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret as a text that `Debug` does not show.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for a key derivation or for the file.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An access key and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The public part, which every signature names.
    pub access_key_id: String,
    /// The secret part.
    pub secret_access_key: Secret,
}

/// Why the credentials file cannot be used. Every text names the file and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read the credentials file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the credentials file {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Users other than its owner may read or write the file.
    #[error(
        "{path} has mode {mode:04o}, so that others may use the server's keys: chmod 0600 it, or remove it and the \
         server makes new keys"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not belong to the owner of its folder.
    #[error(
        "{path} belongs to uid {uid}, who can use the server's keys: chown it to the owner of its folder"
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// The file exists, but does not contain a pair of keys.
    #[error("{path}: {problem}; restore the file, or remove it and the server makes new keys")]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Credentials {
    /// Makes new random credentials in AWS's form: `AKIA` and 16 characters; a secret of 40 characters.
    ///
    /// # Errors
    /// The kernel's random source cannot be read.
    pub fn generate() -> io::Result<Self> {
        let mut random = [0_u8; 46];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let (id, secret) = random.split_at(16);
        let id = id.iter().map(|byte| char::from(BASE32[usize::from(byte & 31)]));
        Ok(Self {
            access_key_id: "AKIA".chars().chain(id).collect(),
            secret_access_key: Secret(STANDARD_NO_PAD.encode(secret)),
        })
    }

    /// Reads the file. Where there is none, writes one with new keys: mode 0600, never incomplete, and
    /// durable when this returns.
    ///
    /// # Errors
    /// [`CredentialsError`], also if others may read or write the file. An existing file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, CredentialsError> {
        match Self::read(path, OPEN_TO_OTHERS) {
            Err(CredentialsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let new = Self::generate();
                new.and_then(|new| new.write(path).map(|()| new))
                    .map_err(|source| CredentialsError::Write { path: path.to_owned(), source })
            }
            loaded => loaded,
        }
    }

    /// Reads a profile of an AWS shared-credentials file.
    ///
    /// # Errors
    /// [`CredentialsError`], also if there is no file or no such profile in it.
    pub fn load(path: &Path, profile: &str) -> Result<Self, CredentialsError> {
        read(path, 0, |text| Self::of(&profiles(text)?, profile))
    }

    fn read(path: &Path, refused: u32) -> Result<Self, CredentialsError> {
        read(path, refused, Self::parse)
    }

    fn parse(text: &str) -> Result<Self, String> {
        Self::default_of(&profiles(text)?)
    }

    /// The keys of profile `default`.
    pub(super) fn default_of(profiles: &[Profile<'_>]) -> Result<Self, String> {
        Self::of(profiles, PROFILE)
    }

    fn of(profiles: &[Profile<'_>], name: &str) -> Result<Self, String> {
        let found = profiles.iter().find(|profile| profile.name == name);
        found.map_or_else(|| Profile::named(name).credentials(), Profile::credentials)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let text = format!(
            "[{PROFILE}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            self.access_key_id,
            self.secret_access_key.expose()
        );
        write_new(path, &text)
    }
}

/// Writes a new file beside the target, syncs it, renames it and syncs the folder.
pub(super) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Reads a whole file of keys. Refuses one with any of the permission bits `refused`.
pub(super) fn read<T>(
    path: &Path,
    refused: u32,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, CredentialsError> {
    let failed = |source| CredentialsError::Read { path: path.to_owned(), source };
    // Before it is opened, which would wait for a pipe. The server's own file must not be a link, either.
    let look = if refused == 0 { fs::metadata(path) } else { fs::symlink_metadata(path) };
    if !look.map_err(failed)?.is_file() {
        return Err(CredentialsError::Garbled { path: path.to_owned(), problem: "not a file".to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let owner = fs::metadata(folder.unwrap_or_else(|| Path::new("."))).map_err(failed)?.uid();
    if refused != 0 && metadata.uid() != owner {
        return Err(CredentialsError::Owner { path: path.to_owned(), uid: metadata.uid() });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & refused != 0 {
        return Err(CredentialsError::Open { path: path.to_owned(), mode });
    }
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    let parsed = str::from_utf8(&text).map_err(|_| "not a text".to_owned()).and_then(parse);
    parsed.map_err(|problem| CredentialsError::Garbled { path: path.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let made = Credentials::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Credentials::load_or_create(&path).unwrap(), made);
        assert_ne!(Credentials::generate().unwrap(), made);
        assert!(made.access_key_id.starts_with("AKIA") && made.access_key_id.len() == 20);
        assert_eq!(made.secret_access_key.expose().len(), 40);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left");
        assert!(!format!("{made:?}").contains(made.secret_access_key.expose()));
    }

    #[test]
    fn files_that_others_wrote_are_read_or_refused() {
        let pair = |id: &str, secret: &str| {
            Ok(Credentials { access_key_id: id.into(), secret_access_key: Secret::new(secret) })
        };
        let no_id = Err("no `aws_access_key_id` in profile `default`".to_owned());
        for (text, expect) in [
            ("[default]\naws_access_key_id=A\naws_secret_access_key=B=/+\n", pair("A", "B=/+")),
            (
                "# c\n\n[x]\naws_access_key_id = X\n[ default ]\r\n aws_access_key_id = A \r\n\
                 region = r\n aws_secret_access_key = B",
                pair("A", "B"),
            ),
            ("", no_id.clone()),
            ("[x]\naws_access_key_id = A\naws_secret_access_key = B", no_id.clone()),
            ("aws_access_key_id = A\naws_secret_access_key = B", no_id),
            (
                "[default]\naws_access_key_id = A",
                Err("no `aws_secret_access_key` in profile `default`".to_owned()),
            ),
            (
                "[default]\naws_access_key_id = A/B\naws_secret_access_key = C",
                Err("`aws_access_key_id` is not a key".to_owned()),
            ),
            (
                "[default]\naws_access_key_id = A\naws_secret_access_key =",
                Err("`aws_secret_access_key` is not a key".to_owned()),
            ),
        ] {
            assert_eq!(Credentials::parse(text), expect, "{text:?}");
        }
    }

    #[test]
    fn keys_that_others_may_use_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let made = Credentials::load_or_create(&path).unwrap();
        for mode in [0o644, 0o640, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Credentials::load_or_create(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:04o}")) && error.contains("chmod 0600"), "{error}");
            assert_eq!(
                Credentials::load(&path, PROFILE).unwrap(),
                made,
                "clients may read a file with any mode"
            );
        }
    }

    #[test]
    fn a_garbled_file_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Credentials::load_or_create(folder.path()).unwrap_err().to_string();
        assert!(error.contains("not a file"), "{error}");
        let path = folder.path().join("credentials");
        for garbled in [b"[default]".as_slice(), b"\xff\xfe"] {
            fs::write(&path, garbled).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = Credentials::load_or_create(&path).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()) && error.contains("restore the file"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), garbled);
        }
    }
}
