//! What one worker has made, and the next change of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::FUNCTIONS;
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::package;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Draw;
use super::function::Function;

pub(super) const MAPPINGS: &str = "/2015-03-31/event-source-mappings/";
const FUNCTIONS_MAX: usize = 3;

/// A request and what is there after it.
pub(super) struct Change {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// The status of its success.
    pub(super) status: u16,
    /// The source of the mapping whose UUID is to follow the path.
    pub(super) mapping: Option<String>,
    pub(super) then: World,
}

/// A package of its own for each number.
pub(super) struct Code {
    pub(super) base64: String,
    /// As `CodeSha256` has it.
    pub(super) sha256: String,
}

impl Code {
    pub(super) fn of(worker: &str, number: u64) -> Self {
        let bytes = package::files(&[("app.py", &format!("# {worker} {number}"))]);
        Self { base64: STANDARD.encode(&bytes), sha256: STANDARD.encode(Sha256::digest(&bytes)) }
    }
}

/// The path of a worker's layer.
pub(super) fn layer(worker: &str) -> String {
    format!("/2018-10-31/layers/{worker}/versions")
}

/// The functions and the layer of a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) worker: String,
    /// Number of the last change; names and contents have it, so that each is used once.
    pub(super) drawn: u64,
    functions: BTreeMap<String, Function>,
    /// Versions of the layer: the number of the change that published each.
    layers: BTreeMap<u64, u64>,
    layers_published: u64,
}

impl World {
    pub(super) fn new(worker: &str) -> Self {
        Self { worker: worker.to_owned(), ..Self::default() }
    }

    /// In the form of [`super::seen`].
    pub(super) fn shown(&self) -> Value {
        let functions: BTreeMap<_, _> = self.functions.iter().map(|(name, f)| (name, f.shown())).collect();
        let layers: BTreeSet<_> = self
            .layers
            .iter()
            .map(|(version, number)| json!([version, number.to_string()]).to_string())
            .collect();
        json!({ "functions": functions, "layers": layers })
    }

    /// The hashes of all packages that are in use.
    pub(super) fn hashes(&self) -> BTreeSet<String> {
        let layers = self.layers.values().map(|number| Code::of(&self.worker, *number).sha256);
        self.functions.values().flat_map(Function::hashes).chain(layers).collect()
    }

    /// The next change; which one is drawn from those that are possible.
    pub(super) fn next(&self, draw: &mut Draw) -> Change {
        let mut then = self.clone();
        loop {
            then.drawn += 1;
            if let Some(change) = then.clone().change(draw) {
                return change;
            }
        }
    }

    fn change(mut self, draw: &mut Draw) -> Option<Change> {
        let number = self.drawn;
        match draw.below(20) {
            0 | 1 if self.functions.len() < FUNCTIONS_MAX => {
                let (name, code) = (format!("{}-{number}", self.worker), Code::of(&self.worker, number));
                let body = json!({
                    "FunctionName": name, "Runtime": "provided.al2023", "Handler": "h", "Role": ROLE,
                    "Code": { "ZipFile": code.base64 },
                });
                self.functions.insert(name, Function::new(code.sha256));
                Some(self.sends("POST", FUNCTIONS.to_owned(), Some(body), 201))
            }
            2 => {
                let code = Code::of(&self.worker, number).base64;
                let body = json!({ "Content": { "ZipFile": code }, "Description": number.to_string() });
                self.layers_published += 1;
                self.layers.insert(self.layers_published, number);
                let path = layer(&self.worker);
                Some(self.sends("POST", path, Some(body), 201))
            }
            3 => {
                let version = draw.pick(self.layers.keys().copied())?;
                self.layers.remove(&version);
                let path = format!("{}/{version}", layer(&self.worker));
                Some(self.sends("DELETE", path, None, 204))
            }
            4 => {
                let mut without = self.functions.iter().filter(|(_, function)| !function.has_mappings());
                let name = without.next()?.0.clone();
                self.functions.remove(&name);
                Some(self.sends("DELETE", format!("{FUNCTIONS}/{name}"), None, 204))
            }
            _ => {
                let name = draw.pick(self.functions.keys())?.clone();
                let worker = self.worker.clone();
                let sent = self.functions.get_mut(&name)?.change(&worker, &name, number, draw)?;
                let (method, path, body, status) = sent.request;
                Some(Change { mapping: sent.mapping, ..self.sends(method, path, body, status) })
            }
        }
    }

    fn sends(self, method: &'static str, path: String, body: Option<Value>, status: u16) -> Change {
        Change { method, path, body, status, mapping: None, then: self }
    }
}
