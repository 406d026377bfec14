//! Imports only go down, in the server and in the Runtime API: the lists in ARCHITECTURE.md, "Layers", are checked.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test of its own: a panic is its answer")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module's layer, the topmost 0.
type Layers = BTreeMap<String, usize>;

fn root() -> PathBuf {
    // The checkout that is tested, not the one that was compiled: they may share a target directory.
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("../..")
}

/// The numbered list below the heading: names in backticks, from the top down.
fn layers(heading: &str) -> Layers {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split(&format!("\n### {heading}\n")).nth(1).expect("ARCHITECTURE.md has the section");
    let section = section.split("\n#").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let names = lines.enumerate().flat_map(|(at, line)| {
        let names = line.split('`').skip(1).step_by(2).map(str::to_owned);
        names.map(move |name| (name, at)).collect::<Vec<_>>()
    });
    names.collect()
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

/// The modules that a file names behind `crate::`, alone or in braces; comments name what they like.
fn named(text: &str) -> Vec<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    code.split("crate::").skip(1).flat_map(heads).collect()
}

/// The first word of each path at the head of `rest`, which is one path or a list of paths in braces.
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

/// A type that the crate's root offers is no module; nor is what tests share.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "testing"
}

/// Every import that does not go down, as `file: module`.
fn upward(layers: &Layers, files: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files {
        let module = file.split(['/', '.']).next().unwrap();
        // The tests of a whole crate use all of it.
        if ["lib", "tests", "testing"].contains(&module) {
            continue;
        }
        let own = layers.get(module).unwrap_or_else(|| panic!("`{module}` has no layer in ARCHITECTURE.md"));
        for other in named(text).into_iter().filter(|other| other != module && is_module(other)) {
            match layers.get(&other) {
                Some(layer) if layer > own => {}
                _ => wrong.push(format!("{file}: {other}")),
            }
        }
    }
    wrong
}

fn check(heading: &str, source: &str, files_min: usize) {
    let source = root().join(source);
    let mut paths = Vec::new();
    rust_files(&source, &mut paths);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    let files: Vec<_> = paths.into_iter().map(read).collect();
    let layers = layers(heading);
    assert!(files.len() >= files_min && layers.len() > 5, "{} files, {} modules", files.len(), layers.len());
    assert_eq!(upward(&layers, &files), [""; 0], "these imports do not go down");
    for module in layers.keys() {
        let its = |name: &String| name.split(['/', '.']).next() == Some(module);
        assert!(
            files.iter().any(|(name, _)| its(name)),
            "ARCHITECTURE.md names `{module}`, which is no module"
        );
    }
}

#[test]
fn imports_of_the_server_only_go_down() {
    check("Layers of the server", "server/src", 100);
}

#[test]
fn imports_of_the_runtime_api_only_go_down() {
    check("Layers of the Runtime API", "runtime-api/src", 20);
}

#[test]
fn an_upward_import_is_found() {
    let layers = [("api", 0), ("store", 1), ("logs", 1)].map(|(name, at)| (name.to_owned(), at)).into();
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        file(
            "api/get.rs",
            "use crate::store::Store;\nuse crate::api::Call;\nuse crate::{store::{Row, api}, logs::x};",
        ),
        file("store.rs", "// crate::api\nuse crate::{\n    api::Call,\n    logs,\n};"),
        file("logs/keys.rs", "let x = crate::nowhere::y();"),
    ];
    assert_eq!(upward(&layers, &files), ["store.rs: api", "store.rs: logs", "logs/keys.rs: nowhere"]);
}

/// Compiling RocksDB takes 22 minutes on two cores: only the program itself and the database's own crate wait for it.
#[test]
fn no_other_crate_is_built_with_the_database() {
    for package in [
        "server",
        "server/auth",
        "server/engine",
        "server/model",
        "server/store",
        "server/wire",
        "runtime-api",
    ] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("rocks"), "{package}");
    }
    let daemon = fs::read_to_string(root().join("server/daemon/Cargo.toml")).unwrap();
    assert!(daemon.contains("lambd-store-rocks"));
}

/// What two handlers share is in `api/rules`.
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
