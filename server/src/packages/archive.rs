//! The only module that uses the `zip` crate.

use std::io::{Cursor, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{ExtraField, System, ZipArchive};

use super::PackageError;
use super::name::EntryPath;

/// The beginning of each header in a zip's directory.
const HEADER: [u8; 4] = *b"PK\x01\x02";
/// How often [`HEADER`] may occur for each allowed entry: zips may contain zips. The crate allocates some 300
/// bytes for each entry before anything can be counted, and 50 MB can hold a million of them.
const HEADERS_PER_ENTRY: usize = 2;

/// The file type in a Unix mode, and its values.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
/// The bits of a mode that are kept: no set-user-id, set-group-id or sticky bit.
const PERMISSIONS: u32 = 0o777;
/// Mode of entries from tools that write no modes.
const DEFAULT_FILE_MODE: u32 = 0o644;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    Directory,
    /// A file with its permission bits.
    File(u32),
    /// A link; the content is its target.
    Link,
}

/// A zip whose directory has been read and checked for ambiguities.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Archive<'a> {
    /// Reads the directory of `bytes`. Refuses data that belongs to two entries, by which a small zip can
    /// become a large tree.
    pub(super) fn open(bytes: &'a [u8], entries_max: usize) -> Result<Self, PackageError> {
        if bytes.windows(HEADER.len()).filter(|window| *window == HEADER).count()
            > entries_max.saturating_mul(HEADERS_PER_ENTRY)
        {
            return Err(PackageError::bad("too many entries"));
        }
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(bad)?;
        if zip.is_empty() {
            return Err(PackageError::bad("no entries"));
        }
        if zip.len() > entries_max {
            return Err(PackageError::bad("too many entries"));
        }
        if zip.has_duplicate_names() {
            return Err(PackageError::bad("two entries with the same name"));
        }
        if zip.has_overlapping_entries().map_err(bad)? {
            return Err(PackageError::bad("overlapping entries"));
        }
        Ok(Self { zip })
    }

    /// Calls `visit` for every entry with its time and unpacked content, in the order of the directory. A
    /// `visit` that succeeds must have read all content, whose end is an error if the checksum is wrong.
    pub(super) fn each(
        &mut self,
        mut visit: impl FnMut(EntryPath, EntryKind, Option<SystemTime>, &mut dyn Read) -> Result<(), PackageError>,
    ) -> Result<(), PackageError> {
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index(index).map_err(bad)?;
            if entry.encrypted() {
                return Err(PackageError::bad("encrypted"));
            }
            // Most tools without the flag for UTF-8 still write UTF-8.
            let path = match str::from_utf8(entry.name_raw()) {
                Ok(name) => EntryPath::parse(name)?,
                Err(_) => EntryPath::parse(&entry.name().map_err(bad)?)?,
            };
            let is_directory = entry.name_raw().ends_with(b"/");
            let kind = kind(is_directory, entry.system(), entry.external_attributes() >> 16)?;
            if path.is_root() && kind != EntryKind::Directory {
                return Err(PackageError::bad("an entry without a name"));
            }
            let (size, time) = (entry.size(), time(&entry));
            let mut content = Counted { inner: entry, bytes: 0 };
            visit(path, kind, time, &mut content)?;
            if kind != EntryKind::Directory && content.bytes != size {
                return Err(PackageError::bad(format!("{} bytes instead of {size}", content.bytes)));
            }
        }
        Ok(())
    }
}

/// Counts the bytes that were read.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.bytes += bytes as u64;
        Ok(bytes)
    }
}

fn kind(is_directory: bool, system: System, mode: u32) -> Result<EntryKind, PackageError> {
    // PKZIP for Unix writes DOS as its system and has modes all the same.
    let mode = (system == System::Unix || mode != 0).then_some(mode);
    match (mode.map_or(0, |mode| mode & TYPE), is_directory) {
        (0 | DIRECTORY, true) | (DIRECTORY, false) => Ok(EntryKind::Directory),
        (0 | REGULAR, false) => Ok(EntryKind::File(mode.unwrap_or(DEFAULT_FILE_MODE) & PERMISSIONS)),
        (LINK, false) => Ok(EntryKind::Link),
        (other, _) => Err(PackageError::bad(format!("file type {other:o}"))),
    }
}

/// When the file was changed: in seconds and UTC if the tool wrote it so, else from the zip's own field,
/// whose time zone is unknown and is taken to be UTC, as functions have it.
fn time<R: Read>(entry: &ZipFile<'_, R>) -> Option<SystemTime> {
    let exact = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    let seconds = match exact {
        Some(seconds) => u64::from(seconds),
        None => u64::try_from(civil(entry.last_modified()?)?.as_second()).ok()?,
    };
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn civil(time: zip::DateTime) -> Option<jiff::Timestamp> {
    let [month, day, hour, minute, second] =
        [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(u8::cast_signed);
    let year = i16::try_from(time.year()).ok()?;
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

fn bad(error: impl Into<ZipError>) -> PackageError {
    PackageError::bad(error.into().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_entry_follows_from_its_mode() {
        let cases = [
            (false, System::Unix, 0o100_644, Some(EntryKind::File(0o644))),
            (false, System::Unix, 0o104_755, Some(EntryKind::File(0o755))),
            (false, System::Unix, 0o000_600, Some(EntryKind::File(0o600))),
            (false, System::Unix, 0, Some(EntryKind::File(0))),
            (false, System::Dos, 0, Some(EntryKind::File(0o644))),
            (false, System::Dos, 0o100_755, Some(EntryKind::File(0o755))),
            (true, System::Unix, 0o040_700, Some(EntryKind::Directory)),
            (false, System::Unix, 0o040_700, Some(EntryKind::Directory)),
            (true, System::Dos, 0, Some(EntryKind::Directory)),
            (false, System::Unix, 0o120_777, Some(EntryKind::Link)),
            (true, System::Unix, 0o120_777, None),
            (true, System::Unix, 0o100_644, None),
            (false, System::Unix, 0o020_666, None), // character device
            (false, System::Unix, 0o060_666, None), // block device
            (false, System::Unix, 0o010_666, None), // pipe
            (false, System::Unix, 0o140_666, None), // socket
        ];
        for (is_directory, system, mode, want) in cases {
            assert_eq!(kind(is_directory, system, mode).ok(), want, "{mode:o} {is_directory}");
        }
    }
}
