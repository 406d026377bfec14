//! The model's constraints: all violations of a request in one message, with the service's texts.

use std::fmt::{Arguments, Write as _};

use crate::schema::{Binding, Kind, MemberShape, Shape, Structure, members};
use crate::value::{Value, bound};
use crate::{Error, Input, special};

/// Most violations that one message names.
const MAX_VIOLATIONS: usize = 64;
/// Longest value in bytes that a message shows as a whole.
const MAX_SHOWN_BYTES: usize = 16 * 1024;

/// Checks an input against every constraint of the model, and before and after that against [`special`].
///
/// # Errors
/// ValidationException with all violations: first those of query members, then the others, each in the
/// model's order [fact:violation-order]; or a refusal of [`special`].
pub fn validate<I: Input>(input: &I) -> Result<(), Error> {
    special::check_first(I::OPERATION, input)?;
    violations(input)?;
    special::check(I::OPERATION, input)
}

pub(crate) fn violations(input: &dyn Structure) -> Result<(), Error> {
    let texts = violation_texts(input);
    if texts.is_empty() { Ok(()) } else { Err(Error::validation(message(&texts))) }
}

/// The text of each violation, in the order of [`validate`].
pub(crate) fn violation_texts(input: &dyn Structure) -> Vec<String> {
    let mut found = Violations::default();
    let in_query = |shape: &MemberShape| matches!(shape.binding, Binding::Query(_));
    for query in [true, false] {
        for (shape, member) in members(input).filter(|(shape, _)| in_query(shape) == query) {
            member.check(shape, &mut found);
        }
    }
    found.texts
}

/// Makes one message of all violations.
pub(crate) fn message(violations: &[String]) -> String {
    let errors = if violations.len() == 1 { "error" } else { "errors" };
    format!("{} validation {errors} detected: {}", violations.len(), violations.join("; "))
}

/// Checks the members of a nested structure.
pub(crate) fn structure(structure: &dyn Structure, found: &mut Violations) {
    for (shape, member) in members(structure) {
        member.check(shape, found);
    }
}

/// The violations found so far, and the path of the member that is being checked.
#[derive(Default)]
pub(crate) struct Violations {
    texts: Vec<String>,
    path: String,
}

impl Violations {
    /// Checks the member `name` with `walk`.
    pub(crate) fn within(&mut self, name: Arguments<'_>, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        let dot = if length == 0 { "" } else { "." };
        let _ = write!(self.path, "{dot}{name}");
        walk(self);
        self.path.truncate(length);
    }

    /// Adds the violation of a required member that is absent.
    pub(crate) fn missing(&mut self, member: &MemberShape) {
        self.within(format_args!("{}", member.path), |found| found.add(" null", "Member must not be null"));
    }

    /// Checks a member's value, then the values inside it.
    pub(crate) fn value<T: Value>(&mut self, member: &MemberShape, value: &T) {
        self.within(format_args!("{}", member.path), |found| {
            if !value.holds(member.shape) {
                let shown = shown(member.shape, value);
                for constraint in broken(member, value) {
                    found.add(&shown, &constraint);
                }
            }
            value.check_inside(found);
        });
    }

    fn add(&mut self, shown: &str, constraint: &str) {
        if self.texts.len() < MAX_VIOLATIONS {
            let path = &self.path;
            self.texts.push(format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }
}

/// A value as messages show it, in quotes with a space before them; empty if it is sensitive.
fn shown<T: Value>(shape: &Shape, value: &T) -> String {
    let parts = [Some(shape), shape.key, shape.element];
    if parts.iter().flatten().any(|part| part.sensitive) {
        return String::new();
    }
    let mut text = String::from(" '");
    value.show(&mut text);
    if text.len() > MAX_SHOWN_BYTES {
        text.truncate(text.floor_char_boundary(MAX_SHOWN_BYTES));
        text.push_str("...");
    }
    text.push('\'');
    text
}

/// The constraints of the member's own shape that a value breaks.
fn broken<T: Value>(member: &MemberShape, value: &T) -> Vec<String> {
    let shape = member.shape;
    let mut texts = Vec::new();
    let size = value.size();
    texts.extend(shape.max.filter(|max| size > *max).map(|max| at_most(shape, max)));
    texts.extend(shape.min.filter(|min| size < *min).map(|min| at_least(shape, min)));
    if !member.open && !value.in_enum(shape) {
        texts.push(one_of(shape));
    }
    if let (Some(text), Some(pattern)) = (value.as_text(), &shape.pattern)
        && !pattern.accepts(text)
    {
        texts.push(matching(pattern.text));
    }
    match value.bad_part(shape) {
        Some((_, part)) if shape.plain => texts.push(one_of(part)),
        Some((name, part)) => texts.push(format!("{name} must satisfy constraint: {}", bracketed(part))),
        None => {}
    }
    texts
}

/// All constraints of an element, key or value, as the service lists them if one is broken.
fn bracketed(shape: &Shape) -> String {
    let mut texts = Vec::new();
    texts.extend(shape.max.map(|max| at_most(shape, max)));
    texts.extend(shape.min.map(|min| at_least(shape, min)));
    texts.extend(shape.pattern.as_ref().map(|pattern| matching(pattern.text)));
    if !shape.values.is_empty() {
        texts.push(one_of(shape));
    }
    texts.extend(
        shape.element.map(|element| format!("Member must satisfy constraint: {}", bracketed(element))),
    );
    // Recorded for enums and numbers; the service's texts for patterns do not have it.
    if matches!(shape.kind, Kind::Integer | Kind::Double) || !shape.values.is_empty() {
        texts.push("Member must not be null".into());
    }
    format!("[{}]", texts.join(", "))
}

fn measure(shape: &Shape) -> &'static str {
    if matches!(shape.kind, Kind::Integer | Kind::Double) { "value" } else { "length" }
}

fn at_most(shape: &Shape, max: f64) -> String {
    format!("Member must have {} less than or equal to {}", measure(shape), bound(shape.kind, max))
}

fn at_least(shape: &Shape, min: f64) -> String {
    format!("Member must have {} greater than or equal to {}", measure(shape), bound(shape.kind, min))
}

fn one_of(shape: &Shape) -> String {
    format!("Member must satisfy enum value set: [{}]", shape.values.join(", "))
}

fn matching(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}
