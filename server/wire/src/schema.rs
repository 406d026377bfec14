//! The types of the constraint tables, and access to structures as rows of members.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

use crate::Error;
use crate::validate::Violations;

/// The kind of a shape, as far as its constraints depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Double,
    List,
    Map,
    Other,
}

/// The constraints of a shape.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Bounds of a number's value or of the length of anything else.
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) pattern: Option<Pattern>,
    /// The values of an enum; empty for anything else.
    pub(crate) values: &'static [&'static str],
    /// Whether messages and `Debug` hide the value.
    pub(crate) sensitive: bool,
    /// Whether the message about a list names its elements' constraint without brackets.
    pub(crate) plain: bool,
    pub(crate) key: Option<&'static Self>,
    /// A list's element or a map's value.
    pub(crate) element: Option<&'static Self>,
}

impl Shape {
    /// A structure, which has constraints only in its members.
    pub(crate) const STRUCTURE: Self = Self {
        kind: Kind::Other,
        min: None,
        max: None,
        pattern: None,
        values: &[],
        sensitive: false,
        plain: false,
        key: None,
        element: None,
    };
}

/// A pattern that must match the whole text.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The pattern as the model and the messages have it.
    pub(crate) text: &'static str,
    /// A pattern that accepts the same texts, without look-around.
    source: &'static str,
    /// Whether the pattern accepts every text of `[a-zA-Z0-9-_]+`.
    pub(crate) word: bool,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) const fn new(text: &'static str, source: &'static str, word: bool) -> Self {
        Self { text, source, word, regex: OnceLock::new() }
    }

    /// Whether the pattern accepts `text`. Usual function names need no regular expression.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.word && !text.is_empty() && text.as_bytes().iter().all(word) {
            return true;
        }
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    /// The compiled pattern. `None` if it does not compile; a test makes sure that all do.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(&ascii_classes(self.source)).ok()).as_ref()
    }
}

/// In the service `\d` and `\s` are ASCII but `\p{…}` is not, so the regex cannot be ASCII as a whole.
fn ascii_classes(source: &str) -> String {
    let source = source.replace(r"\d", "[0-9]").replace(r"[^\s]", r"[^ \t\n\x0B\x0C\r]");
    format!(r"\A(?:{source})\z")
}

/// The part of a request or response that has a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A member of the JSON body.
    Body,
    /// The label of the URI at this place.
    Label(usize),
    Query(&'static str),
    /// A header, by its lower-case name.
    Header(&'static str),
    /// The HTTP status of an answer.
    Status,
    /// The whole body, as JSON.
    Payload,
    /// The whole body, as it is.
    RawPayload,
}

/// A member of a structure.
#[derive(Debug)]
pub(crate) struct MemberShape {
    pub(crate) name: &'static str,
    /// The name in messages.
    pub(crate) path: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) binding: Binding,
    pub(crate) required: bool,
    /// Whether the server checks the enum instead of the validator.
    pub(crate) open: bool,
}

/// A structure as a row of members.
pub(crate) trait Structure {
    fn shapes(&self) -> &'static [MemberShape];
    fn member(&self, index: usize) -> Option<&dyn Member>;
    fn member_mut(&mut self, index: usize) -> Option<&mut dyn Member>;
}

/// Every member of a structure with its shape.
pub(crate) fn members(
    structure: &dyn Structure,
) -> impl Iterator<Item = (&'static MemberShape, &dyn Member)> {
    let shapes = structure.shapes().iter().enumerate();
    shapes.filter_map(|(index, shape)| Some((shape, structure.member(index)?)))
}

/// An optional value of any type: a member of a structure.
pub(crate) trait Member {
    fn is_some(&self) -> bool;
    /// Reads a complete JSON value without surrounding white space; `null` means absent.
    fn read_json(&mut self, json: &str) -> Result<(), Error>;
    /// Reads the text of a label, header or query value; a list adds it as an element.
    fn read_text(&mut self, text: &str) -> Result<(), Error>;
    fn write_json(&self, out: &mut Vec<u8>);
    /// The text for a header or status, if the type has one.
    fn text(&self) -> Option<String>;
    /// The bytes of a payload, which can be put in or taken out without a copy.
    fn bytes_mut(&mut self) -> Option<&mut Option<bytes::Bytes>>;
    fn check(&self, shape: &MemberShape, found: &mut Violations);
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// `Debug` of a structure: shows the members that are present, and of sensitive ones only that they are.
pub(crate) fn debug(name: &str, structure: &dyn Structure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    struct Shown<'a>(&'a dyn Member);
    impl fmt::Debug for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.debug(f)
        }
    }
    let mut out = f.debug_struct(name);
    for (shape, member) in members(structure).filter(|(_, member)| member.is_some()) {
        if shape.shape.sensitive {
            out.field(shape.name, &format_args!("[redacted]"));
        } else {
            out.field(shape.name, &Shown(member));
        }
    }
    out.finish()
}
