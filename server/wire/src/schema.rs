//! The constraint tables' types, and structures seen through them.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

use crate::Error;
use crate::validate::Violations;

/// What a shape is, as far as its constraints go.
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
    /// Neither messages nor `Debug` show the value.
    pub(crate) sensitive: bool,
    /// A list whose message names its elements' constraint without brackets.
    pub(crate) plain: bool,
    pub(crate) key: Option<&'static Self>,
    /// A list's element or a map's value.
    pub(crate) element: Option<&'static Self>,
}

impl Shape {
    /// A structure has constraints in its members only.
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
    /// As the model and the messages have it.
    pub(crate) text: &'static str,
    /// Accepts the same texts, without look-around.
    source: &'static str,
    /// Accepts every text of `[a-zA-Z0-9-_]+`.
    pub(crate) word: bool,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) const fn new(text: &'static str, source: &'static str, word: bool) -> Self {
        Self { text, source, word, regex: OnceLock::new() }
    }

    /// Whether the pattern accepts `text`; without a regular expression for the common function name.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.word && !text.is_empty() && text.as_bytes().iter().all(word) {
            return true;
        }
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    /// Compiled at first use. `None` if it does not compile, which a test rules out.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(&ascii_classes(self.source)).ok()).as_ref()
    }
}

/// The service's `\d` and `\s` are ASCII; `\p{…}` is not, so the whole pattern cannot be.
fn ascii_classes(source: &str) -> String {
    let source = source.replace(r"\d", "[0-9]").replace(r"[^\s]", r"[^ \t\n\x0B\x0C\r]");
    format!(r"\A(?:{source})\z")
}

/// Where a member travels.
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
    /// As messages name it.
    pub(crate) path: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) binding: Binding,
    pub(crate) required: bool,
    /// The server, not the validator, checks the enum.
    pub(crate) open: bool,
}

/// A structure, seen as a row of members.
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
    /// Takes a complete JSON value without surrounding white space; `null` is absence.
    fn read_json(&mut self, json: &str) -> Result<(), Error>;
    /// Takes the text of a label, header or query value; a list takes one more element.
    fn read_text(&mut self, text: &str) -> Result<(), Error>;
    fn write_json(&self, out: &mut Vec<u8>);
    /// The text of a header or status, if the type has one.
    fn text(&self) -> Option<String>;
    /// The bytes of a payload, taken out without a copy; also from a buffer put in by `put_bytes`.
    fn bytes_mut(&mut self) -> Option<&mut Option<bytes::Bytes>>;
    fn check(&self, shape: &MemberShape, found: &mut Violations);
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// `Debug` of a structure: the members that are there, and of sensitive ones only that they are.
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
