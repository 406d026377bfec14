//! Writes the Rust code for a table: enums, structures, constraint tables and resources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::table::{ErrorLine, Member, OperationLine, Shape, Table, fact};

type Done = Result<(), std::fmt::Error>;

/// Makes the whole generated file, which is included in a module that imports the types it uses.
pub(crate) fn rust(table: &Table<'_>) -> Result<String, Box<dyn std::error::Error>> {
    let mut out = String::new();
    operations(&mut out, &table.operations)?;
    errors(&mut out, &table.errors)?;
    resources(&mut out, &table.operations)?;
    shapes(&mut out, table)?;
    structures(&mut out, table)?;
    blank_values(&mut out, &table.operations)?;
    Ok(out)
}

/// The enum of operations, in the order of the table, which is also the order of its rows of facts.
fn operations(out: &mut String, operations: &[OperationLine<'_>]) -> Done {
    let rows = list(operations, |operation| {
        let OperationLine { name, method, uri, status, .. } = operation;
        format!("OperationFacts {{ name: {name:?}, method: {method:?}, uri: {uri:?}, status: {status} }}")
    });
    let names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
    facts(out, "An operation of the public API", "Operation", &names, &rows)
}

fn errors(out: &mut String, errors: &[ErrorLine<'_>]) -> Done {
    let rows = list(errors, |error| {
        let ErrorLine { code, status, fault, text_member } = error;
        format!(
            "ErrorFacts {{ name: {code:?}, status: {status}, fault: {fault:?}, text_member: {text_member:?} }}"
        )
    });
    let names: Vec<_> = errors.iter().map(|error| error.code).collect();
    facts(out, "An error code of the API, or of the front before it", "ErrorCode", &names, &rows)
}

fn facts(out: &mut String, purpose: &str, name: &str, variants: &[&str], rows: &str) -> Done {
    let facts = format!("{}Facts", name.trim_end_matches("Code"));
    let table = snake(&facts).to_uppercase();
    let (count, all) = (variants.len(), list(variants, |variant| format!("Self::{variant}")));
    writeln!(
        out,
        "/// {purpose}, by name.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum {name} {{ {} }}
        impl {name} {{
            /// All of them, by name.
            pub const ALL: [Self; {count}] = [{all}];
            pub(crate) const fn facts(self) -> &'static {facts} {{ &{table}[self as usize] }}
        }}
        static {table}: [{facts}; {count}] = [{rows}];",
        variants.join(", ")
    )
}

/// Resources by API version, which is the first segment of the path.
fn resources(out: &mut String, operations: &[OperationLine<'_>]) -> Done {
    /// The methods of each path; those with a query sort before those without.
    type Paths = BTreeMap<Vec<String>, Vec<(bool, String)>>;
    let mut versions: BTreeMap<&str, Paths> = BTreeMap::new();
    for operation in operations {
        let (path, query) =
            operation.uri.split_once('?').map_or((operation.uri, None), |(p, q)| (p, Some(q)));
        let mut segments = path.split('/').skip(1);
        let version = segments.next().unwrap_or_default();
        let segments =
            segments.map(|s| if s.starts_with('{') { "None".into() } else { format!("Some({s:?})") });
        let method = format!("({:?}, {query:?}, Operation::{})", operation.method, operation.name);
        versions
            .entry(version)
            .or_default()
            .entry(segments.collect())
            .or_default()
            .push((query.is_none(), method));
    }
    writeln!(out, "pub(crate) static RESOURCES: &[(&str, &[Resource])] = &[")?;
    for (version, resources) in versions {
        writeln!(out, "({version:?}, &[")?;
        for (segments, mut methods) in resources {
            methods.sort();
            let methods = list(&methods, |(_, method)| method.clone());
            writeln!(out, "Resource {{ segments: &[{}], methods: &[{methods}] }},", segments.join(", "))?;
        }
        writeln!(out, "]),")?;
    }
    writeln!(out, "];")
}

/// The constraint tables: a static for every shape except structures.
fn shapes(out: &mut String, table: &Table<'_>) -> Done {
    writeln!(out, "pub(crate) mod shapes {{ use super::{{Kind, Pattern, Shape}};")?;
    let names = table.shapes.iter().filter(|(_, shape)| shape.kind != "structure");
    let names: Vec<_> = names.map(|(name, _)| reference(table, name, "")).collect();
    writeln!(out, "#[cfg(test)] pub(crate) static ALL: &[&Shape] = &[{}];", names.join(", "))?;
    for (name, shape) in table.shapes.iter().filter(|(_, shape)| shape.kind != "structure") {
        let kind = match shape.kind {
            "string" => "Text",
            "integer" | "long" => "Integer",
            "double" => "Double",
            "list" => "List",
            "map" => "Map",
            _ => "Other",
        };
        let bound = |key| optional(fact(&shape.facts, key), |bound| format!("{bound}_f64"));
        let flag = |flag| shape.facts.contains(&flag);
        let pattern = optional(fact(&shape.facts, "pattern"), |text| {
            let regex = fact(&shape.facts, "regex").unwrap_or(text);
            format!("Pattern::new({text:?}, {regex:?}, {})", flag("word"))
        });
        let values: Vec<_> =
            fact(&shape.facts, "enum").map(|values| values.split(',').collect()).unwrap_or_default();
        let target = |target: Option<&&str>| optional(target, |name| reference(table, name, ""));
        let (key, element) = if shape.kind == "map" {
            (shape.targets.first(), shape.targets.get(1))
        } else {
            (None, shape.targets.first())
        };
        writeln!(
            out,
            "pub(crate) static {}: Shape = Shape {{ kind: Kind::{kind}, min: {}, max: {}, pattern: {pattern}, values: &{values:?}, sensitive: {}, plain: {}, key: {}, element: {} }};",
            snake(name).to_uppercase(),
            bound("min"),
            bound("max"),
            flag("sensitive"),
            flag("plain"),
            target(key),
            target(element),
        )?;
    }
    let public = "pub static SUPPORTED_RUNTIMES: &[&str] = shapes::SUPPORTED_RUNTIME.values;";
    writeln!(
        out,
        "}}\n/// The runtimes that functions and layers may name, in the order of the message.\n{public}"
    )
}

/// A reference to a shape's static, for a module that reaches the statics by `prefix`.
fn reference(table: &Table<'_>, name: &str, prefix: &str) -> String {
    match table.shapes.get(name) {
        Some(shape) if shape.kind == "structure" => "&Shape::STRUCTURE".into(),
        _ => format!("&{prefix}{}", snake(name).to_uppercase()),
    }
}

fn structures(out: &mut String, table: &Table<'_>) -> Done {
    let nested: BTreeSet<_> = table
        .shapes
        .values()
        .flat_map(|shape| {
            shape.members.iter().map(|member| member.shape).chain(shape.targets.iter().copied())
        })
        .collect();
    let shared = |output: &str| {
        nested.contains(output)
            || table.operations.iter().filter(|other| other.output == Some(output)).count() > 1
    };
    let uses = "use super::{BTreeMap, Binding, Bytes, DateTime, Member, MemberShape, Shape, Structure};";
    let (mut inputs, mut outputs) = (String::new(), String::new());
    let mut owned = BTreeSet::new();
    for operation in &table.operations {
        let labels: Vec<_> =
            operation.uri.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).collect();
        if let Some(shape) = table.shapes.get(operation.input) {
            owned.insert(operation.input);
            structure(&mut inputs, table, operation.name, shape, &Scope { types: OUTSIDE, labels: &labels })?;
            let name = operation.name;
            writeln!(
                inputs,
                "impl super::Input for {name} {{ const OPERATION: super::Operation = super::Operation::{name}; }}"
            )?;
        }
        match operation.output.and_then(|output| Some((output, table.shapes.get(output)?))) {
            Some((output, _)) if shared(output) => {
                writeln!(outputs, "pub type {} = super::types::{output};", operation.name)?;
            }
            Some((output, shape)) => {
                owned.insert(output);
                structure(
                    &mut outputs,
                    table,
                    operation.name,
                    shape,
                    &Scope { types: OUTSIDE, labels: &[] },
                )?;
            }
            None => structure(
                &mut outputs,
                table,
                operation.name,
                &NOTHING,
                &Scope { types: OUTSIDE, labels: &[] },
            )?,
        }
    }
    let mut types = String::new();
    for (name, shape) in
        table.shapes.iter().filter(|(name, shape)| shape.kind == "structure" && !owned.contains(*name))
    {
        structure(&mut types, table, name, shape, &Scope { types: "", labels: &[] })?;
    }
    writeln!(
        out,
        "/// The input of every operation, by the operation's name.\npub mod input {{ {uses}\n{inputs}}}"
    )?;
    writeln!(
        out,
        "/// The output of every operation, by the operation's name.\npub mod output {{ {uses}\n{outputs}}}"
    )?;
    writeln!(out, "/// The structures that inputs and outputs hold.\npub mod types {{ {uses}\n{types}}}")
}

/// The place at which a structure is written.
struct Scope<'a> {
    /// How its module reaches the module `types`.
    types: &'a str,
    /// The labels of the URI, in order, if the structure is an input.
    labels: &'a [&'a str],
}

