//! Disk traffic per thread.

use std::fs;

use lambd_compat_tests::host;

/// Bytes that threads read from and wrote to the disk (`/proc/PID/task/TID/io`).
pub(crate) struct Disk(Vec<(i32, String, u64)>);

pub(crate) struct Touched {
    /// By threads that handle invocations.
    pub(crate) path: u64,
    /// By other threads, with their names.
    pub(crate) others: Vec<(String, u64)>,
}

/// Name prefixes of other threads: they write the store and the logs in the background, or are the launcher's
/// makers, which refill the stock of `/tmp` volumes.
const BACKGROUND: [&str; 4] = ["rocksdb", "log", "store", "lambd-volumes"];

impl Disk {
    pub(crate) fn of(server: i32) -> Self {
        let mut threads = Vec::new();
        for pid in host::tree(server) {
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
                let Some(tid) = task.file_name().to_str().and_then(|t| t.parse().ok()) else { continue };
                let io = read("io");
                let fields = io.lines().filter_map(|line| line.split_once(": "));
                let disk = fields.filter(|(name, _)| matches!(*name, "read_bytes" | "write_bytes"));
                let moved = disk.filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum();
                threads.push((tid, read("comm").trim().to_owned(), moved));
            }
        }
        Self(threads)
    }

    pub(crate) fn since(&self, before: &Self) -> Touched {
        let earlier = |tid: i32| before.0.iter().find(|(t, ..)| *t == tid).map_or(0, |(.., bytes)| *bytes);
        let mut touched = Touched { path: 0, others: Vec::new() };
        for (tid, name, bytes) in &self.0 {
            let moved = bytes - earlier(*tid);
            if BACKGROUND.iter().any(|start| name.starts_with(start)) {
                touched.others.push((name.clone(), moved));
            } else {
                touched.path += moved;
            }
        }
        touched.others.retain(|(_, moved)| *moved > 0);
        touched
    }
}
