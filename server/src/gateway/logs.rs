//! `GET /_lambd/logs/FUNCTION?after=CURSOR&limit=N`: what `lambd logs` asks for.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, StatusCode};
use axum::response::Response;
use lambd_model::{FunctionRef, Place};
use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};

use crate::api::service_error;
use crate::app::App;
use crate::http::respond;
use crate::logs::Cursor;

/// How long a reader waits for events that are not written yet.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);
/// Events of one page.
const PAGE_EVENTS_MAX: usize = 1000;

pub(super) async fn answer(
    app: &Arc<App>,
    place: &Place,
    method: &Method,
    function: &str,
    query: Option<&str>,
) -> Result<Response, Error> {
    if method != Method::GET {
        return Err(Error::new(ErrorCode::MethodNotAllowedException, "Logs are read by GET."));
    }
    let given = FunctionRef::parse(function);
    let is_elsewhere = given.as_ref().is_some_and(|given| {
        given.region.as_deref().is_some_and(|region| region != &*place.region)
            || given.account.as_deref().is_some_and(|account| account != &*place.account)
    });
    let id = place.function(given.map_or_else(|| function.to_owned(), |given| given.name));
    let function = app.registry.get(&id).filter(|_| !is_elsewhere).ok_or_else(|| {
        Error::new(ErrorCode::ResourceNotFoundException, format!("Function not found: {id}"))
    })?;
    let group = crate::logs::group_key(&id, &function.latest.configuration.logging.group);
    let parameter = |name: &str| {
        query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let after = parameter("after").and_then(|after| after.parse().ok()).unwrap_or(Cursor::START);
    let limit = parameter("limit").and_then(|n| n.parse().ok()).unwrap_or(PAGE_EVENTS_MAX);
    let limit = limit.clamp(1, PAGE_EVENTS_MAX);
    // What an invocation logged before its answer can be read after it, unless the disk hangs: then the reader
    // sees what there is.
    let _ = tokio::time::timeout(FLUSH_PATIENCE, app.logs.sink().flush()).await;
    let page = app.logs.read(&group, after, limit).await;
    let page = page.map_err(|_| service_error("The log could not be read."))?;
    let events: Vec<Value> = page
        .events
        .into_iter()
        .map(|e| json!({"time_ms": e.time_ms, "stream": e.stream, "message": e.message}))
        .collect();
    let body = json!({"events": events, "cursor": page.next.to_string()}).to_string();
    Ok(respond(StatusCode::OK, [("content-type", "application/json")], body))
}
