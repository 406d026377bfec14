//! Disk traffic by threads.

use std::fs;

use lambd_compat_tests::host;

/// Bytes that threads moved to and from the disk (`/proc/PID/task/TID/io`).
pub(crate) struct Disk(Vec<(i32, String, u64)>);

pub(crate) struct Touched {
    /// By threads that carry invocations.
    pub(crate) path: u64,
    /// By others, with their names.
    pub(crate) others: Vec<(String, u64)>,
}

/// Threads whose name begins so write the store and the logs behind the invocations' back, or are the launcher's
/// makers of `/tmp` volumes, which refill the stock.
const BEHIND: [&str; 4] = ["rocksdb", "log", "store", "lambd-launcher"];

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
            if BEHIND.iter().any(|start| name.starts_with(start)) {
                touched.others.push((name.clone(), moved));
            } else {
                touched.path += moved;
            }
        }
        touched.others.retain(|(_, moved)| *moved > 0);
        touched
    }
}
