//! All that the code cites is in the repository: facts by their ids, documents by their names
//! (`docs/facts/README.md`).

#![expect(clippy::unwrap_used, reason = "a test of its own: a panic is its answer")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The text that a citation of a fact begins with.
const MARK: &str = "[fact:";
/// How certain a fact is; the line with its source contains one of these words.
const CERTAINTIES: [&str; 4] = ["documented", "recorded", "observed", "assumed"];
/// Words that make sense only to those who saw the code develop. In two parts, because this file is read,
/// too.
const TRACES: [[&str; 2]; 8] = [
    ["the ", "issue"],
    ["this ", "issue"],
    ["the ", "attack "],
    ["attack ", "r"],
    ["(attack", "s "],
    ["(spec", ": \""],
    ["the ", "brief"],
    ["review ", "says"],
];

fn root() -> PathBuf {
    // The checkout that is tested, not the compiled one: several checkouts may share a target directory.
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("../..")
}

/// Every text of the checkout with its path from the root.
fn texts() -> Vec<(String, String)> {
    let (root, mut folders, mut found) = (root(), vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name());
            let is_ours = name != ".git" && name != "target" && name != "node_modules";
            if is_ours && entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let (true, Ok(text)) = (is_ours, fs::read_to_string(&path)) {
                found.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    found
}

/// The ids that a text cites.
fn cited(text: &str) -> impl Iterator<Item = &str> {
    text.split(MARK).skip(1).filter_map(|rest| Some(rest.split_once(']')?.0))
}

/// The facts of one page: id and text.
fn facts(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n### ").skip(1).filter_map(|fact| fact.split_once('\n'))
}

/// An id has at least two words in small letters: rustdoc takes it for no link, and a search finds no other
/// text.
fn is_id(id: &str) -> bool {
    id.contains('-') && id.split('-').all(|word| !word.is_empty() && word.bytes().all(is_id_byte))
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// The documents that a text names: words that end in `.md`, without punctuation.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    text.split(move |c: char| !is_path(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.ends_with(".md") && *word != ".md")
}

/// Whether the checkout has a document of this name, beside `file` or anywhere else.
fn exists(name: &str, file: &str, all: &BTreeSet<String>) -> bool {
    let beside = root().join(file).parent().unwrap().join(name);
    let suffix = format!("/{}", name.trim_start_matches("../").trim_start_matches("./"));
    beside.exists() || all.iter().any(|path| format!("/{path}").ends_with(&suffix))
}

#[test]
fn every_fact_has_an_id_a_text_a_source_and_a_certainty() {
    let (texts, mut seen) = (texts(), BTreeMap::new());
    for (file, text) in texts.iter().filter(|(file, _)| file.starts_with("docs/facts/")) {
        for (id, fact) in facts(text) {
            assert!(is_id(id), "{file}: `{id}` is no id: words in small letters, joined by hyphens");
            assert_eq!(seen.insert(id.to_owned(), file), None, "{file}: `{id}` is there twice");
            let (said, source) =
                fact.split_once("\nSource: ").unwrap_or_else(|| panic!("{id} has no source"));
            assert!(said.trim().len() > 20, "{id} says nothing");
            assert!(CERTAINTIES.iter().any(|word| source.contains(word)), "{id} has no certainty");
        }
    }
    assert!(seen.len() > 30, "{} facts", seen.len());
}

#[test]
fn every_cited_fact_is_there() {
    let texts = texts();
    let pages = texts.iter().filter(|(file, _)| file.starts_with("docs/facts/"));
    let known: BTreeSet<_> = pages.flat_map(|(_, page)| facts(page).map(|(id, _)| id)).collect();
    let cites = |(file, text): &'_ (String, String)| {
        cited(text).map(|id| (file.clone(), id.to_owned())).collect::<Vec<_>>()
    };
    let all: Vec<_> =
        texts.iter().filter(|(file, _)| !file.ends_with("citations.rs")).flat_map(cites).collect();
    let wrong: Vec<_> = all.iter().filter(|(_, id)| !known.contains(id.as_str())).collect();
    assert!(wrong.is_empty(), "these facts are not in docs/facts: {wrong:?}");
    assert!(all.len() > 50, "{} citations", all.len());
}

