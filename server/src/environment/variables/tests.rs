//! The environment variables of a function.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{Configuration, FunctionId, LogFormat, Variables};

use super::*;

use crate::registry::testing::configuration;

fn version(configuration: Configuration) -> Version {
    Version::latest(
        &Arc::new(FunctionId {
            account: "000000000000".into(),
            region: "us-east-1".into(),
            name: "f".to_owned(),
        }),
        configuration,
    )
}

fn shown(version: &Version) -> BTreeMap<String, String> {
    let runtime = [("LANG", "en_US.UTF-8"), ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11")];
    variables(version, runtime.into_iter(), "2024/01/01/[$LATEST]0", Initialization::Provisioned)
        .into_iter()
        .map(|pair| {
            let pair = String::from_utf8(pair).unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn a_function_overrides_defaults_but_not_reserved_variables() {
    let mut given = configuration("f");
    let own = [("LANG", "C"), ("MINE", "a=b"), ("EMPTY", ""), ("AWS_REGION", "mars")];
    let own = own.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    given.variables = Some(Variables(own));
    let shown = shown(&version(given));
    let want = [
        ("LANG", "C"),
        ("MINE", "a=b"),
        ("EMPTY", ""),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2024/01/01/[$LATEST]0"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
    ];
    for (name, value) in want {
        assert_eq!(shown.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[test]
fn keys_are_placeholders_and_differ() {
    let (one, two) = (shown(&version(configuration("f"))), shown(&version(configuration("f"))));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        assert!(one[name].len() >= 20 && one[name] != two[name], "{name}");
    }
}

/// A function's own variable with one of these names would have no effect, so the API must refuse it.
#[test]
fn what_the_platform_sets_is_reserved() {
    let mut given = configuration("f");
    given.logging.format = LogFormat::Json;
    given.logging.application_level = Some("INFO".to_owned());
    let version = version(given);
    for (name, _) in reserved(&version, "stream", Initialization::OnDemand) {
        // AWS does not reserve these two, and sets them only if the log format is JSON.
        let is_logging = ["AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"].contains(&name);
        assert_ne!(lambd_wire::special::RESERVED_VARIABLES.contains(&name), is_logging, "{name}");
    }
}
