//! Hostile packages, packages of ordinary tools, and their collection.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::fixture::{ZipEntry, file, link, replace, with_mode, zeros, zip};
use super::*;

const MIB: u64 = 1 << 20;

struct Fixture {
    data_dir: tempfile::TempDir,
    packages: Packages,
}

impl Fixture {
    fn new() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let packages = Packages::open(data_dir.path()).unwrap();
        Self { data_dir, packages }
    }

    fn stage(&self, zip: &[u8]) -> Result<Package, PackageError> {
        self.packages.stage(zip, &PackageLimits::default())
    }

    /// Every path below the data directory, except the two folders that always exist.
    fn left(&self) -> Vec<PathBuf> {
        let mut left = walk(self.data_dir.path());
        left.retain(|path| !path.ends_with("packages") && !path.ends_with("packages/.staging"));
        left
    }
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let nested = entries.map(|entry| {
        let below = if entry.file_type().unwrap().is_dir() { walk(&entry.path()) } else { Vec::new() };
        [vec![entry.path()], below].concat()
    });
    nested.flatten().collect()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_good_package_is_unpacked_as_it_is() {
    let fixture = Fixture::new();
    let bytes = zip(&[
        file("main.py", "print(1)"),
        with_mode(0o100_755, "bin/tool", "#!/bin/sh"),
        with_mode(0o106_755, "bin/setuid", ""),
        with_mode(0o100_600, "private", "p"),
        with_mode(0, "no mode", ""),
        ZipEntry { mode: 0, system: 0, ..file("dos.txt", "d") },
        with_mode(0o040_700, "empty/", ""),
        link("bin/link", "../main.py"),
        link("nowhere", "missing/../../.."),
        link("dir", "bin"),
        file("./deep//er/x", "x"),
    ]);
    let package = fixture.stage(&bytes).unwrap();
    assert_eq!(package.sha256, Sha256::of(&bytes));
    assert_eq!(package.zipped_bytes, bytes.len() as u64);
    assert_eq!(package.unzipped_bytes, 8 + 9 + 1 + 1 + 10 + 16 + 3 + 1);
    let code = &package.code_dir;
    let modes = [
        ("", 0o755),
        ("main.py", 0o644),
        ("bin", 0o755),
        ("bin/tool", 0o755),
        ("bin/setuid", 0o755),
        ("private", 0o600),
        ("no mode", 0),
        ("dos.txt", 0o644),
        ("empty", 0o755),
        ("deep", 0o755),
        ("deep/er", 0o755),
        ("deep/er/x", 0o644),
    ];
    for (path, want) in modes {
        assert_eq!(mode(&code.join(path)), want, "{path:?}");
    }
    assert_eq!(fs::read_to_string(code.join("bin/link")).unwrap(), "print(1)");
    assert_eq!(fs::read_link(code.join("bin/link")).unwrap(), Path::new("../main.py"));
    assert_eq!(fs::read_to_string(code.join("dir/tool")).unwrap(), "#!/bin/sh");
    assert_eq!(walk(code).len(), 14);
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut fixture.packages.open_zip(package.sha256).unwrap(), &mut read).unwrap();
    assert_eq!(read, bytes);
}

/// Only the sandbox follows links: any target is accepted, and no link is followed here.
#[test]
fn links_may_lead_anywhere() {
    let fixture = Fixture::new();
    let targets = ["/opt/venv/bin/python", "/etc/passwd", "../../etc", "..", "missing/x", "loop"];
    let links = targets.map(|target| link(&format!("to{}", target.replace('/', "-")), target));
    let mut entries = links.to_vec();
    entries.extend([link("loop", "loop"), link("d", "/tmp"), file("a", "x")]);
    let package = fixture.stage(&zip(&entries)).unwrap();
    for (entry, target) in links.iter().zip(targets) {
        let name = str::from_utf8(&entry.name).unwrap();
        assert_eq!(fs::read_link(package.code_dir.join(name)).unwrap(), Path::new(target));
    }
}