/// Path to `types` from the modules of inputs and outputs.
const OUTSIDE: &str = "super::types::";

const NOTHING: Shape<'static> =
    Shape { kind: "structure", targets: Vec::new(), facts: Vec::new(), members: Vec::new() };

fn structure(out: &mut String, table: &Table<'_>, name: &str, shape: &Shape<'_>, scope: &Scope<'_>) -> Done {
    let fields = list(&shape.members, |member| {
        format!("pub {}: Option<{}>", field(member.name), rust_type(table, member.shape, scope.types))
    });
    let members = list(&shape.members, |member| member_shape(table, member, scope.labels));
    writeln!(out, "#[derive(Clone, Default, PartialEq)] pub struct {name} {{ {fields} }}")?;
    writeln!(
        out,
        "impl std::fmt::Debug for {name} {{ fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{ super::debug({name:?}, self, f) }} }}"
    )?;
    writeln!(
        out,
        "impl Structure for {name} {{\n\
         fn shapes(&self) -> &'static [MemberShape] {{ static MEMBERS: &[MemberShape] = &[{members}]; MEMBERS }}"
    )?;
    for (function, reference) in [("member", "&"), ("member_mut", "&mut ")] {
        let member = format!("fn {function}({reference}self, index: usize) -> Option<{reference}dyn Member>");
        let places: Vec<_> = shape.members.iter().enumerate().collect();
        let arms =
            list(&places, |(i, member)| format!("{i} => Some({reference}self.{})", field(member.name)));
        match places.is_empty() {
            true => writeln!(out, "{} {{ None }}", member.replace("index", "_"))?,
            false => writeln!(out, "{member} {{ match index {{ {arms}, _ => None }} }}")?,
        }
    }
    writeln!(out, "}}")
}

