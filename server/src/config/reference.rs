//! Prints the page and the sample file of the configuration from the table of keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, Args as _, Command};

use super::{AuthMode, Config, ConfigError, Settings};
use crate::testing::assert_printed;

const PAGE: &str = "docs/operating/configuration.md";
const SAMPLE: &str = "packaging/lambd.toml";

const PAGE_HEAD: &str = "\
# Configuration

A setting comes from the configuration file, from a variable, or from a flag of `lambd serve`; the later one of these
wins. The file is `/etc/lambd/lambd.toml` if it exists, or the one that `--config FILE` or `LAMBD_CONFIG` names. The
variable of `data_dir` is `LAMBD_DATA_DIR` and its flag `--data-dir`; the other keys follow the same rule.

An unknown key, an unknown `LAMBD_…` variable and a value out of bounds are refused, each by its name.
`lambd check-config` checks without starting anything, and `lambd check-config --print` shows all values in effect.
[packaging/lambd.toml](../../packaging/lambd.toml) is a file with every key. Changes take effect when the server starts.

This page is printed from `server/src/config/keys.rs` by `make docs`.

| key | default | meaning | value |
|---|---|---|---|
";

const SAMPLE_HEAD: &str = "\
# The configuration of lambd, with every key and its default; install it as /etc/lambd/lambd.toml.
# Variables LAMBD_... and flags win over this file. `lambd check-config` checks it.
";

/// One key, as the page and the sample show it.
struct Key {
    name: String,
    help: String,
    /// The default as the help describes it, if the machine or the request decides it.
    computed: Option<String>,
    /// The default, as it would be written in the file.
    value: String,
    /// What a value must be.
    bounds: String,
}

fn keys() -> Vec<Key> {
    let (values, bounds) = (defaults(), bounds());
    let key = |arg: &Arg| {
        let name = arg.get_id().to_string();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (help, computed) = match help.split_once(" [default: ") {
            Some((help, rest)) => (help.to_owned(), Some(rest.trim_end_matches(']').to_owned())),
            None => (help, None),
        };
        Key {
            value: values[&name].clone(),
            bounds: bounds.get(&name).cloned().unwrap_or_else(|| words(arg)),
            name,
            help,
            computed,
        }
    };
    Settings::augment_args(Command::new("lambd")).get_arguments().map(key).collect()
}

/// The words that are possible as a value, if there are only a few.
fn words(arg: &Arg) -> String {
    let words: Vec<_> =
        arg.get_possible_values().iter().map(|word| format!("`{}`", word.get_name())).collect();
    if words.is_empty() { String::new() } else { format!("one of {}", words.join(", ")) }
}

/// The default of each key, as it would be written in the file.
fn defaults() -> BTreeMap<String, String> {
    // A fixed number instead of this machine's memory.
    let config = Config { host_memory_mib: 4096, ..Settings::default().into_config() };
    let text = toml::to_string(&config).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The text of the check for each key, with a configuration in which every value is wrong.
fn bounds() -> BTreeMap<String, String> {
    let wrong = Config {
        listen: "192.0.2.1:1".parse().unwrap(),
        account_id: String::new(),
        region: String::new(),
        user: String::new(),
        auth: AuthMode::Off,
        drain_timeout_s: u64::MAX,
        concurrency_limit: 0,
        host_memory_mib: 0,
        environment_idle_s: 0,
        volume_stock: u32::MAX,
        logs_retention_days: 0,
        logs_group_mib: 0,
        public_endpoint: "x".to_owned(),
        ..Settings::default().into_config()
    };
    let Err(ConfigError::Values { problems }) = wrong.check() else { panic!("nothing is wrong with it") };
    let said = |remedy: &str| remedy.trim_start_matches("must be ").to_owned();
    problems.into_iter().map(|problem| (problem.key.to_owned(), said(&problem.remedy))).collect()
}

#[test]
fn the_page_is_printed_from_the_keys() {
    let mut page = PAGE_HEAD.to_owned();
    for Key { name, help, computed, value, bounds } in keys() {
        let default = computed.unwrap_or_else(|| format!("`{value}`"));
        writeln!(page, "| `{name}` | {default} | {help} | {bounds} |").unwrap();
    }
    assert_printed(PAGE, &page);
}

#[test]
fn the_sample_is_printed_from_the_keys() {
    let mut sample = SAMPLE_HEAD.to_owned();
    for Key { name, help, computed, value, bounds } in keys() {
        let computed = computed.map(|text| format!(" [default: {text}]")).unwrap_or_default();
        let bounds =
            if bounds.is_empty() { bounds } else { format!("# Value: {}\n", bounds.replace('`', "'")) };
        write!(sample, "\n# {help}{computed}\n{bounds}#{name} = {value}\n").unwrap();
    }
    assert_printed(SAMPLE, &sample);
    let lines =
        sample.lines().map(|line| if line.starts_with("# ") { line } else { line.trim_start_matches('#') });
    let settings: Settings = toml::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    let expect = Config { host_memory_mib: 4096, ..Settings::default().into_config() };
    assert_eq!(settings.into_config(), expect, "the sample with every key active has the defaults");
}
