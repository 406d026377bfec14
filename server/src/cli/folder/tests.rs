//! What root accepts and changes. Tests that change owners need root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};

use nix::unistd::{Gid, Uid};

use super::*;
use crate::testing::is_root_or_skipped;

const OTHER: u32 = 1_890_000_001;
const NEW: Ids = Ids { uid: Uid::from_raw(1_890_000_002), gid: Gid::from_raw(1_890_000_002) };

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn only_what_is_root_s_alone_is_used() {
    if !is_root_or_skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (owner, mode, refusal) in [
        (0, 0o755, None),
        (0, 0o700, None),
        (0, 0o775, Some("chmod go-w")),
        (0, 0o1777, Some("chmod go-w")),
        (OTHER, 0o700, Some("chown it to root")),
    ] {
        set_mode(dir.path(), mode);
        chown(dir.path(), Some(owner), None).unwrap();
        let judged = Folder::open_or_make(dir.path(), 0o755).unwrap().is_roots_alone();
        match (judged, refusal) {
            (Ok(()), None) => {}
            (Err(error), Some(remedy)) => {
                let text = error.to_string();
                assert!(text.contains(remedy) && text.contains(&*dir.path().to_string_lossy()), "{text}");
            }
            other => panic!("{owner} {mode:o}: {other:?}"),
        }
        assert_eq!(mode_of(dir.path()), mode, "looking changes nothing");
    }
}

#[test]
fn nothing_is_opened_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, dir.path().join("link")).unwrap();
    for path in ["link", "link/new"] {
        let error = Folder::open_or_make(&dir.path().join(path), 0o755).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }
    let folder = Folder::open(dir.path()).unwrap().unwrap();
    assert!(folder.child("link", 0o755).is_err());
    symlink(real.join("target"), dir.path().join("lock")).unwrap();
    assert!(folder.file("lock", 0o600).is_err());
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0, "nothing was made behind a link");
}

#[test]
fn what_is_missing_is_made_and_files_get_their_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let folder = Folder::open_or_make(&path, 0o700).unwrap();
    assert_eq!((mode_of(&path), mode_of(&dir.path().join("a"))), (0o700, 0o755));
    fs::write(path.join("lock"), "").unwrap();
    set_mode(&path.join("lock"), 0o666);
    drop(folder.file("lock", 0o600).unwrap());
    assert_eq!(mode_of(&path.join("lock")), 0o600);
}

#[test]
fn a_folder_changes_hands_as_a_whole_and_links_are_not_followed() {
    if !is_root_or_skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (own, outside) = (dir.path().join("own"), dir.path().join("outside"));
    fs::create_dir_all(own.join("deep")).unwrap();
    fs::write(own.join("deep/file"), "").unwrap();
    fs::write(&outside, "").unwrap();
    symlink(&outside, own.join("link")).unwrap();
    for path in [own.join("deep/file"), own.join("deep"), own.clone()] {
        chown(path, Some(OTHER), Some(OTHER)).unwrap();
    }
    lchown(own.join("link"), Some(OTHER), Some(OTHER)).unwrap();
    let folder = Folder::open(&own).unwrap().unwrap();
    folder.give(&NEW).unwrap();
    for path in ["", "deep", "deep/file", "link"] {
        let meta = fs::symlink_metadata(own.join(path)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (NEW.uid.as_raw(), NEW.gid.as_raw()), "{path}");
    }
    assert_eq!(fs::metadata(&outside).unwrap().uid(), 0, "a link was followed");
}

/// The former owner may have linked a file of root into its folder.
#[test]
fn what_belongs_to_a_third_is_not_given_away() {
    if !is_root_or_skipped() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (own, secret) = (dir.path().join("own"), dir.path().join("secret"));
    fs::create_dir(&own).unwrap();
    fs::write(&secret, "").unwrap();
    fs::hard_link(&secret, own.join("mine")).unwrap();
    chown(&own, Some(OTHER), Some(OTHER)).unwrap();
    fs::write(own.join("another"), "").unwrap();
    chown(own.join("another"), Some(OTHER), Some(OTHER)).unwrap();
    let folder = Folder::open(&own).unwrap().unwrap();
    for refused in [folder.can_be_given(&NEW), folder.give(&NEW)] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("own/mine belongs to uid 0"), "{error}");
        for (path, owner) in [("", OTHER), ("another", OTHER), ("mine", 0)] {
            assert_eq!(fs::metadata(own.join(path)).unwrap().uid(), owner, "{path}: nothing is half done");
        }
    }
}
