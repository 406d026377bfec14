//! What neither formatter nor linter can check: how a file begins, how it imports, how it ignores a result,
//! and that no two public types have the same name.

#![expect(clippy::unwrap_used, reason = "a test of its own: a panic is its answer")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its text.
fn sources() -> Vec<(String, String)> {
    // The checkout that is tested, not the compiled one: several checkouts may share a target directory.
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&package).join("../..").canonicalize().unwrap();
    let mut paths = Vec::new();
    ["compat-tests", "runtime-api", "sandbox", "server"]
        .into_iter()
        .for_each(|part| rust_files(&root.join(part), &mut paths));
    assert!(paths.len() > 300, "{} files", paths.len());
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// All violations, one line each: `file: what`.
fn all_wrong(check: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let sources = sources();
    let wrong =
        sources.iter().map(|(name, text)| check(text).into_iter().map(move |w| format!("{name}: {w}")));
    wrong.flatten().collect()
}

fn is_of_std(import: &str) -> bool {
    ["std", "core", "alloc"].iter().any(|name| import.starts_with(&format!("{name}::")))
}

/// Paragraphs of private imports; a paragraph with any other line is left out.
fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n'));
    let imports = paragraphs.filter(|paragraph| paragraph.trim_start().starts_with("use "));
    let statements = imports.map(|paragraph| {
        let parts = paragraph.split(';').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        parts.filter_map(|part| part.strip_prefix("use ").map(str::to_owned)).collect::<Vec<_>>()
    });
    statements.collect()
}

/// Imports: the standard library comes first, in its own paragraph; braces contain names only, no paths.
fn wrong_imports(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before: Option<bool> = None;
    for paragraph in paragraphs(text) {
        for import in &paragraph {
            let list = import.split_once('{').map_or("", |(_, list)| list);
            if list.contains("::") {
                wrong.push(format!("a path in braces: {import}"));
            }
        }
        let of_std = paragraph.iter().filter(|import| is_of_std(import)).count();
        if of_std > 0 && of_std < paragraph.len() {
            wrong.push(format!("std among others: {}", paragraph[0]));
        }
        // Each module of a file has its own imports, so the order is checked in files without modules only.
        if of_std > 0 && before == Some(false) && !text.contains("\nmod ") {
            wrong.push(format!("std after others: {}", paragraph[0]));
        }
        before = Some(of_std > 0);
    }
    wrong
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// An ignored result is `let _ =`; `drop` is for a value whose end matters, and takes a name.
fn wrong_ignoring(text: &str) -> Vec<String> {
    let calls = |line: &str| {
        let argument = line
            .split_once("drop(")
            .filter(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'));
        argument.is_some_and(|(before, argument)| !before.contains("fn ") && argument.contains('('))
    };
    let statement = |line: &str| line.starts_with("_ = ") && !line.contains("=>");
    code(text).filter(|line| calls(line) || statement(line)).map(str::to_owned).collect()
}

/// Names of the public types of a file.
fn public_types(text: &str) -> impl Iterator<Item = &str> {
    let kinds = ["struct", "enum", "trait", "type", "union"];
    text.lines().filter_map(move |line| {
        let (kind, rest) = line.strip_prefix("pub ")?.split_once(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        kinds.contains(&kind).then(|| &rest[..end])
    })
}

#[test]
fn each_file_begins_with_its_documentation() {
    let check =
        |text: &str| if text.starts_with("//! ") { vec![] } else { vec!["opens without `//!`".to_owned()] };
    assert_eq!(all_wrong(check), [""; 0]);
}

#[test]
fn imports_have_one_style() {
    assert_eq!(all_wrong(wrong_imports), [""; 0]);
}

#[test]
fn results_are_ignored_in_one_way() {
    let sources = sources();
    let program = sources.iter().filter(|(name, _)| !name.contains("tests/") && !name.ends_with("tests.rs"));
    let wrong = program
        .flat_map(|(name, text)| wrong_ignoring(text).into_iter().map(move |w| format!("{name}: {w}")));
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

/// One word means one thing: a reader of a type's name need not ask from which crate it is.
#[test]
fn no_two_public_types_have_one_name() {
    let sources = sources();
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, text) in &sources {
        public_types(text).for_each(|found| files.entry(found).or_default().push(name));
    }
    assert!(files.len() > 150, "{} types", files.len());
    files.retain(|_, files| files.len() > 1);
    assert_eq!(files, BTreeMap::new());
}

#[test]
fn this_check_finds_what_is_wrong() {
    let flat =
        "//! x\n\nuse std::fmt;\nuse std::io::{self, Write as _};\n\nuse bytes::Bytes;\nuse crate::x;\n";
    assert_eq!(wrong_imports(flat), [""; 0]);
    assert_eq!(wrong_imports("use std::{fmt, io::Read};\n").len(), 1);
    assert_eq!(wrong_imports("use bytes::Bytes;\nuse std::fmt;\n").len(), 1);
    assert_eq!(wrong_imports("use bytes::Bytes;\n\nuse std::fmt;\n").len(), 1);
    assert_eq!(wrong_ignoring("    drop(file.sync());\n    _ = send(x);\n").len(), 2);
    assert_eq!(wrong_ignoring("    drop(guard);\n    let _ = send(x);\n    fn drop(&mut self) {\n"), [""; 0]);
    assert_eq!(public_types("pub struct A<T>(T);\npub(crate) enum B {}\n").collect::<Vec<_>>(), ["A"]);
}
