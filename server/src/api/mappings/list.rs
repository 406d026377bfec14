//! ListEventSourceMappings: by id, at most 100 a page, of one source or one function if the caller names it.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::mappings::shown;
use crate::api::rules::page::Page;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;
use crate::resources::EventSourceMapping;

/// AWS's page of mappings.
const PAGE: usize = 100;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListEventSourceMappings,
) -> Result<output::ListEventSourceMappings, Error> {
    let page = Page::sized(input.max_items, input.marker.as_deref(), PAGE)?;
    let named = input.function_name.as_deref().filter(|name| !name.is_empty());
    let target = named.map(|name| TargetFunction::parse(&call.place, Some(name), None)).transpose()?;
    let source = input.event_source_arn.filter(|arn| !arn.is_empty());
    let is_asked = |mapping: &EventSourceMapping| {
        let is_target = |target: &TargetFunction| {
            (&target.id.name, &target.qualifier) == (&mapping.function, &mapping.qualifier)
        };
        target.as_ref().is_none_or(is_target) && (source.is_none() || source == mapping.source_arn)
    };
    let all = app.resources.event_source_mappings.list(&call.place, page.after.as_deref(), usize::MAX);
    let asked = all.into_iter().filter(|(_, mapping)| is_asked(mapping));
    let (found, next_marker) = page.cut(asked, |(uuid, _)| uuid.clone());
    let shown = found
        .iter()
        .map(|(uuid, mapping)| shown::shown(&call.place, &call.place.resource(uuid.as_str()), mapping));
    Ok(output::ListEventSourceMappings { event_source_mappings: Some(shown.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn lists_are_of_a_function_or_a_source() {
        let api = Api::new().await;
        for name in ["f", "g"] {
            api.create(name).await;
        }
        let [one, two] = ["q1", "q2"].map(|q| format!("arn:aws:sqs:us-east-1:000000000000:{q}"));
        for (function, arn) in [("f", &one), ("f", &two), ("g", &one), ("g:$LATEST", &one)] {
            api.mapping(function, json!({ "EventSourceArn": arn })).await.ok();
        }
        let count = async |query: &str| {
            let path = format!("/2015-03-31/event-source-mappings/{query}");
            let found = api.call("GET", &path, Value::Null).await.ok();
            (found["EventSourceMappings"].as_array().unwrap().len(), found["NextMarker"].clone())
        };
        for (query, want) in [
            (String::new(), 4),
            ("?FunctionName=f".to_owned(), 2),
            ("?FunctionName=g:$LATEST".to_owned(), 1),
            ("?FunctionName=absent".to_owned(), 0),
            (format!("?EventSourceArn={one}"), 3),
            (format!("?EventSourceArn={one}&FunctionName=f"), 1),
        ] {
            assert_eq!(count(&query).await, (want, Value::Null), "{query}");
        }
        let (first, marker) = count("?MaxItems=3").await;
        let rest = count(&format!("?MaxItems=3&Marker={}", marker.as_str().unwrap())).await;
        assert_eq!((first, rest), (3, (1, Value::Null)));
    }
}
