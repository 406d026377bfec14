//! The parts of the public service model that the table needs.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// `service-2.json`.
#[derive(Deserialize)]
pub(crate) struct Model {
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    pub(crate) http: Http,
    pub(crate) input: Reference,
    pub(crate) output: Option<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    pub(crate) response_code: u16,
}

/// A reference to a shape: a member, a list's element, a map's key or value, an input or output.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location: Option<String>,
    pub(crate) location_name: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) members: Ordered<Reference>,
    pub(crate) required: Vec<String>,
    pub(crate) payload: Option<String>,
    pub(crate) member: Option<Reference>,
    pub(crate) key: Option<Reference>,
    pub(crate) value: Option<Reference>,
    pub(crate) min: Option<serde_json::Number>,
    pub(crate) max: Option<serde_json::Number>,
    pub(crate) pattern: Option<String>,
    #[serde(rename = "enum")]
    pub(crate) values: Vec<String>,
    pub(crate) sensitive: bool,
    pub(crate) eventstream: bool,
    pub(crate) exception: bool,
    pub(crate) fault: bool,
    pub(crate) error: Option<ErrorTrait>,
    /// A pattern without look-around that accepts the same texts as `pattern`; set by a correction.
    #[serde(skip)]
    pub(crate) regex: Option<String>,
    /// More facts, added by a correction.
    #[serde(skip)]
    pub(crate) flags: Vec<&'static str>,
    /// Members whose enum the server checks and not the validator; set by a correction.
    #[serde(skip)]
    pub(crate) open: Vec<&'static str>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorTrait {
    pub(crate) http_status_code: u16,
}

/// A JSON object in the order of its text, because the order of members is the order of violations.
#[derive(Clone)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Ordered(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
