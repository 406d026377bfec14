//! The text of the table: one fact per line, fields separated by tabs, sorted by kind and name.
//!
//! ```text
//! error      NAME STATUS User|Service|- Message|message
//! operation  NAME METHOD URI STATUS INPUT OUTPUT|-
//! string|integer|long|double|boolean|timestamp|blob  NAME [FACT…]
//! list       NAME ELEMENT [FACT…]
//! map        NAME KEY VALUE [FACT…]
//! structure  NAME
//! member     NAME SHAPE [FACT…]            of the structure above it, in the model's order
//! ```
//!
//! Facts of shapes: `min=`, `max=`, `pattern=`, `regex=`, `enum=A,B`, `sensitive`, `word`, `plain`.
//! Facts of members: `required`, `label`, `query=`, `header=`, `status`, `payload`, `open`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use crate::corrections::UNMODELLED_ERRORS;
use crate::model::{Model, Reference, Shape};

/// Writes the operations, the shapes that they use, and the errors.
pub(crate) fn write(model: &Model) -> Result<String> {
    let mut lines = errors(model)?;
    let mut reached = BTreeSet::from(["SupportedRuntime"]);
    for (name, operation) in &model.operations {
        let http = &operation.http;
        let output = operation.output.as_ref().map_or("-", |output| output.shape.as_str());
        lines.push(format!(
            "operation\t{name}\t{}\t{}\t{}\t{}\t{output}",
            http.method, http.request_uri, http.response_code, operation.input.shape
        ));
        for reference in std::iter::once(&operation.input).chain(&operation.output) {
            reach(model, &reference.shape, &mut Vec::new(), &mut reached)?;
        }
    }
    let mut shapes = Vec::new();
    for name in reached {
        let shape = find(model, name)?;
        shapes.push((shape.kind.as_str(), name, shape));
    }
    shapes.sort_by_key(|(kind, name, _)| (*kind, *name));
    for (_, name, shape) in shapes {
        self::shape(model, name, shape, &mut lines)?;
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn find<'a>(model: &'a Model, name: &str) -> Result<&'a Shape> {
    model.shapes.get(name).with_context(|| format!("shape {name} is missing"))
}

fn errors(model: &Model) -> Result<Vec<String>> {
    let mut lines: Vec<_> = UNMODELLED_ERRORS
        .iter()
        .map(|(code, status)| format!("error\t{code}\t{status}\t-\tmessage"))
        .collect();
    for (name, shape) in model.shapes.iter().filter(|(_, shape)| shape.exception) {
        let status =
            shape.error.as_ref().with_context(|| format!("error {name} has no status"))?.http_status_code;
        let fault = if shape.fault { "Service" } else { "User" };
        let mut texts = shape.members.0.iter().map(|(member, _)| member.as_str());
        let text = texts.find(|member| member.eq_ignore_ascii_case("message"));
        let text = text.with_context(|| format!("error {name} has no message"))?;
        lines.push(format!("error\t{name}\t{status}\t{fault}\t{text}"));
    }
    lines.sort();
    Ok(lines)
}

/// Adds `name` and every shape below it. Event streams are left out: the server writes them itself.
fn reach<'a>(
    model: &'a Model,
    name: &'a str,
    path: &mut Vec<&'a str>,
    reached: &mut BTreeSet<&'a str>,
) -> Result<()> {
    ensure!(!path.contains(&name), "shape {name} holds itself; the generator has no boxes");
    let shape = find(model, name)?;
    if shape.eventstream {
        return Ok(());
    }
    reached.insert(name);
    path.push(name);
    let members = shape.members.0.iter().map(|(_, member)| member);
    for child in members.chain(&shape.member).chain(&shape.key).chain(&shape.value) {
        reach(model, &child.shape, path, reached)?;
    }
    path.pop();
    Ok(())
}

fn shape(model: &Model, name: &str, shape: &Shape, lines: &mut Vec<String>) -> Result<()> {
    let target = |reference: &Option<Reference>| {
        reference.as_ref().map(|r| r.shape.clone()).with_context(|| format!("shape {name} is incomplete"))
    };
    let mut line = format!("{}\t{name}", shape.kind);
    match shape.kind.as_str() {
        "list" => line += &format!("\t{}", target(&shape.member)?),
        "map" => line += &format!("\t{}\t{}", target(&shape.key)?, target(&shape.value)?),
        "structure" | "string" | "integer" | "long" | "double" | "boolean" | "timestamp" | "blob" => {}
        other => bail!("shape {name} has the unknown type {other}"),
    }
    let fact =
        |key: &str, value: Option<String>| value.map(|value| format!("\t{key}={value}")).unwrap_or_default();
    line += &fact("min", shape.min.as_ref().map(ToString::to_string));
    line += &fact("max", shape.max.as_ref().map(ToString::to_string));
    line += &fact("pattern", shape.pattern.clone());
    line += &fact("regex", shape.regex.clone());
    line += &fact("enum", (!shape.values.is_empty()).then(|| shape.values.join(",")));
    for flag in shape.sensitive.then_some("sensitive").iter().chain(&shape.flags) {
        line += &format!("\t{flag}");
    }
    ensure!(!line.contains('\n'), "shape {name} has a line break");
    lines.push(line);
    for (member, reference) in &shape.members.0 {
        if !find(model, &reference.shape)?.eventstream {
            lines.push(self::member(shape, member, reference)?);
        }
    }
    Ok(())
}

fn member(shape: &Shape, name: &str, reference: &Reference) -> Result<String> {
    let mut line = format!("member\t{name}\t{}", reference.shape);
    if shape.required.iter().any(|required| required == name) {
        line += "\trequired";
    }
    let bound = || reference.location_name.clone().unwrap_or_else(|| name.to_owned());
    match reference.location.as_deref() {
        None => {}
        // The generator finds a label by the member's name.
        Some("uri") => {
            ensure!(bound() == name, "label {} is not named as its member {name}", bound());
            line += "\tlabel";
        }
        Some("querystring") => line += &format!("\tquery={}", bound()),
        Some("header") => line += &format!("\theader={}", bound()),
        Some("statusCode") => line += "\tstatus",
        Some(other) => bail!("member {name} has the unknown location {other}"),
    }
    if shape.payload.as_deref() == Some(name) {
        line += "\tpayload";
    }
    if shape.open.contains(&name) {
        line += "\topen";
    }
    Ok(line)
}
