//! Zip files of functions are unpacked, or refused with a text for the client; nothing of a refused one is
//! left.

#![no_main]

use std::fs;
use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

use lambd::packages::{PackageLimits, Packages, Removal};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const LIMITS: PackageLimits =
    PackageLimits { zipped_bytes_max: 1 << 16, unzipped_bytes_max: 1 << 18, nodes_max: 50 };

static PLACE: LazyLock<(TempDir, Packages)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let packages = Packages::open(dir.path()).expect("packages in an empty folder");
    (dir, packages)
});

fn seeds() -> Vec<Vec<u8>> {
    let options = SimpleFileOptions::default();
    let (stored, deflated) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    let mut all = Vec::new();
    for method in [stored, deflated] {
        let options = options.compression_method(method);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_directory("d/", options.unix_permissions(0o755)).expect("a folder is added");
        zip.start_file("d/app.py", options.unix_permissions(0o644)).expect("a file is added");
        zip.write_all(b"def handler(event, context):\n    return event\n").expect("it is written");
        zip.add_symlink("link", "d/app.py", options).expect("a link is added");
        all.push(zip.finish().expect("the zip ends").into_inner());
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("zeros", options.large_file(true)).expect("a file is added");
        zip.write_all(&[0; 3000]).expect("it is written");
        zip.set_comment("a comment").expect("a comment is set");
        all.push(zip.finish().expect("the zip ends").into_inner());
    }
    all
}

fuzz_target!(
    init: lambd_fuzz::seed(seeds()),
    |bytes: &[u8]| {
        let (dir, packages) = &*PLACE;
        match packages.stage(bytes, &LIMITS) {
            Ok(package) => {
                assert!(package.code_dir.is_dir());
                let sha256 = package.sha256;
                drop(package);
                assert_eq!(packages.remove(sha256).expect("it can be removed"), Removal::Gone);
            }
            Err(error) => assert!(error.aws_message().is_some(), "not a fault of the client: {error:?}"),
        }
        let left = fs::read_dir(dir.path().join("packages")).expect("the folder").flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != ".staging").collect();
        assert!(left.is_empty(), "{left:?}");
        let staging = dir.path().join("packages/.staging");
        assert_eq!(fs::read_dir(staging).expect("the folder").count(), 0);
    }
);
