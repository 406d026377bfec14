//! ListVersionsByFunction: `$LATEST` first, then published versions by their numbers.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::page::Page;
use crate::api::rules::render;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::ListVersionsByFunction,
) -> Result<output::ListVersionsByFunction, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let function = &found.function;
    // A marker is the qualifier of the last version of its page; numbers only grow.
    let after: Option<u64> = page.after.as_deref().map(|after| after.parse().unwrap_or(0));
    let number = |qualifier: &str| qualifier.parse::<u64>().unwrap_or(0);
    let versions = function.all_versions();
    let rest = versions.filter(|version| after.is_none_or(|after| number(&version.qualifier) > after));
    let (versions, next_marker) = page.cut(rest, |version| version.qualifier.clone());
    let versions = versions.iter().map(|version| render::listed(app, function, version, &call.place));
    Ok(output::ListVersionsByFunction { versions: Some(versions.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn the_unpublished_version_comes_first_and_states_are_not_told() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2015-03-31/functions/f/versions";
        for text in ["a", "b"] {
            let change = json!({ "Description": text });
            api.call("PUT", "/2015-03-31/functions/f/configuration", change).await.ok();
            api.settled("f").await;
            let code = json!({ "ZipFile": zip(text), "Publish": true });
            api.call("PUT", "/2015-03-31/functions/f/code", code).await.ok();
            api.settled("f").await;
        }
        let page = async |query: &str| {
            let found = api.call("GET", &format!("{path}{query}"), Value::Null).await.ok();
            let versions = found["Versions"].as_array().unwrap().clone();
            (versions, found["NextMarker"].as_str().map(str::to_owned))
        };
        let (versions, marker) = page("").await;
        let numbers: Vec<_> = versions.iter().map(|version| version["Version"].clone()).collect();
        assert_eq!((numbers, marker), (vec![json!("$LATEST"), json!("1"), json!("2")], None));
        assert!(versions[0]["FunctionArn"].as_str().unwrap().ends_with(":function:f:$LATEST"));
        assert_eq!((&versions[1]["State"], &versions[1]["LastUpdateStatus"]), (&Value::Null, &Value::Null));
        assert_ne!(versions[1]["CodeSha256"], versions[2]["CodeSha256"]);
        let (first, marker) = page("?MaxItems=2").await;
        assert_eq!((first.len(), &first[1]["Version"]), (2, &json!("1")));
        let (second, end) = page(&format!("?MaxItems=2&Marker={}", marker.unwrap())).await;
        assert_eq!((second.len(), &second[0]["Version"], end), (1, &json!("2"), None));
        assert_eq!(api.call("GET", "/2015-03-31/functions/g/versions", Value::Null).await.refused().0, 404);
    }
}
