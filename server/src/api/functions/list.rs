//! ListFunctions: by name, at most 50 a page; with `FunctionVersion=ALL` all versions of each.

use std::sync::Arc;

use lambd_model::{Function, Version};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::page::Page;
use crate::api::rules::render;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListFunctions,
) -> Result<output::ListFunctions, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    if input.function_version.is_some() {
        return Ok(versions(app, call, &page));
    }
    let functions = app.registry.list(&call.place, page.after.as_deref(), page.limit + 1);
    let (functions, next_marker) = page.cut(functions.into_iter(), |function| function.id.name.clone());
    let functions = functions
        .iter()
        .map(|function| render::configuration(app, function, &function.latest, &call.place, None));
    Ok(output::ListFunctions { functions: Some(functions.collect()), next_marker })
}

/// Every entry is a version, and is named as one. A marker is `name:qualifier`.
fn versions(app: &App, call: &Call, page: &Page) -> output::ListFunctions {
    let after = page.after.as_deref().map(|after| after.split_once(':').unwrap_or((after, "")));
    // The function of the last entry may have more versions.
    let begun = after.and_then(|(name, _)| app.registry.get(&call.place.function(name)));
    let others = app.registry.list(&call.place, after.map(|(name, _)| name), page.limit + 1);
    let number = |qualifier: &str| qualifier.parse::<u64>().unwrap_or(0);
    let seen = after.map_or(0, |(_, qualifier)| number(qualifier));
    let versions_of = |function: Arc<Function>, seen: Option<u64>| {
        let is_new = |version: &&Arc<Version>| seen.is_none_or(|seen| number(&version.qualifier) > seen);
        let versions: Vec<_> = function.all_versions().filter(is_new).cloned().collect();
        versions.into_iter().map(move |version| (Arc::clone(&function), version))
    };
    let rest = begun.into_iter().flat_map(|function| versions_of(function, Some(seen)));
    let entries = rest.chain(others.into_iter().flat_map(|function| versions_of(function, None)));
    let name = |(function, version): &(Arc<Function>, Arc<Version>)| {
        format!("{}:{}", function.id.name, version.qualifier)
    };
    let (entries, next_marker) = page.cut(entries, name);
    let functions =
        entries.iter().map(|(function, version)| render::listed(app, function, version, &call.place));
    output::ListFunctions { functions: Some(functions.collect()), next_marker }
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
    }

    #[tokio::test]
    async fn with_all_versions_pages_may_end_within_a_function() {
        let api = Api::new().await;
        for name in ["a", "b"] {
            api.create(name).await;
            api.call("POST", &format!("/2015-03-31/functions/{name}/versions"), json!({})).await.ok();
        }
        let (mut marker, mut seen) = (String::new(), Vec::new());
        for _ in 0..4 {
            let query = format!("/2015-03-31/functions/?FunctionVersion=ALL&MaxItems=1&Marker={marker}");
            let found = api.call("GET", &query, Value::Null).await.ok();
            seen.push(
                found["Functions"][0]["FunctionArn"]
                    .as_str()
                    .unwrap()
                    .rsplit_once("function:")
                    .unwrap()
                    .1
                    .to_owned(),
            );
            marker = found["NextMarker"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(
            (seen, marker.as_str()),
            (["a:$LATEST", "a:1", "b:$LATEST", "b:1"].map(str::to_owned).to_vec(), "")
        );
    }
}
