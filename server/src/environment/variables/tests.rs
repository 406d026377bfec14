//! The environment variables of a function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambd_auth::{AccessRules, AuthErrorCode, SessionKey, SignedService, Signer, Verifier};
use lambd_model::{Configuration, FunctionId, LogFormat, Variables};

use sha2::Digest as _;

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

fn keys(version: &Version) -> SessionCredentials {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_461_141);
    crate::environment::keys::issue(&SessionKey::new([7; 32]), version, now, rand::random())
}

fn shown(version: &Version) -> BTreeMap<String, String> {
    let runtime = [("LANG", "en_US.UTF-8"), ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11")];
    variables(
        version,
        runtime.into_iter(),
        "2024/01/01/[$LATEST]0",
        Initialization::Provisioned,
        &keys(version),
    )
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
fn each_environment_has_keys_of_its_own() {
    let (one, two) = (shown(&version(configuration("f"))), shown(&version(configuration("f"))));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        assert!(one[name].len() >= 20 && one[name] != two[name], "{name}");
    }
}

/// They are of the function's account and its role, for twelve hours.
#[test]
fn the_keys_of_an_environment_are_good_until_they_expire() {
    let version =
        version(Configuration { role: "arn:aws:iam::000000000000:role/r".to_owned(), ..configuration("f") });
    let keys = keys(&version);
    let verifier = Verifier::new([], AccessRules::default(), SessionKey::new([7; 32])).unwrap();
    let at = |hours: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_461_141 + hours * 3600);
    let call = |now| {
        let mut head = http::Request::get("/").header("host", "h").body(()).unwrap().into_parts().0;
        head.headers.insert("x-amz-security-token", keys.session_token.parse().unwrap());
        let signer = Signer {
            credentials: &keys.credentials,
            region: "us-east-1",
            service: SignedService::Lambda,
            now,
        };
        signer.sign(&mut head, b"").unwrap();
        let pending = verifier.check(&head, SignedService::Lambda, now)?;
        verifier.finish(pending, &sha2::Sha256::digest(b"").into())
    };
    let caller = call(at(11)).unwrap();
    assert_eq!(caller.principal.arn, "arn:aws:sts::000000000000:assumed-role/r/f");
    assert_eq!(call(at(12)).unwrap_err().code, AuthErrorCode::ExpiredToken);
}

/// A function's own variable with one of these names would have no effect, so the API must refuse it.
#[test]
fn what_the_platform_sets_is_reserved() {
    let mut given = configuration("f");
    given.logging.format = LogFormat::Json;
    given.logging.application_level = Some("INFO".to_owned());
    let version = version(given);
    for (name, _) in reserved(&version, "stream", Initialization::OnDemand, &keys(&version)) {
        // AWS does not reserve these two, and sets them only if the log format is JSON.
        let is_logging = ["AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"].contains(&name);
        assert_ne!(lambd_wire::special::RESERVED_VARIABLES.contains(&name), is_logging, "{name}");
    }
}
