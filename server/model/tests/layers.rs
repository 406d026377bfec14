//! Checks who may import whom: the columns "must not know" of ARCHITECTURE.md against manifests and imports.

#![expect(clippy::unwrap_used, reason = "a test of its own: a panic is its answer")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    // The checkout that is tested, not the compiled one: several checkouts may share a target directory.
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("../..")
}

/// What a row of the table forbids.
#[derive(Debug)]
struct Fence {
    /// If present, only these crates or modules of ours are allowed; else all but those in `named`.
    all_but: Option<BTreeSet<String>>,
    named: BTreeSet<String>,
}

impl Fence {
    /// Reads "all", "all but `a`, `b`" or "`c`, `d`"; names after a semicolon are forbidden in addition.
    fn parse(cell: &str) -> Self {
        let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let (ours, others) = cell.split_once(';').unwrap_or((cell, ""));
        match ours.trim().strip_prefix("all") {
            Some(rest) => Self { all_but: Some(quoted(rest)), named: quoted(others) },
            None => Self { all_but: None, named: quoted(cell) },
        }
    }

    fn forbids(&self, name: &str, is_ours: bool) -> bool {
        let all_but = self.all_but.as_ref().is_some_and(|allowed| is_ours && !allowed.contains(name));
        all_but || self.named.contains(name)
    }
}

/// The rows of those tables of ARCHITECTURE.md that have the column, by place.
fn fences() -> BTreeMap<String, Fence> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut fences = BTreeMap::new();
    let mut column = None;
    for line in text.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        match (cells.iter().position(|cell| *cell == "must not know"), column) {
            (Some(at), _) => column = Some(at),
            (None, Some(at)) if line.starts_with("| `") => {
                let place = cells[1].trim_matches('`').to_owned();
                assert!(fences.insert(place, Fence::parse(cells[at])).is_none(), "two rows: {line}");
            }
            (None, _) if !line.starts_with('|') => column = None,
            (None, _) => {}
        }
    }
    fences
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a file names after `crate::`, alone or in braces; comments are ignored.
fn named(text: &str) -> Vec<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    code.split("crate::").skip(1).flat_map(heads).collect()
}

