//! The differences between the service and its model, each with the model's expected value.
//!
//! If the model does not have the expected value, the import fails, so that a person looks at the change.

use anyhow::{Context, Result, ensure};

use crate::model::{Model, Reference, Shape};

/// Patterns with look-around, which the `regex` crate does not have: shape, the model's pattern, a pattern
/// that accepts the same texts without look-around. Messages show the model's pattern.
const LOOK_AROUND: [(&str, &str, &str); 5] = [
    ("Alias", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "[0-9]*[a-zA-Z-_][a-zA-Z0-9-_]*"),
    (
        "CollectionName",
        r"(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)",
        "[_a-rt-zA-Z0-9][^$]*|s|s[^y$][^$]*|sy|sy[^s$][^$]*|sys|sys[^t$][^$]*|syst|syst[^e$][^$]*\
         |syste|syste[^m$][^$]*|system|system[^.$][^$]*",
    ),
    (
        "FunctionUrlFunctionName",
        r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\d+$)[0-9a-zA-Z-_]+))?",
        r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:([0-9]*[a-zA-Z-_][0-9a-zA-Z-_]*))?",
    ),
    ("FunctionUrlQualifier", r"((?!^\d+$)^[0-9a-zA-Z-_]+$)", "[0-9]*[a-zA-Z-_][0-9a-zA-Z-_]*"),
    ("S3Bucket", r"[0-9A-Za-z\.\-_]*(?<!\.)", r"([0-9A-Za-z\.\-_]*[0-9A-Za-z\-_])?"),
];

/// String shapes whose pattern accepts every text of `[a-zA-Z0-9-_]+`, so that usual names need no regular
/// expression. A test of `lambd-wire` compares both ways.
const BARE_WORDS: [&str; 8] = [
    "FunctionName",
    "NamespacedFunctionName",
    "UnqualifiedFunctionName",
    "NumericLatestPublishedOrAliasQualifier",
    "DurableExecutionName",
    "StatementId",
    "NamespacedStatementId",
    "TenantId",
];

/// Members whose enum the server checks, with a text of its own [fact:setting-texts]: CreateFunction refuses
/// the runtime with InvalidParameterValueException.
const OPEN_ENUMS: [(&str, &str); 2] =
    [("CreateFunctionRequest", "Runtime"), ("UpdateFunctionConfigurationRequest", "Runtime")];

/// The runtimes that a layer or function may name [fact:runtime-list]: the service's, then those that the
/// model has added since.
const SUPPORTED_RUNTIMES: &str = "nodejs20.x python3.14 provided.al2023 python3.12 python3.13 nodejs24.x \
    nodejs22.x java25 python3.10 python3.11 java21 ruby3.3 ruby3.4 ruby3.2 python3.8 python3.9 java17 \
    nodejs16.x dotnet10 dotnet8 java11 dotnet6 nodejs18.x provided.al2 java8.al2 ruby4.0 nodejs26.x \
    python3.15 java8.al2023 java11.al2023 java17.al2023";

/// Errors of the service that are not in its model: code and status. None has `Type`.
pub(crate) const UNMODELLED_ERRORS: [(&str, u16); 12] = [
    ("AccessDeniedException", 403),
    ("ExpiredTokenException", 403),
    ("IncompleteSignatureException", 403),
    ("InvalidSignatureException", 403),
    ("MethodNotAllowedException", 405),
    ("MissingAuthenticationTokenException", 403),
    ("RequestEntityTooLargeException", 413),
    ("SerializationException", 400),
    ("UnknownOperationException", 404),
    ("UnrecognizedClientException", 403),
    // An error of lambd, for operations that it does not have yet.
    ("UnsupportedOperationException", 400),
    ("ValidationException", 400),
];

/// Applies every correction, or names the expectation that does not hold.
pub(crate) fn apply(model: &mut Model) -> Result<()> {
    look_around(model)?;
    bare_words(model)?;
    statuses(model)?;
    enum_order(model)?;
    open_enums(model)?;
    supported_runtimes(model)?;
    for (code, _) in UNMODELLED_ERRORS {
        ensure!(!model.shapes.contains_key(code), "{code} is in the model now");
    }
    Ok(())
}

