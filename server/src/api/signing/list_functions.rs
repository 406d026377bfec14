//! ListFunctionsByCodeSigningConfig: ARNs of functions, by name.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::page::Page;
use crate::api::rules::signing;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::CodeSigningConfig;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundResource<CodeSigningConfig>,
    input: input::ListFunctionsByCodeSigningConfig,
) -> Result<output::ListFunctionsByCodeSigningConfig, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let names = signing::functions_of(app, &found.id, page.after.as_deref());
    let (names, next_marker) = page.cut(names.into_iter(), Clone::clone);
    let arns = names.iter().map(|name| call.place.function_arn(name));
    Ok(output::ListFunctionsByCodeSigningConfig { function_arns: Some(arns.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_function_is_listed_until_it_is_deleted() {
        let api = Api::new().await;
        let [arn, other] = [api.signing_config("Warn").await, api.signing_config("Warn").await];
        for (name, config) in [("a", &arn), ("b", &arn), ("c", &other)] {
            let mut request = function(name);
            request["CodeSigningConfigArn"] = json!(config);
            api.call("POST", "/2015-03-31/functions", request).await.ok();
        }
        let path = format!("/2020-04-22/code-signing-configs/{arn}/functions");
        let first = api.call("GET", &format!("{path}?MaxItems=1"), Value::Null).await.ok();
        assert_eq!(first["FunctionArns"], json!(["arn:aws:lambda:us-east-1:000000000000:function:a"]));
        api.call("DELETE", "/2015-03-31/functions/a", Value::Null).await.ok();
        let rest = api.call("GET", &path, Value::Null).await.ok();
        assert_eq!(rest, json!({ "FunctionArns": ["arn:aws:lambda:us-east-1:000000000000:function:b"] }));
        // A function of the same name is another one.
        api.create("a").await;
        assert_eq!(api.call("GET", &path, Value::Null).await.ok(), rest);
    }
}
