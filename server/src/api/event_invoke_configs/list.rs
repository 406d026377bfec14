//! ListFunctionEventInvokeConfigs: those of all qualifiers, by qualifier.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::event_invoke;
use crate::api::rules::page::Page;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::ListFunctionEventInvokeConfigs,
) -> Result<output::ListFunctionEventInvokeConfigs, Error> {
    let function = app.registry.get(&target.id).ok_or_else(event_invoke::no_function)?;
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let (all, next_marker) = page.of_settings(&function.attached.event_invoke);
    let all = all
        .into_iter()
        .map(|(qualifier, settings)| event_invoke::shown(&call.place, &target.id.name, qualifier, settings));
    Ok(output::ListFunctionEventInvokeConfigs {
        function_event_invoke_configs: Some(all.collect()),
        next_marker,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn pages_follow_the_qualifiers() {
        let api = Api::with_versions("f", 2).await;
        let path = "/2019-09-25/functions/f/event-invoke-config";
        for qualifier in ["2", "$LATEST", "1"] {
            let target = format!("{path}?Qualifier={qualifier}");
            api.call("PUT", &target, json!({ "MaximumEventAgeInSeconds": 60 })).await.ok();
        }
        let page = async |query: &str| {
            let page = api.call("GET", &format!("{path}/list{query}"), Value::Null).await.ok();
            let all = page["FunctionEventInvokeConfigs"].as_array().unwrap();
            let arns = all.iter().map(|one| one["FunctionArn"].as_str().unwrap().to_owned());
            let qualifiers: Vec<_> = arns.map(|arn| arn.rsplit_once(':').unwrap().1.to_owned()).collect();
            (qualifiers, page["NextMarker"].as_str().map(str::to_owned))
        };
        let (first, marker) = page("?MaxItems=2").await;
        assert_eq!(first, ["$LATEST", "1"]);
        assert_eq!(page(&format!("?Marker={}", marker.unwrap())).await, (vec!["2".to_owned()], None));
        let gone =
            api.call("GET", "/2019-09-25/functions/g/event-invoke-config/list", Value::Null).await.refused();
        assert_eq!((gone.0, gone.2.as_str()), (404, "The function doesn't exist."));
    }
}