#[test]
fn files_keep_their_times() {
    let fixture = Fixture::new();
    let dos = |year: u16, month: u16, day: u16| (year - 1980) << 9 | month << 5 | day;
    let bytes = zip(&[
        ZipEntry { time: [13 << 11 | 37 << 5 | 21, dos(2024, 2, 29)], ..file("leap", "x") },
        ZipEntry { time: [0, dos(1980, 1, 1)], ..file("first", "x") },
        // The day does not exist: the file has the time when it was unpacked.
        ZipEntry { time: [0, dos(2024, 2, 30)], ..file("no day", "x") },
    ]);
    let before = SystemTime::now() - Duration::from_secs(1);
    let code = fixture.stage(&bytes).unwrap().code_dir;
    let time = |name: &str| fs::metadata(code.join(name)).unwrap().modified().unwrap();
    let seconds = |name: &str| time(name).duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(seconds("leap"), 1_709_213_862);
    assert_eq!(seconds("first"), 315_532_800);
    assert!(time("no day") >= before);
}

/// More files than are flushed one by one.
#[test]
fn many_files_are_unpacked() {
    let fixture = Fixture::new();
    let entries: Vec<ZipEntry> = (0..500).map(|i| file(&format!("{}/{i}", i % 7), "x")).collect();
    let package = fixture.stage(&zip(&entries)).unwrap();
    assert_eq!(walk(&package.code_dir).len(), 507);
}

fn bad_zips() -> Vec<(&'static str, Vec<u8>)> {
    let good = zip(&[file("a", "aaaa"), file("b", "bbbb")]);
    let end = good.len() - 22;
    let patched = |at: usize, bytes: &[u8]| {
        let mut zip = good.clone();
        zip[at..at + bytes.len()].copy_from_slice(bytes);
        zip
    };
    let tiny = zip(&[file("aaaaaaaa", "x"), file("bbbbbbbb", "x")]);
    vec![
        ("nothing", vec![]),
        ("not a zip", b"this is no zip at all".repeat(20)),
        ("cut short", good[..good.len() - 30].to_vec()),
        ("cut at the front", good[20..].to_vec()),
        ("no entries", b"PK\x05\x06".iter().copied().chain([0; 18]).collect()),
        ("encrypted", zip(&[ZipEntry { flags: 1, ..file("a", "x") }])),
        ("checksum", zip(&[ZipEntry { crc_error: 1, ..file("a", "x") }])),
        ("unknown method", zip(&[ZipEntry { method: 99, ..file("a", "x") }])),
        ("deflate of garbage", zip(&[ZipEntry { method: 8, ..file("a", "garbage garbage") }])),
        ("size too small", zip(&[ZipEntry { claimed_size: Some(0), ..file("a", "x") }])),
        ("size too large", zip(&[ZipEntry { claimed_size: Some(2), ..file("a", "x") }])),
        ("claims zip64", zip(&[ZipEntry { claimed_size: Some(u32::MAX), ..file("a", "x") }])),
        ("more entries than there are", patched(end + 8, &[3, 0, 3, 0])),
        ("directory elsewhere", patched(end + 16, &[0xf0, 0xff, 0xff, 0x7f])),
        ("up and out", zip(&[file("../../../../tmp/lambd-evil", "x")])),
        ("up within", zip(&[file("a/../../lambd-evil", "x")])),
        ("absolute", zip(&[file("/tmp/lambd-evil", "x")])),
        ("drive", zip(&[file("C:\\lambd-evil", "x")])),
        ("NUL", zip(&[file("a\0b", "x")])),
        ("long name", zip(&[file(&"n".repeat(300), "x")])),
        ("deep name", zip(&[file(&"d/".repeat(900), "x")])),
        ("no name", zip(&[file("", "x")])),
        ("link without name", zip(&[link("./", "x")])),
        ("duplicate", replace(&tiny, b"bbbbbbbb", b"aaaaaaaa")),
        ("duplicate by another name", zip(&[file("a/x", "x"), file("./a//x", "x")])),
        ("directory and file", zip(&[file("a/b", "x"), file("a", "x")])),
        ("file and directory", zip(&[file("a", "x"), file("a/b", "x")])),
        ("link to NUL", zip(&[link("out", "a\0b")])),
        ("link to nothing", zip(&[link("out", "")])),
        ("link too long", zip(&[link("out", &"a/".repeat(3000))])),
        ("through a link", zip(&[link("d", "/tmp"), file("d/lambd-evil", "x")])),
        ("through an inner link", zip(&[file("in/x", ""), link("d", "in"), file("d/lambd-evil", "x")])),
        ("onto a link", zip(&[link("d", "in"), file("d", "x")])),
        ("directory onto a link", zip(&[file("in/x", ""), link("d", "in"), with_mode(0o040_755, "d/", "")])),
        ("character device", zip(&[with_mode(0o020_666, "null", "")])),
        ("block device", zip(&[with_mode(0o060_666, "disk", "")])),
        ("pipe", zip(&[with_mode(0o010_666, "pipe", "")])),
        ("socket", zip(&[with_mode(0o140_666, "socket", "")])),
        ("quoted overlap", overlap()),
    ]
}