fn member_shape(table: &Table<'_>, member: &Member<'_>, labels: &[&str]) -> String {
    let flag = |flag| member.facts.contains(&flag);
    let binding = if flag("label") {
        labels
            .iter()
            .position(|label| *label == member.name)
            .map_or_else(|| "Body".into(), |place| format!("Label({place})"))
    } else if let Some(key) = fact(&member.facts, "query") {
        format!("Query({key:?})")
    } else if let Some(name) = fact(&member.facts, "header") {
        format!("Header({:?})", name.to_lowercase())
    } else if flag("status") {
        "Status".into()
    } else if flag("payload") {
        let raw = table.shapes.get(member.shape).is_some_and(|shape| shape.kind == "blob");
        if raw { "RawPayload".into() } else { "Payload".into() }
    } else {
        "Body".to_owned()
    };
    let mut letters = member.name.chars();
    let path: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
    format!(
        "MemberShape {{ name: {:?}, path: {path:?}, shape: {}, binding: Binding::{binding}, required: {}, open: {} }}",
        member.name,
        reference(table, member.shape, "super::shapes::"),
        flag("required"),
        flag("open")
    )
}

/// Constructors in the order of the operations: of inputs, so that tests and the fuzz target can go through all
/// of them, and of outputs, so that an answer can be checked.
fn blank_values(out: &mut String, operations: &[OperationLine<'_>]) -> Done {
    for (module, cfg) in [("input", "#[cfg(any(test, fuzzing))]"), ("output", "")] {
        let rows =
            list(operations, |operation| format!("|| Box::new({module}::{}::default())", operation.name));
        let (name, count) = (module.to_uppercase(), operations.len());
        writeln!(
            out,
            "{cfg} pub(crate) static BLANK_{name}: [fn() -> Box<dyn Structure>; {count}] = [{rows}];"
        )?;
    }
    Ok(())
}

fn rust_type(table: &Table<'_>, name: &str, types: &str) -> String {
    let Some(shape) = table.shapes.get(name) else { return format!("{types}{name}") };
    let target =
        |place: usize| shape.targets.get(place).map(|name| rust_type(table, name, types)).unwrap_or_default();
    match shape.kind {
        "string" => "String".into(),
        "integer" => "i32".into(),
        "long" => "i64".into(),
        "double" => "f64".into(),
        "boolean" => "bool".into(),
        "timestamp" => "DateTime".into(),
        "blob" => "Bytes".into(),
        "list" => format!("Vec<{}>", target(0)),
        "map" => format!("BTreeMap<String, {}>", target(1)),
        _ => format!("{types}{name}"),
    }
}

fn optional<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "None".into(), |value| format!("Some({})", text(value)))
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(",\n")
}

fn field(name: &str) -> String {
    let name = snake(name);
    if matches!(name.as_str(), "type" | "match" | "ref" | "move" | "use" | "in" | "where") {
        format!("r#{name}")
    } else {
        name
    }
}

/// `KMSKeyArn` becomes `kms_key_arn`, `S3Bucket` becomes `s3_bucket`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let after = letters.get(i + 1);
        let starts = before.is_some_and(|b| !b.is_uppercase())
            || before.is_some() && after.is_some_and(|a| a.is_lowercase());
        if letter.is_uppercase() && starts {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