#[test]
fn every_document_that_is_named_is_there() {
    let texts = texts();
    let all: BTreeSet<_> = texts.iter().map(|(file, _)| file.clone()).collect();
    let mut wrong = Vec::new();
    for (file, text) in texts.iter().filter(|(file, _)| !file.ends_with("citations.rs")) {
        let missing = documents(text).filter(|name| !exists(name, file, &all));
        wrong.extend(missing.map(|name| format!("{file}: {name}")));
    }
    assert!(wrong.is_empty(), "these documents are not in the repository: {wrong:?}");
}

/// Checks the links of the pages to files and folders.
#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut wrong = Vec::new();
    for (file, text) in texts().iter().filter(|(file, _)| file.ends_with(".md")) {
        let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for target in targets.filter(|target| !target.starts_with("http")) {
            let path = target.split('#').next().unwrap();
            if !path.is_empty() && !root().join(file).parent().unwrap().join(path).exists() {
                wrong.push(format!("{file}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these links lead nowhere: {wrong:?}");
}

/// The words of a page that are in backticks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// Checks the paths that the pages name, and the tests that the page about security names.
#[test]
fn every_path_and_test_that_a_page_names_is_there() {
    let texts = texts();
    let code: Vec<_> = texts.iter().filter(|(file, _)| file.ends_with(".rs")).map(|(_, text)| text).collect();
    let is_test = |word: &str| {
        word.matches('_').count() >= 2 && word.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    let is_there = |word: &str| match word.split_once('/') {
        Some(("", _)) => true,
        Some((top, _)) => {
            !root().join(top).is_dir() || word.contains(['<', '*']) || root().join(word).exists()
        }
        None => !is_test(word) || code.iter().any(|text| text.contains(&format!("fn {word}("))),
    };
    let mut wrong = Vec::new();
    for (file, text) in texts.iter().filter(|(file, _)| file.ends_with(".md")) {
        let is_read = |word: &&str| word.contains('/') || file == "docs/security.md";
        let missing = quoted(text).filter(is_read).filter(|word| !is_there(word));
        wrong.extend(missing.map(|word| format!("{file}: {word}")));
    }
    assert!(wrong.is_empty(), "these paths or tests are not in the repository: {wrong:?}");
}

#[test]
fn no_text_says_how_the_code_came_to_be() {
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        let is_read = [".rs", ".md", ".toml", ".sh", ".py", ".c"].iter().any(|end| file.ends_with(end))
            || !file.contains('.')
            || file.starts_with(".ci/");
        let lower = text.to_lowercase();
        let traces = TRACES.iter().map(|parts| parts.concat()).filter(|trace| lower.contains(trace));
        wrong.extend(traces.filter(|_| is_read).map(|trace| format!("{file}: {trace}")));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn this_check_finds_what_is_missing() {
    let text = "// as [fact:no-such] says, see sub/absent.md and ARCHITECTURE.md.";
    assert_eq!(cited(text).collect::<Vec<_>>(), ["no-such"]);
    assert_eq!(documents(text).collect::<Vec<_>>(), ["sub/absent.md", "ARCHITECTURE.md"]);
    let all = ["ARCHITECTURE.md", "docs/here.md"].map(str::to_owned).into();
    for (name, there) in [("ARCHITECTURE.md", true), ("here.md", true), ("sub/absent.md", false)] {
        assert_eq!(exists(name, "docs/x.rs", &all), there, "{name}");
    }
    for (id, right) in [("init-timeout", true), ("timeout", false), ("Init-timeout", false), ("a--b", false)]
    {
        assert_eq!(is_id(id), right, "{id}");
    }
    let page = "# Page\n\n### an-id\nText.\nSource: x; recorded.\n";
    assert_eq!(facts(page).next(), Some(("an-id", "Text.\nSource: x; recorded.\n")));
    assert_eq!(facts(page).count(), 1, "a heading is a fact");
    assert!(texts().iter().any(|(file, _)| file.starts_with(".ci/")), "hidden folders are read, too");
}