/// Two entries of the directory that share one local entry.
fn overlap() -> Vec<u8> {
    let bytes = zip(&[file("a", "shared"), file("b", "shared")]);
    let second = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let mut bytes = bytes;
    bytes[second + 42..second + 46].fill(0);
    bytes
}

#[test]
fn bad_zips_are_refused_and_leave_nothing() {
    let fixture = Fixture::new();
    for (case, bytes) in bad_zips() {
        match fixture.stage(&bytes) {
            Err(error @ PackageError::BadZip { .. }) => assert_eq!(
                error.aws_message().unwrap(),
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            ),
            other => panic!("{case}: {other:?}"),
        }
        assert!(fixture.left().is_empty(), "{case}: {:?}", fixture.left());
        assert!(fs::symlink_metadata("/tmp/lambd-evil").is_err(), "{case}");
    }
}

#[test]
fn sizes_are_counted_while_unpacking() {
    let fixture = Fixture::new();
    let limits =
        PackageLimits { zipped_bytes_max: MIB, unzipped_bytes_max: 4 * MIB, ..PackageLimits::default() };
    let size = usize::try_from(4 * MIB).unwrap();
    let package = fixture.packages.stage(&zeros(&[("a", size / 2), ("b", size / 2)]), &limits).unwrap();
    assert_eq!(package.unzipped_bytes, 4 * MIB);
    let smaller = PackageLimits { unzipped_bytes_max: 4 * MIB - 1, ..limits };
    let staged = zeros(&[("a", size / 2), ("b", size / 2)]);
    let refused = |bytes: &[u8], limits: &PackageLimits| fixture.packages.stage(bytes, limits).unwrap_err();
    let limit = |error: PackageError| match error {
        PackageError::UnzippedTooLarge { limit_bytes } => limit_bytes,
        other => panic!("{other}"),
    };
    assert_eq!(limit(refused(&staged, &smaller)), 4 * MIB - 1, "also when it is there already");
    assert_eq!(limit(refused(&zeros(&[("a", size + 1)]), &limits)), 4 * MIB);
    let liar =
        replace(&zeros(&[("a", size + 1)]), &u32::try_from(size + 1).unwrap().to_le_bytes(), &[9, 0, 0, 0]);
    let error = refused(&liar, &limits);
    assert!(matches!(error, PackageError::BadZip { .. } | PackageError::UnzippedTooLarge { .. }), "{error}");
    let error = refused(&vec![0; 1 + usize::try_from(MIB).unwrap()], &limits);
    assert!(matches!(error, PackageError::ZippedTooLarge { limit_bytes: MIB }), "{error}");
    drop(package);
    assert_eq!(fixture.packages.collect(HashSet::new).unwrap(), 1);
    assert!(fixture.left().is_empty(), "{:?}", fixture.left());
}

#[test]
fn nodes_are_counted() {
    let fixture = Fixture::new();
    let limits = PackageLimits { nodes_max: 100, ..PackageLimits::default() };
    let many = |count: usize, dirs: &str| -> Vec<u8> {
        zip(&(0..count).map(|i| file(&format!("{dirs}{i}"), "")).collect::<Vec<_>>())
    };
    drop(fixture.packages.stage(&many(98, "a/b/"), &limits).unwrap());
    let cases = [
        (many(99, "a/b/"), "too many files and directories"),
        (many(101, ""), "too many entries"),
        (b"PK\x01\x02".repeat(201), "too many entries"),
    ];
    for (bytes, want) in cases {
        let error = fixture.packages.stage(&bytes, &limits).unwrap_err();
        assert_eq!(error.to_string(), format!("refused zip: {want}"));
    }
    fixture.packages.collect(HashSet::new).unwrap();
    assert!(fixture.left().is_empty(), "{:?}", fixture.left());
}

