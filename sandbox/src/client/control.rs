//! Control of a sandbox's group through open files; it needs no path, no right and no launcher.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use crate::cgroup::{HandleKind, count};

/// Most bytes that are read of a file; the needed lines of `memory.stat` are among its first.
const TEXT_BYTES_MAX: usize = 4096;

/// The control group of one sandbox. Each call is one system call of some microseconds.
#[derive(Debug)]
pub struct Control {
    kind: HandleKind,
    freeze: File,
    cpu: File,
    peak: File,
    events: File,
    stat: File,
}

impl Control {
    pub(super) fn new(kind: HandleKind, files: [OwnedFd; 5]) -> Self {
        let [freeze, cpu, peak, events, stat] = files.map(File::from);
        Self { kind, freeze, cpu, peak, events, stat }
    }

    /// Freezes every process of the sandbox. The call does not wait until all have stopped.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn freeze(&self) -> io::Result<()> {
        self.write_freeze("FROZEN", "1")
    }

    /// Thaws the sandbox.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn thaw(&self) -> io::Result<()> {
        self.write_freeze("THAWED", "0")
    }

    /// With `on`, limits the sandbox to its share of CPU, in place of the share of its start; otherwise lifts
    /// the limit.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn set_cpu_quota(&self, on: bool) -> io::Result<()> {
        let text = match self.kind {
            HandleKind::V1 { quota_us } if on => quota_us.to_string(),
            HandleKind::V1 { .. } => "-1".to_owned(),
            HandleKind::V2 { quota_us, period_us } if on => format!("{quota_us} {period_us}"),
            HandleKind::V2 { period_us, .. } => format!("max {period_us}"),
        };
        write(&self.cpu, &text)
    }

    /// The most memory that the sandbox has used so far, in bytes, with its page cache.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn memory_peak_bytes(&self) -> io::Result<u64> {
        read(&self.peak)?.trim().parse().map_err(io::Error::other)
    }

    /// Page cache in the memory in use now, in bytes: data of files, those in `/tmp` included, which the
    /// kernel frees before it kills. It is part of [`Self::memory_peak_bytes`], but not memory that the
    /// function needs.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn memory_cache_bytes(&self) -> io::Result<u64> {
        let text = read(&self.stat)?;
        let cache = if matches!(self.kind, HandleKind::V1 { .. }) { "cache" } else { "file" };
        let [cache, shared] = [cache, "shmem"].map(|name| count(&text, name).unwrap_or_default());
        Ok(cache.saturating_sub(shared))
    }

    /// How many processes of the sandbox the kernel has killed because its memory was used up.
    ///
    /// # Errors
    /// ENODEV when the sandbox is gone.
    pub fn oom_kills(&self) -> io::Result<u64> {
        Ok(count(&read(&self.events)?, "oom_kill").unwrap_or_default())
    }

    fn write_freeze(&self, v1: &str, v2: &str) -> io::Result<()> {
        let text = if matches!(self.kind, HandleKind::V1 { .. }) { v1 } else { v2 };
        write(&self.freeze, text)
    }
}

fn write(file: &File, text: &str) -> io::Result<()> {
    let written = file.write_at(text.as_bytes(), 0)?;
    if written == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

fn read(file: &File) -> io::Result<String> {
    let mut buffer = [0; TEXT_BYTES_MAX];
    let length = file.read_at(&mut buffer, 0)?;
    let bytes = buffer.get(..length).unwrap_or_default();
    String::from_utf8(bytes.to_vec()).map_err(io::Error::other)
}
