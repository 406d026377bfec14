//! ListFunctionUrlConfigs: those of the function and of its aliases, by qualifier.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::function_url;
use crate::api::rules::page::Page;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::ListFunctionUrlConfigs,
) -> Result<output::ListFunctionUrlConfigs, Error> {
    let function = app.registry.get(&target.id).ok_or_else(function_url::no_function)?;
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let (all, next_marker) = page.of_settings(&function.attached.urls);
    let all = all
        .into_iter()
        .map(|(qualifier, url)| function_url::shown(app, call, &target.id.name, qualifier, url));
    Ok(output::ListFunctionUrlConfigs { function_url_configs: Some(all.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_page_has_what_get_shows() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2021-10-31/functions/f/url";
        let list = async |query: &str| api.call("GET", &format!("{path}s{query}"), Value::Null).await.ok();
        assert_eq!(list("").await, json!({ "FunctionUrlConfigs": [] }));
        let alias = json!({ "Name": "live", "FunctionVersion": "$LATEST" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        let mut made = Vec::new();
        for target in [path, "/2021-10-31/functions/f/url?Qualifier=live"] {
            api.call("POST", target, json!({ "AuthType": "AWS_IAM" })).await.ok();
            made.push(api.call("GET", target, Value::Null).await.ok());
        }
        assert_eq!(list("").await, json!({ "FunctionUrlConfigs": made }));
        let first = list("?MaxItems=1").await;
        let rest = list(&format!("?Marker={}", first["NextMarker"].as_str().unwrap())).await;
        assert_eq!((&first["FunctionUrlConfigs"][0], &rest["FunctionUrlConfigs"][0]), (&made[0], &made[1]));
        let gone = api.call("GET", "/2021-10-31/functions/g/urls", Value::Null).await.refused();
        assert_eq!((gone.0, gone.2.as_str()), (404, "Function does not exist"));
    }
}