#[test]
fn the_same_bytes_are_one_package() {
    let fixture = Fixture::new();
    let bytes = zip(&[file("a", "x")]);
    let barrier = Arc::new(Barrier::new(8));
    let dirs: HashSet<PathBuf> = thread::scope(|scope| {
        let stage = || {
            barrier.wait();
            fixture.stage(&bytes).unwrap().code_dir
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(stage)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(dirs.len(), 1);
    assert_eq!(fixture.packages.list().unwrap(), [Sha256::of(&bytes)]);
    assert_eq!(fixture.left().len(), 5, "the folder, code, a, package.zip and package.json");
    let inode = |package: &Package| fs::metadata(package.code_dir.join("a")).unwrap().ino();
    let (first, second) = (fixture.stage(&bytes).unwrap(), fixture.stage(&bytes).unwrap());
    assert_eq!(inode(&first), inode(&second));
}

#[test]
fn only_unused_packages_are_collected() {
    let fixture = Fixture::new();
    let stage = |name: &str| fixture.stage(&zip(&[file(name, "x")])).unwrap();
    let live = stage("live").sha256;
    let pinned = stage("pinned");
    let clone = pinned.clone();
    let garbage = stage("garbage").sha256;
    let mut late = None;
    let removed = fixture.packages.collect(|| {
        // Staged again and committed while the records are read, too late to be among them.
        late = Some(stage("late").sha256);
        HashSet::from([live])
    });
    assert_eq!(removed.unwrap(), 1);
    let left: HashSet<Sha256> = fixture.packages.list().unwrap().into_iter().collect();
    assert_eq!(left, HashSet::from([live, pinned.sha256, late.unwrap()]));
    assert!(matches!(fixture.packages.get(garbage), Err(PackageError::Missing { .. })));
    let sha256 = pinned.sha256;
    drop(pinned);
    assert_eq!(fixture.packages.remove(sha256).unwrap(), Removal::Pinned, "the clone still pins it");
    drop(clone);
    assert_eq!(fixture.packages.remove(sha256).unwrap(), Removal::Gone);
    assert_eq!(fixture.packages.remove(sha256).unwrap(), Removal::Gone, "it is gone already");
}

/// A package that was chosen for removal is staged again, committed and released before it is removed.
#[test]
fn a_package_used_since_it_was_chosen_is_not_removed() {
    let fixture = Fixture::new();
    let bytes = zip(&[file("a", "x")]);
    drop(fixture.stage(&bytes).unwrap());
    let removed = fixture.packages.collect(|| {
        drop(fixture.stage(&bytes).unwrap());
        HashSet::new()
    });
    assert_eq!(removed.unwrap(), 0);
    assert_eq!(fixture.packages.collect(HashSet::new).unwrap(), 1);
}

#[test]
fn the_next_start_removes_what_a_crash_left() {
    let fixture = Fixture::new();
    let kept = fixture.stage(&zip(&[file("a", "x")])).unwrap().sha256;
    fs::create_dir_all(fixture.data_dir.path().join("packages/.staging/half/code/d")).unwrap();
    fs::write(fixture.data_dir.path().join("packages/.staging/half/code/d/f"), "x").unwrap();
    let again = Packages::open(fixture.data_dir.path()).unwrap();
    assert_eq!(again.list().unwrap(), [kept]);
    assert_eq!(fixture.left().len(), 5);
    assert_eq!(again.get(kept).unwrap().unzipped_bytes, 1);
}

#[test]
fn a_damaged_folder_is_named() {
    let fixture = Fixture::new();
    let bytes = zip(&[file("a", "x")]);
    let package = fixture.stage(&bytes).unwrap();
    let path = package.code_dir.with_file_name("package.json");
    for facts in ["", "{}", r#"{"v":2,"zipped_bytes":1,"unzipped_bytes":1}"#] {
        fs::write(&path, facts).unwrap();
        let error = fixture.stage(&bytes).unwrap_err();
        assert!(matches!(&error, PackageError::Damaged { path: named, .. } if *named == path), "{error}");
        assert_eq!(error.aws_message(), None);
    }
}