fn shape<'a>(model: &'a mut Model, name: &str) -> Result<&'a mut Shape> {
    model.shapes.get_mut(name).with_context(|| format!("shape {name} is gone"))
}

fn look_around(model: &mut Model) -> Result<()> {
    for (name, expected, regex) in LOOK_AROUND {
        let shape = shape(model, name)?;
        ensure!(shape.pattern.as_deref() == Some(expected), "the pattern of {name} changed");
        shape.regex = Some(regex.into());
    }
    for (name, shape) in &model.shapes {
        let look =
            shape.pattern.as_deref().is_some_and(|p| ["(?!", "(?=", "(?<"].iter().any(|l| p.contains(l)));
        ensure!(!look || shape.regex.is_some(), "the pattern of {name} has look-around");
    }
    Ok(())
}

fn bare_words(model: &mut Model) -> Result<()> {
    for name in BARE_WORDS {
        let shape = shape(model, name)?;
        ensure!(shape.pattern.is_some(), "{name} has no pattern");
        shape.flags.push("word");
    }
    Ok(())
}

/// The model has 200 with a status member for DeleteFunction; the service answers 204
/// [fact:model-and-service].
fn statuses(model: &mut Model) -> Result<()> {
    let delete = model.operations.get_mut("DeleteFunction").context("DeleteFunction is gone")?;
    ensure!(delete.http.response_code == 200, "DeleteFunction's status changed");
    delete.http.response_code = 204;
    for (name, status) in
        [("TagResource", 204), ("UntagResource", 204), ("CreateFunction", 201), ("Invoke", 200)]
    {
        let operation = model.operations.get(name).with_context(|| format!("{name} is gone"))?;
        ensure!(operation.http.response_code == status, "{name}'s status changed");
    }
    Ok(())
}

/// The service's message lists the values of RecursiveLoop in the other order [fact:model-and-service].
fn enum_order(model: &mut Model) -> Result<()> {
    let values = &mut shape(model, "RecursiveLoop")?.values;
    ensure!(values == &["Allow", "Terminate"], "the values of RecursiveLoop changed");
    values.reverse();
    Ok(())
}

fn open_enums(model: &mut Model) -> Result<()> {
    for (structure, member) in OPEN_ENUMS {
        let shape = shape(model, structure)?;
        let found = shape.members.0.iter().any(|(name, m)| name == member && m.shape == "Runtime");
        ensure!(found, "{structure}.{member} is no Runtime");
        shape.open.push(member);
    }
    Ok(())
}

/// PublishLayerVersion lists the supported runtimes and not the model's, without brackets, and before the
/// architectures [fact:runtime-list].
fn supported_runtimes(model: &mut Model) -> Result<()> {
    let values: Vec<String> = SUPPORTED_RUNTIMES.split_whitespace().map(str::to_owned).collect();
    let known = &shape(model, "Runtime")?.values;
    let stray = values.iter().find(|value| !known.contains(value));
    ensure!(stray.is_none(), "runtime {stray:?} is gone");
    model
        .shapes
        .insert("SupportedRuntime".into(), Shape { kind: "string".into(), values, ..Shape::default() });

    let list = shape(model, "CompatibleRuntimes")?;
    ensure!(list.member.as_ref().is_some_and(|m| m.shape == "Runtime"), "CompatibleRuntimes changed");
    list.flags.push("plain");
    list.member = Some(Reference { shape: "SupportedRuntime".into(), location: None, location_name: None });

    let members = &mut shape(model, "PublishLayerVersionRequest")?.members.0;
    let place = |members: &[(String, Reference)], name| members.iter().position(|(member, _)| member == name);
    let runtimes = place(members, "CompatibleRuntimes").context("CompatibleRuntimes is gone")?;
    let architectures =
        place(members, "CompatibleArchitectures").context("CompatibleArchitectures is gone")?;
    ensure!(architectures < runtimes, "the order of PublishLayerVersionRequest changed");
    members.swap(architectures, runtimes);
    Ok(())
}
