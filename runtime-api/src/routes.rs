//! Maps paths and methods to handlers, of which each is in a file of its own.

mod error;
mod extension;
mod headers;
mod init_error;
mod next;
mod response;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::http::body::drain;
use crate::http::peer::{Gone, Peer};
use crate::render;
use crate::render::Reply;
use crate::session::SharedQueue;

/// The meaning of a path. `restore/*` and `credentials` belong to `SnapStart`; without it they are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Ping,
    Next,
    Response(&'a str),
    Error(&'a str),
    InitError,
    ExtensionRegister,
    ExtensionNext,
    ExtensionError,
    Logs,
    Telemetry,
    Unknown,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        if let Some(rest) = path.strip_prefix("/2018-06-01/runtime/invocation/") {
            return Self::of_invocation(rest);
        }
        match path {
            "/2018-06-01/ping" => Self::Ping,
            "/2018-06-01/runtime/init/error" => Self::InitError,
            "/2020-01-01/extension/register" => Self::ExtensionRegister,
            "/2020-01-01/extension/event/next" => Self::ExtensionNext,
            "/2020-01-01/extension/init/error" | "/2020-01-01/extension/exit/error" => Self::ExtensionError,
            "/2020-08-15/logs" => Self::Logs,
            // The only path that the documentation also writes with a slash at the end.
            "/2022-07-01/telemetry" | "/2022-07-01/telemetry/" => Self::Telemetry,
            _ => Self::Unknown,
        }
    }

    fn of_invocation(rest: &'a str) -> Self {
        match rest.split_once('/') {
            None if rest == "next" => Self::Next,
            Some((id, "response")) => Self::Response(id),
            Some((id, "error")) => Self::Error(id),
            _ => Self::Unknown,
        }
    }

    fn method(self) -> Option<Method> {
        match self {
            Self::Ping | Self::Next | Self::ExtensionNext => Some(Method::GET),
            Self::Response(_)
            | Self::Error(_)
            | Self::InitError
            | Self::ExtensionRegister
            | Self::ExtensionError => Some(Method::POST),
            Self::Logs | Self::Telemetry => Some(Method::PUT),
            Self::Unknown => None,
        }
    }
}

/// Answers one request.
///
/// # Errors
/// [`Gone`] when the client is gone and cannot read the answer.
pub(crate) async fn answer(
    request: Request<Incoming>,
    shared: &Arc<SharedQueue>,
    peer: &Peer,
) -> Result<Reply, Gone> {
    let (head, mut body) = request.into_parts();
    let route = Route::of(head.uri.path());
    let reply = match route.method() {
        None => render::empty(StatusCode::NOT_FOUND),
        Some(method) if method != head.method => render::empty(StatusCode::METHOD_NOT_ALLOWED),
        Some(_) => match route {
            Route::Next => {
                // While a body is unread, hyper does not notice the end of the connection.
                drain(&mut body).await;
                return next::next(shared, peer).await;
            }
            Route::Response(id) => response::response(shared, id, &head.headers, &mut body).await,
            Route::Error(id) => error::error(shared, id, &head.headers, &mut body).await,
            Route::InitError => init_error::init_error(shared, &head.headers, &mut body).await,
            Route::Ping => render::text("pong"),
            Route::ExtensionRegister => extension::register(&head.headers),
            Route::ExtensionNext => extension::event_next(&head.headers),
            Route::ExtensionError => extension::error(&head.headers),
            Route::Logs => render::not_supported("Logs.NotSupported", "Logs API is not supported"),
            Route::Telemetry => {
                render::not_supported("Telemetry.NotSupported", "Telemetry API is not supported")
            }
            Route::Unknown => render::empty(StatusCode::NOT_FOUND),
        },
    };
    drain(&mut body).await;
    Ok(reply)
}
