//! `GET /_lambd/logs/FUNCTION?after=CURSOR&limit=N`: a page of log events, for `lambd logs`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::{Method, StatusCode};
use axum::response::Response;
use lambd_auth::Identity;
use lambd_model::FunctionRef;
use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};

use crate::api::service_error;
use crate::app::App;
use crate::authorise;
use crate::http::respond;
use crate::logs::Cursor;

/// How long a reader waits for events that are being written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Most events of one page.
const PAGE_EVENTS_MAX: usize = 1000;

pub(super) async fn answer(
    app: &Arc<App>,
    identity: &Identity,
    source: Option<IpAddr>,
    method: &Method,
    function: &str,
    query: Option<&str>,
) -> Result<Response, Error> {
    if method != Method::GET {
        return Err(Error::new(ErrorCode::MethodNotAllowedException, "Logs are read by GET."));
    }
    let place = &super::place_of(identity);
    let given = FunctionRef::parse(function);
    let is_elsewhere = given
        .as_ref()
        .is_some_and(|given| given.foreign_region(place).is_some() || given.has_foreign_account(place));
    let id = place.function(given.map_or_else(|| function.to_owned(), |given| given.name));
    let function = app.registry.get(&id).filter(|_| !is_elsewhere);
    let group = function.map(|function| function.latest.configuration.logging.group.clone());
    let asked = group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", id.name));
    permit(
        identity,
        source,
        &format!("arn:aws:logs:{}:{}:log-group:{asked}:*", place.region, place.account),
    )?;
    let group = group.ok_or_else(|| {
        Error::new(ErrorCode::ResourceNotFoundException, format!("Function not found: {id}"))
    })?;
    let group = crate::logs::group_key(&id, &group);
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

/// Logs are read by the action that CloudWatch Logs has for it.
fn permit(identity: &Identity, source: Option<IpAddr>, resource: &str) -> Result<(), Error> {
    let caller = &identity.principal;
    if caller.is_unrestricted() {
        return Ok(());
    }
    let (action, context) = ("logs:FilterLogEvents", authorise::context(identity, source, SystemTime::now()));
    caller.may(action, resource, &context).map_err(|denial| {
        let text = authorise::refusal(caller, action, resource, denial);
        Error::new(ErrorCode::AccessDeniedException, text)
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use lambd_auth::{CallerPrincipal, IdentityPolicy};
    use lambd_model::Place;
    use lambd_store::MemStore;
    use tokio::time::Instant;

    use super::*;
    use crate::api::testing::{ACCOUNT, Api, REGION};
    use crate::logs::{LogEvent, group_key};
    use crate::registry::testing::Limited;

    fn caller(policy: Option<&str>) -> Identity {
        let policy = policy.map(|policy| Arc::new(IdentityPolicy::parse(policy).unwrap()));
        Identity {
            access_key_id: "AKID".into(),
            account: ACCOUNT.into(),
            region: REGION.into(),
            principal: Arc::new(CallerPrincipal::user(ACCOUNT, "ann", policy)),
        }
    }

    async fn messages(api: &Api, function: &str) -> Vec<String> {
        let answered = answer(&api.app, &caller(None), None, &Method::GET, function, None).await.unwrap();
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
    async fn a_policy_decides_whose_logs_a_key_reads() {
        let api = Api::new().await;
        api.create("f").await;
        let policy = r#"{"Statement": {"Effect": "Allow", "Action": "logs:FilterLogEvents",
            "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"}}"#;
        let read = async |name| answer(&api.app, &caller(Some(policy)), None, &Method::GET, name, None).await;
        assert!(read("f").await.is_ok());
        let refused = read("g").await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::AccessDeniedException, "whether it exists or not");
    }

    #[tokio::test]
    async fn an_arn_of_another_place_is_not_found() {
        let api = Api::new().await;
        api.create("f").await;
        for name in [
            "arn:aws:lambda:us-east-1:111111111111:function:f",
            "arn:aws:lambda:eu-west-1:000000000000:function:f",
            "111111111111:f",
        ] {
            let refused = answer(&api.app, &caller(None), None, &Method::GET, name, None).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::ResourceNotFoundException, "{name}");
        }
        assert_eq!(messages(&api, "arn:aws:lambda:us-east-1:000000000000:function:f").await, [""; 0]);
    }
}
