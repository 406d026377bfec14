//! For a server that checks no signatures: programs of this machine may call it, web pages may not.
//!
//! A browser on this machine runs code from other sites. Their pages may send requests to any address, and
//! may read the answers if one of their names resolves to this machine (DNS rebinding). So the request must
//! name this server as its host, and must not come from a page of another site, which the browser itself
//! says.

use std::net::SocketAddr;

use ::http::request::Parts;
use ::http::uri::Authority;
use ::http::{HeaderMap, Uri, header};
use lambd_wire::{Error, ErrorCode};

/// Names of the loopback interface, accepted with any port.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses a request that no program of this machine would send.
///
/// # Errors
/// 403 `AccessDeniedException`, which says what is wrong.
pub(super) fn check(head: &Parts, listen: SocketAddr, public_endpoint: &str) -> Result<(), Error> {
    let Some(host) = host(head).filter(|host| is_own(host, listen, public_endpoint)) else {
        return Err(denied(
            "The Host of the request is no name of this server, which checks no signatures and so answers to \
             its own names only: localhost or the address that it listens on.",
        ));
    };
    if is_foreign(&head.headers, &host) {
        return Err(denied(
            "The request comes from a web page of another site. This server checks no signatures and answers \
             no pages but its own.",
        ));
    }
    Ok(())
}

fn denied(message: &'static str) -> Error {
    Error::new(ErrorCode::AccessDeniedException, message)
}

/// The only host that the request names; HTTP/2 and absolute targets name it in the target.
fn host(head: &Parts) -> Option<Authority> {
    let mut named = head.headers.get_all(header::HOST).iter();
    match (named.next(), named.next(), head.uri.authority()) {
        (None, None, Some(authority)) => Some(authority.clone()),
        (Some(host), None, target) => {
            let host: Authority = host.to_str().ok()?.parse().ok()?;
            target.is_none_or(|target| target.as_str().eq_ignore_ascii_case(host.as_str())).then_some(host)
        }
        _ => None,
    }
}

fn is_own(host: &Authority, listen: SocketAddr, public_endpoint: &str) -> bool {
    let name = host.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let public = public_endpoint.parse::<Uri>().ok();
    let public = public.as_ref().and_then(Uri::host);
    !host.as_str().contains('@')
        && (NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
            || ip == Some(listen.ip())
            || public.is_some_and(|public| public.eq_ignore_ascii_case(name)))
}

/// Whether the browser names another site: in its fetch metadata, or, if it is old, in `Origin`.
fn is_foreign(headers: &HeaderMap, host: &Authority) -> bool {
    let site = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    let own = |origin: &[u8]| {
        ["http://", "https://"].iter().any(|scheme| {
            origin
                .strip_prefix(scheme.as_bytes())
                .is_some_and(|o| o.eq_ignore_ascii_case(host.as_str().as_bytes()))
        })
    };
    site || headers.get_all(header::ORIGIN).iter().any(|origin| !own(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(target: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = ::http::Request::post(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        check(&head, "127.0.0.7:3001".parse().unwrap(), "https://lambda.example:8443").is_err()
    }

    #[test]
    fn only_own_names_are_answered() {
        for own in [
            "localhost",
            "LocalHost:3001",
            "127.0.0.1:3001",
            "127.0.0.1",
            "[::1]:3001",
            "[::1]",
            "127.0.0.7:1",
            "lambda.example:8443",
            "lambda.example",
        ] {
            assert!(!refused("/f", &[("host", own)]), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:3001",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil@localhost",
            "127.0.0.2",
            "0.0.0.0:3001",
            "localhost:3001, evil.example",
            "[::2]",
            "::1",
        ] {
            assert!(refused("/f", &[("host", foreign)]), "{foreign:?}");
        }
        assert!(refused("/f", &[]));
        assert!(refused("/f", &[("host", "localhost"), ("host", "localhost")]));
        assert!(!refused("http://localhost:3001/f", &[]));
        assert!(refused("http://evil.example/f", &[]));
        assert!(refused("http://evil.example/f", &[("host", "localhost")]));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let with = |name, value| refused("/f", &[("host", "localhost:3001"), (name, value)]);
        for (site, expect) in
            [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true), ("x", true)]
        {
            assert_eq!(with("sec-fetch-site", site), expect, "{site}");
        }
        for (origin, expect) in [
            ("http://localhost:3001", false),
            ("https://localhost:3001", false),
            ("http://localhost", true),
            ("http://localhost:8080", true),
            ("http://evil.example", true),
            ("null", true),
            ("", true),
        ] {
            assert_eq!(with("origin", origin), expect, "{origin:?}");
        }
    }
}
