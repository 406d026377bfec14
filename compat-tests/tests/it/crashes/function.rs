//! What a worker knows of one of its functions, and what the server shows of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::api::{ApiClient, FUNCTIONS};
use serde_json::{Value, json};

use super::world::{Code, MAPPINGS};
use super::{Draw, all};

/// A function with all that belongs to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    description: String,
    sha256: String,
    /// Description and hash of each published version.
    versions: BTreeMap<u64, (String, String)>,
    published: u64,
    /// Whether there is something to publish.
    has_changed: bool,
    aliases: BTreeMap<String, String>,
    statements: BTreeSet<String>,
    reserved: Option<u64>,
    /// Batch size of each mapping, by its source.
    mappings: BTreeMap<String, u64>,
}

/// A request: method, path, body and the status of its success.
pub(super) type Request = (&'static str, String, Option<Value>, u16);

/// A request, and the source of the mapping whose UUID is to follow the path.
pub(super) struct FunctionChange {
    pub(super) request: Request,
    pub(super) mapping: Option<String>,
}

impl Function {
    pub(super) fn new(sha256: String) -> Self {
        Self { sha256, has_changed: true, ..Self::default() }
    }

    pub(super) fn has_mappings(&self) -> bool {
        !self.mappings.is_empty()
    }

    pub(super) fn hashes(&self) -> BTreeSet<String> {
        self.versions.values().map(|(_, hash)| hash).chain([&self.sha256]).cloned().collect()
    }

    /// In the form of [`seen`].
    pub(super) fn shown(&self) -> Value {
        json!({
            "latest": [self.description, self.sha256],
            "versions": self.versions.iter().map(|(n, shown)| (n.to_string(), shown)).collect::<BTreeMap<_, _>>(),
            "aliases": self.aliases,
            "statements": self.statements,
            "reserved": self.reserved,
            "mappings": self.mappings,
        })
    }

    fn publish(&mut self, description: &str) {
        self.published += 1;
        self.versions.insert(self.published, (description.to_owned(), self.sha256.clone()));
        self.has_changed = false;
    }

    /// Makes a change here, and returns its request; `None` if the drawn one is not possible.
    pub(super) fn change(
        &mut self,
        worker: &str,
        name: &str,
        number: u64,
        draw: &mut Draw,
    ) -> Option<FunctionChange> {
        if draw.below(4) == 0 {
            return self.change_mapping(name, number, draw);
        }
        let path = format!("{FUNCTIONS}/{name}");
        let request = match draw.below(5) {
            0 => self.change_code(worker, &path, number, draw),
            1 => {
                self.description = format!("number {number}");
                self.has_changed = true;
                let variables = json!({ "Variables": { "N1": number.to_string() } });
                let body = json!({ "Description": self.description, "Environment": variables });
                ("PUT", format!("{path}/configuration"), Some(body), 200)
            }
            2 => self.change_version(&path, number, draw)?,
            3 => self.change_alias(&path, number, draw)?,
            _ => self.change_rights(name, number, draw)?,
        };
        Some(FunctionChange { request, mapping: None })
    }

    fn change_code(&mut self, worker: &str, path: &str, number: u64, draw: &mut Draw) -> Request {
        let (code, publish) = (Code::of(worker, number), draw.below(2) == 0);
        self.sha256 = code.sha256;
        self.has_changed = true;
        if publish {
            let description = self.description.clone();
            self.publish(&description);
        }
        let body = json!({ "ZipFile": code.base64, "Publish": publish });
        ("PUT", format!("{path}/code"), Some(body), 200)
    }

    fn change_version(&mut self, path: &str, number: u64, draw: &mut Draw) -> Option<Request> {
        if self.has_changed {
            self.publish(&number.to_string());
            let body = json!({ "Description": number.to_string() });
            return Some(("POST", format!("{path}/versions"), Some(body), 201));
        }
        let named: BTreeSet<_> = self.aliases.values().collect();
        let version = draw.pick(self.versions.keys().filter(|v| !named.contains(&v.to_string())))?.to_owned();
        self.versions.remove(&version);
        // Publishing what is like the last version that is left would give that one.
        self.has_changed = false;
        Some(("DELETE", format!("{path}?Qualifier={version}"), None, 204))
    }

    fn change_alias(&mut self, path: &str, number: u64, draw: &mut Draw) -> Option<Request> {
        let choice = draw.below(3);
        if choice == 0 {
            let alias = draw.pick(self.aliases.keys())?.clone();
            self.aliases.remove(&alias);
            return Some(("DELETE", format!("{path}/aliases/{alias}"), None, 204));
        }
        let version = draw.pick(self.versions.keys())?.to_string();
        let body = json!({ "FunctionVersion": version });
        if choice == 1 {
            let alias = draw.pick(self.aliases.keys())?.clone();
            self.aliases.insert(alias.clone(), version);
            return Some(("PUT", format!("{path}/aliases/{alias}"), Some(body), 200));
        }
        let alias = format!("a{number}");
        self.aliases.insert(alias.clone(), version.clone());
        let body = json!({ "Name": alias, "FunctionVersion": version });
        Some(("POST", format!("{path}/aliases"), Some(body), 201))
    }

    fn change_rights(&mut self, name: &str, number: u64, draw: &mut Draw) -> Option<Request> {
        let path = format!("{FUNCTIONS}/{name}/policy");
        let reservation = format!("/2017-10-31/functions/{name}/concurrency");
        Some(match draw.below(4) {
            0 => {
                let id = format!("s{number}");
                self.statements.insert(id.clone());
                let (action, principal) = ("lambda:InvokeFunction", "s3.amazonaws.com");
                let body = json!({ "StatementId": id, "Action": action, "Principal": principal });
                ("POST", path, Some(body), 201)
            }
            1 => {
                let id = draw.pick(self.statements.iter())?.clone();
                self.statements.remove(&id);
                ("DELETE", format!("{path}/{id}"), None, 204)
            }
            2 => {
                let reserved = draw.below(5);
                self.reserved = Some(reserved);
                ("PUT", reservation, Some(json!({ "ReservedConcurrentExecutions": reserved })), 200)
            }
            _ => {
                self.reserved = None;
                ("DELETE", reservation, None, 204)
            }
        })
    }

    fn change_mapping(&mut self, name: &str, number: u64, draw: &mut Draw) -> Option<FunctionChange> {
        let batch = 1 + draw.below(10_000);
        if self.mappings.len() < 2 {
            let source = format!("arn:aws:kinesis:us-east-1:000000000000:stream/{name}-{number}");
            self.mappings.insert(source.clone(), batch);
            let body = json!({
                "FunctionName": name, "EventSourceArn": source, "BatchSize": batch, "StartingPosition": "LATEST",
            });
            let request = ("POST", MAPPINGS.to_owned(), Some(body), 202);
            return Some(FunctionChange { request, mapping: None });
        }
        let source = draw.pick(self.mappings.keys())?.clone();
        let request = if draw.below(2) == 0 {
            self.mappings.remove(&source);
            ("DELETE", MAPPINGS.to_owned(), None, 202)
        } else {
            self.mappings.insert(source.clone(), batch);
            ("PUT", MAPPINGS.to_owned(), Some(json!({ "BatchSize": batch })), 202)
        };
        Some(FunctionChange { request, mapping: Some(source) })
    }
}

/// What the server shows of a function.
pub(super) fn seen(api: &ApiClient, name: &str) -> Result<Value> {
    let path = format!("{FUNCTIONS}/{name}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut versions = BTreeMap::new();
    for version in all(api, &format!("{path}/versions"), "Versions")? {
        versions.insert(text(&version["Version"]), json!([version["Description"], version["CodeSha256"]]));
    }
    let latest = versions.remove("$LATEST").context("no $LATEST")?;
    let aliases = all(api, &format!("{path}/aliases"), "Aliases")?;
    let aliases: BTreeMap<_, _> =
        aliases.iter().map(|alias| (text(&alias["Name"]), alias["FunctionVersion"].clone())).collect();
    let policy = api.call("GET", &format!("{path}/policy"), None)?;
    ensure!([200, 404].contains(&policy.status), "{} {}", policy.status, policy.text());
    let policy: Value = serde_json::from_str(&text(&policy.json()?["Policy"])).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let statements: BTreeSet<_> = statements.iter().map(|statement| text(&statement["Sid"])).collect();
    let reserved = api.call("GET", &format!("/2019-09-30/functions/{name}/concurrency"), None)?.json()?;
    let mappings = all(api, &format!("{MAPPINGS}?FunctionName={name}"), "EventSourceMappings")?;
    let mappings: BTreeMap<_, _> = mappings
        .iter()
        .map(|mapping| (text(&mapping["EventSourceArn"]), mapping["BatchSize"].clone()))
        .collect();
    Ok(json!({
        "latest": latest, "versions": versions, "aliases": aliases, "statements": statements,
        "reserved": reserved["ReservedConcurrentExecutions"], "mappings": mappings,
    }))
}
