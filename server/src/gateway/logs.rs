//! `GET /_lambd/logs/FUNCTION?after=CURSOR&limit=N`: a page of log events, for `lambd logs`.

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

/// How long a reader waits for events that are being written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Most events of one page.
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
    let is_elsewhere = given
        .as_ref()
        .is_some_and(|given| given.foreign_region(place).is_some() || given.has_foreign_account(place));
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
    // A caller that has its answer can read what the invocation logged before. If the disk hangs, the reader
    // gets what is stored.
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, app.logs.sink().flush()).await;
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

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use lambd_store::MemStore;
    use tokio::time::Instant;

    use super::*;
    use crate::api::testing::{ACCOUNT, Api, REGION};
    use crate::logs::{LogEvent, group_key};
    use crate::registry::testing::Limited;

    async fn messages(api: &Api, function: &str) -> Vec<String> {
        let place = Place { region: REGION.into(), account: ACCOUNT.into() };
        let answered = answer(&api.app, &place, &Method::GET, function, None).await.unwrap();
        let body = to_bytes(answered.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let events = body["events"].as_array().unwrap();
        events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_hangs_is_read_up_to_what_is_stored() {
        let store = Arc::new(Limited::new(MemStore::new(), usize::MAX));
        let api = Api::on(Arc::clone(&store) as _).await;
        api.create("f").await;
        let id = Place { region: REGION.into(), account: ACCOUNT.into() }.function("f");
        let stream = api.app.logs.sink().stream(&group_key(&id, "/aws/lambda/f"), "s");
        let say = async |message: &str| {
            stream.write(vec![LogEvent { time_ms: 0, message: message.to_owned() }]).await;
        };
        say("first").await;
        api.app.logs.sink().flush().await;
        store.hold(true);
        say("second").await;
        let asked = Instant::now();
        assert_eq!(messages(&api, "f").await, ["first"]);
        assert_eq!(asked.elapsed(), FLUSH_TIMEOUT);
        store.hold(false);
        api.app.logs.sink().flush().await;
        assert_eq!(messages(&api, "f").await, ["first", "second"]);
    }

    #[tokio::test]
    async fn an_arn_of_another_place_is_not_found() {
        let api = Api::new().await;
        api.create("f").await;
        let place = Place { region: REGION.into(), account: ACCOUNT.into() };
        for name in [
            "arn:aws:lambda:us-east-1:111111111111:function:f",
            "arn:aws:lambda:eu-west-1:000000000000:function:f",
            "111111111111:f",
        ] {
            let refused = answer(&api.app, &place, &Method::GET, name, None).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::ResourceNotFoundException, "{name}");
        }
        assert_eq!(messages(&api, "arn:aws:lambda:us-east-1:000000000000:function:f").await, [""; 0]);
    }
}
