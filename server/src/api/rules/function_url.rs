//! Function URLs as requests give them and answers show them [fact:function-urls].

use std::net::{Ipv4Addr, Ipv6Addr};

use lambd_model::{Cors, FunctionUrl, InvokeMode, LATEST, UrlAuth, clock};
use lambd_wire::{Error, ErrorCode, types};

use crate::api::Call;
use crate::app::App;

/// `AuthType`, which the model's check has read before.
pub(in crate::api) fn auth(given: &str) -> UrlAuth {
    if given == "NONE" { UrlAuth::None } else { UrlAuth::Iam }
}

/// `InvokeMode`.
pub(in crate::api) fn invoke_mode(given: &str) -> InvokeMode {
    if given == "RESPONSE_STREAM" { InvokeMode::ResponseStream } else { InvokeMode::Buffered }
}

/// `Cors`; without any member there is none.
pub(in crate::api) fn cors(given: types::Cors) -> Option<Cors> {
    let cors = Cors {
        allow_credentials: given.allow_credentials,
        allow_headers: given.allow_headers,
        allow_methods: given.allow_methods,
        allow_origins: given.allow_origins,
        expose_headers: given.expose_headers,
        max_age_s: given.max_age.and_then(|age| u32::try_from(age).ok()),
    };
    (cors != Cors::default()).then_some(cors)
}

/// The URL as answers show it.
pub(in crate::api) fn shown(
    app: &App,
    call: &Call,
    name: &str,
    qualifier: &str,
    url: &FunctionUrl,
) -> types::FunctionUrlConfig {
    let arn = call.place.qualified_arn(name, Some(qualifier).filter(|qualifier| *qualifier != LATEST));
    types::FunctionUrlConfig {
        function_url: Some(address(app.public_origin(&call.endpoint), &call.place.region, &url.id)),
        function_arn: Some(arn),
        creation_time: Some(clock::rfc3339(url.created_ms)),
        last_modified_time: Some(clock::rfc3339(url.last_modified_ms)),
        cors: url.cors.clone().map(|cors| types::Cors {
            allow_credentials: cors.allow_credentials,
            allow_headers: cors.allow_headers,
            allow_methods: cors.allow_methods,
            allow_origins: cors.allow_origins,
            expose_headers: cors.expose_headers,
            max_age: cors.max_age_s.and_then(|age| i32::try_from(age).ok()),
        }),
        auth_type: Some(if url.auth == UrlAuth::None { "NONE" } else { "AWS_IAM" }.to_owned()),
        invoke_mode: Some(
            if url.invoke_mode == InvokeMode::Buffered { "BUFFERED" } else { "RESPONSE_STREAM" }.to_owned(),
        ),
    }
}

/// The address of a URL below the server's own. Loopback addresses become `localhost`, because names below that
/// are resolved everywhere and names below an IP address nowhere.
fn address(origin: &str, region: &str, id: &str) -> String {
    let (scheme, authority) = origin.split_once("://").unwrap_or(("http", origin));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    let is_v4 = host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let is_v6 = host.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback());
    let host = if is_v4 || is_v6 { "localhost" } else { host };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{id}.lambda-url.{region}.{host}{port}/")
}

/// 404 of Create, Update and List: no such function or alias.
pub(in crate::api) fn no_function() -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, "Function does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_below_the_servers_own() {
        let id = "0".repeat(32);
        for (origin, want) in [
            ("https://lambda.example", "https://ID.lambda-url.eu-west-1.lambda.example/"),
            ("https://lambda.example:8443", "https://ID.lambda-url.eu-west-1.lambda.example:8443/"),
            ("http://127.0.0.1:3001", "http://ID.lambda-url.eu-west-1.localhost:3001/"),
            ("http://[::1]:3001", "http://ID.lambda-url.eu-west-1.localhost:3001/"),
            ("http://[::1]", "http://ID.lambda-url.eu-west-1.localhost/"),
            ("http://10.0.0.1:3001", "http://ID.lambda-url.eu-west-1.10.0.0.1:3001/"),
        ] {
            assert_eq!(address(origin, "eu-west-1", &id), want.replace("ID", &id), "{origin}");
        }
    }
}
