//! ListFunctions: sorted by name, at most 50 on a page.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambd_model::arn::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::render;
use crate::api::rules::target_function::invalid;
use crate::app::App;

/// AWS's size of a page; a larger `MaxItems` is reduced to it.
const PAGE: usize = 50;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListFunctions,
) -> Result<output::ListFunctions, Error> {
    let limit = input.max_items.and_then(|n| usize::try_from(n).ok()).map_or(PAGE, |n| n.clamp(1, PAGE));
    let after = input.marker.filter(|marker| !marker.is_empty()).map(|m| decode(&m)).transpose()?;
    let mut functions = app.registry.list(&call.place, after.as_deref(), limit + 1);
    let more = functions.len() > limit;
    functions.truncate(limit);
    // With FunctionVersion ALL every entry is a version, so its ARN is qualified.
    let qualifier = input.function_version.is_some().then_some(LATEST);
    Ok(output::ListFunctions {
        next_marker: functions.last().filter(|_| more).map(|last| encode(&last.id.name)),
        functions: Some(
            functions
                .iter()
                .map(|function| render::configuration(app, function, &call.place, qualifier))
                .collect(),
        ),
    })
}

/// A marker contains the last name of its page, so that functions may come and go between two pages.
fn encode(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

fn decode(marker: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid("Invalid Marker."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn pages_follow_the_names() {
        let api = Api::new().await;
        for name in ["c", "a", "b"] {
            api.create(name).await;
        }
        let page = async |query: String| {
            let found = api.call("GET", &format!("/2015-03-31/functions/{query}"), Value::Null).await.ok();
            let names = found["Functions"].as_array().unwrap().iter().map(|f| f["FunctionName"].clone());
            (names.collect::<Vec<_>>(), found["NextMarker"].as_str().map(str::to_owned))
        };
        let (first, marker) = page("?MaxItems=2".to_owned()).await;
        assert_eq!(first, ["a", "b"]);
        // The function that the marker names may have been deleted.
        api.call("DELETE", "/2015-03-31/functions/b", Value::Null).await.ok();
        assert_eq!(page(format!("?MaxItems=2&Marker={}", marker.unwrap())).await, (vec![json!("c")], None));
        let broken = api.call("GET", "/2015-03-31/functions/?Marker=!", Value::Null).await.refused();
        assert_eq!(broken.2, "Invalid Marker.");
        let all = api.call("GET", "/2015-03-31/functions/?FunctionVersion=ALL", Value::Null).await.ok();
        assert!(all["Functions"][0]["FunctionArn"].as_str().unwrap().ends_with(":function:a:$LATEST"));
    }
}
