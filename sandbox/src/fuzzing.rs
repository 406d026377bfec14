//! Internals that the fuzz target `protocol` needs; compiled with `--cfg fuzzing` only.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Exit;
use crate::config::LauncherConfig;
use crate::error::StepError;
use crate::protocol::{Assignment, LauncherReply, LauncherRequest, LauncherSetup, Progress, Started, decode};
use crate::spec::{Bind, FileSpec, Spec, SymlinkSpec};

/// Decodes `bytes` as the message whose number is the first byte, and does everything with it that needs no
/// machine.
pub fn receive(bytes: &[u8]) {
    let Some((number, bytes)) = bytes.split_first() else { return };
    match number {
        0 => {
            if let Some(LauncherRequest::Launch(spec)) = read(bytes) {
                shown(spec.check());
            }
        }
        1 => {
            let _ = read::<LauncherSetup>(bytes);
        }
        2 => {
            let _ = read::<Started>(bytes).map(shown);
        }
        3 => {
            let _ = read::<LauncherReply>(bytes).map(shown);
        }
        4 => {
            let _ = read::<Assignment>(bytes);
        }
        5 => {
            let _ = read::<Progress>(bytes).map(shown);
        }
        _ => {
            let _ = read::<Exit>(bytes);
        }
    }
}

fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = decode(bytes).ok()?;
    // A value that was decoded can be encoded and decoded again.
    let said = postcard::to_stdvec(&value).unwrap_or_default();
    assert!(decode::<T>(&said).is_ok(), "{said:?} cannot be read again");
    Some(value)
}

fn shown<T, E: Display>(result: Result<T, E>) {
    result.err().map(|error| error.to_string());
}

/// One message of each kind.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let file = FileSpec { path: "/etc/x".into(), mode: 0o644, content: b"content".to_vec() };
    let link = SymlinkSpec { link: "/etc/link".into(), to: "x".into() };
    let spec = Spec {
        id: "0123abcd".to_owned(),
        binds: vec![Bind { source: "/srv/code".into(), target: "/var/task".into() }],
        files: vec![file.clone()],
        symlinks: vec![link.clone()],
        argv: vec![b"/var/runtime/bootstrap".to_vec(), b"argument".to_vec()],
        env: vec![b"NAME=value".to_vec()],
        cwd: "/var/task".into(),
        hostname: "localhost".to_owned(),
        memory_mib: 128,
        cpu_quota_permille: 1000,
        cpu_init_permille: 1000,
        tmp_mib: 512,
        processes_max: 1024,
    };
    let assignment = Assignment {
        targets: vec!["/var/task".into()],
        files: vec![file],
        symlinks: vec![link],
        argv: spec.argv.clone(),
        env: spec.env.clone(),
        cwd: spec.cwd.clone(),
        hostname: spec.hostname.clone(),
        memory_mib: 128,
        tmp_mib: 512,
        processes_max: 1024,
        volume: true,
    };
    let step = StepError { step: "mount".to_owned(), errno: 12 };
    let config = LauncherConfig::new("instance", "/var/lib/volumes", "/run/uids");
    vec![
        message(0, &LauncherRequest::Launch(Box::new(spec))),
        message(1, &LauncherSetup { config }),
        message(2, &Started::Err(step.clone().into())),
        message(2, &Started::Ok(vec!["a remark".to_owned()])),
        message(3, &LauncherReply::Err(step.clone().into())),
        message(4, &assignment),
        message(5, &Progress::Err(step)),
        message(6, &Exit::Signal(9)),
    ]
}

fn message(number: u8, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![number];
    bytes.extend(postcard::to_stdvec(value).unwrap_or_default());
    bytes
}
