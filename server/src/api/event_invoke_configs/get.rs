//! GetFunctionEventInvokeConfig: those of one qualifier; a missing function has none.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::event_invoke;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::GetFunctionEventInvokeConfig,
) -> Result<output::GetFunctionEventInvokeConfig, Error> {
    let (name, qualifier) = (&target.id.name, target.qualifier_or_latest());
    let function = app.registry.get(&target.id);
    let settings = function.and_then(|function| function.attached.event_invoke.get(qualifier).cloned());
    let settings = settings.ok_or_else(|| event_invoke::absent(&call.place, name, qualifier))?;
    Ok(event_invoke::shown(&call.place, name, qualifier, &settings))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_has_none_is_named_with_its_qualifier() {
        let api = Api::with_versions("f", 1).await;
        let path = |name: &str| format!("/2019-09-25/functions/{name}/event-invoke-config");
        let put = api.call("PUT", &path("f:1"), json!({ "MaximumRetryAttempts": 2 })).await.ok();
        assert_eq!(api.call("GET", &path("f:1"), Value::Null).await.ok(), put);
        for (name, shown) in [("f", "f:$LATEST"), ("g", "g:$LATEST"), ("f:noalias", "f:noalias")] {
            let (status, _, text) = api.call("GET", &path(name), Value::Null).await.refused();
            let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{shown}");
            assert_eq!(
                (status, text),
                (404, format!("The function {arn} doesn't have an EventInvokeConfig"))
            );
        }
    }
}