/// The first word of each path at the beginning of `rest`, which is one path or a list of paths in braces.
fn heads(rest: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let Some(list) = rest.strip_prefix('{') else {
        return vec![rest.chars().take_while(|c| is_word(*c)).collect()];
    };
    let (mut heads, mut depth, mut in_head) = (vec![String::new()], 1, true);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                heads.push(String::new());
                in_head = true;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        in_head &= is_word(c) || c.is_whitespace();
        if in_head && is_word(c) {
            heads.last_mut().unwrap().push(c);
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// Types that the crate's root exports are not modules; neither is the module that tests share.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "testing"
}

/// Every import that its module's fence forbids, as `file: module`.
fn forbidden(fences: &BTreeMap<String, &Fence>, files: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files {
        let module = file.split(['/', '.']).next().unwrap();
        // Tests of a whole crate may use all of it.
        if ["lib", "tests", "testing"].contains(&module) {
            continue;
        }
        let fence = fences.get(module).unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{module}`"));
        for other in named(text).into_iter().filter(|other| other != module && is_module(other)) {
            if !fences.contains_key(&other) || fence.forbids(&other, true) {
                wrong.push(format!("{file}: {other}"));
            }
        }
    }
    wrong
}

/// The modules that may import each other in a circle, and those above them; empty if imports only go down.
fn circles(fences: &BTreeMap<String, &Fence>) -> Vec<String> {
    let may = |one: &str, other: &str| one != other && !fences[one].forbids(other, true);
    // Removes, again and again, each module that may import none of the rest; only a circle remains.
    let mut left: BTreeSet<&str> = fences.keys().map(String::as_str).collect();
    while let Some(lowest) = left.iter().copied().find(|one| !left.iter().any(|other| may(one, other))) {
        left.remove(lowest);
    }
    left.into_iter().map(str::to_owned).collect()
}

/// Checks a crate's modules. Fewer files than `files_min` mean that the test no longer finds the code.
fn check(source: &str, files_min: usize) {
    let all = fences();
    let module = |place: &str| Some(place.strip_prefix(source)?.strip_prefix('/')?.replace(".rs", ""));
    let fences: BTreeMap<_, _> =
        all.iter().filter_map(|(place, fence)| Some((module(place)?, fence))).collect();
    let source = root().join(source);
    let mut paths = Vec::new();
    rust_files(&source, &mut paths);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    let files: Vec<_> = paths.into_iter().map(read).collect();
    assert!(files.len() >= files_min && fences.len() > 5, "{} files, {} modules", files.len(), fences.len());
    assert_eq!(forbidden(&fences, &files), [""; 0], "these imports are forbidden");
    assert_eq!(circles(&fences), [""; 0], "these modules may know each other in a circle");
    for name in fences.keys() {
        let its = |file: &String| file.split(['/', '.']).next() == Some(name);
        assert!(
            files.iter().any(|(file, _)| its(file)),
            "ARCHITECTURE.md names `{name}`, which is no module"
        );
    }
}

#[test]
fn modules_of_the_server_know_only_what_they_may() {
    check("server/src", 100);
}

#[test]
fn modules_of_the_runtime_api_know_only_what_they_may() {
    check("runtime-api/src", 20);
}

#[test]
fn this_check_finds_a_forbidden_import_and_a_circle() {
    let rows = [("api", ""), ("store", "all but `logs`"), ("logs", "`api`; `store`")];
    let fences: Vec<_> = rows.map(|(name, cell)| (name.to_owned(), Fence::parse(cell))).into();
    let fences: BTreeMap<_, _> = fences.iter().map(|(name, fence)| (name.clone(), fence)).collect();
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        file(
            "api/get.rs",
            "use crate::store::Store;\nuse crate::api::Call;\nuse crate::{store::{Row, api}, logs::x};",
        ),
        file("store.rs", "// crate::api\nuse crate::{\n    api::Call,\n    logs,\n};"),
        file("logs/keys.rs", "let x = crate::nowhere::y();\nlet y = crate::store::z();"),
    ];
    assert_eq!(forbidden(&fences, &files), ["store.rs: api", "logs/keys.rs: nowhere", "logs/keys.rs: store"]);
    assert_eq!(circles(&fences), [""; 0]);
    // A module that imports from the circle is reported with it.
    let loose = Fence::parse("`api`");
    let mut fences = fences;
    fences.insert("logs".to_owned(), &loose);
    assert_eq!(circles(&fences), ["api", "logs", "store"]);
}

/// The crates that a manifest depends on, without those of its tests and of its build.
fn dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("[dependencies]\n").nth(1).unwrap_or_default();
    let lines = section.split("\n[").next().unwrap().lines();
    let name = |line: &str| line.split([' ', '.', '=']).next().unwrap_or_default().to_owned();
    lines.map(name).filter(|name| !name.is_empty() && !name.starts_with('#')).collect()
}

/// Compiling RocksDB takes long: only the program and the database's own crate may wait for it.
#[test]
fn crates_ask_only_for_what_they_may() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 10, "{members:?}");
    let fences = fences();
    for member in members {
        let fence = fences
            .get(&format!("{member}/"))
            .unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {member}/"));
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let asked = dependencies(&manifest);
        assert!(!asked.is_empty(), "{member}");
        let is_ours = |name: &String| name == "lambd" || name.starts_with("lambd-");
        let wrong: Vec<_> = asked.iter().filter(|name| fence.forbids(name, is_ours(name))).collect();
        assert_eq!(wrong, [""; 0], "{member} must not know these");
    }
}

/// What two handlers share belongs in `api/rules`.
#[test]
fn no_handler_imports_a_handler() {
    let api = root().join("server/src/api");
    let entries = fs::read_dir(&api).unwrap().map(|entry| entry.unwrap().path());
    let resources: Vec<_> = entries.filter(|path| path.is_dir() && !path.ends_with("rules")).collect();
    assert!(resources.len() >= 7, "{resources:?}");
    for folder in &resources {
        let mut handlers = Vec::new();
        rust_files(folder, &mut handlers);
        for handler in handlers {
            let text = fs::read_to_string(&handler).unwrap();
            let imports: Vec<_> = text.lines().take_while(|line| !line.starts_with("mod tests")).collect();
            let names = |folder: &PathBuf| format!("api::{}", folder.file_name().unwrap().to_str().unwrap());
            let is_handler = |line: &str| resources.iter().any(|folder| line.contains(&names(folder)));
            let wrong = imports.iter().find(|line| line.contains("super::") || is_handler(line));
            assert_eq!(wrong, None, "{}", handler.display());
        }
    }
}
