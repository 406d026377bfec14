//! DeleteProvisionedConcurrencyConfig: where there is none, nothing has to be done.

use std::sync::Arc;

use lambd_model::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{errors, provisioned};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::DeleteProvisionedConcurrencyConfig,
) -> Result<output::DeleteProvisionedConcurrencyConfig, Error> {
    let qualifier = target.qualifier_or_latest().to_owned();
    if qualifier == LATEST {
        return Err(invalid(provisioned::NOT_PUBLISHED));
    }
    let function = provisioned::function(app, call, &target)?;
    if function.attached.provisioned.contains_key(&qualifier) {
        let arn = call.place.function_arn(&function.id.name);
        let removed = app.registry.provision(target.id, qualifier, None).await;
        let function = removed.map_err(|error| errors::of(&error, &arn))?;
        app.dispatcher.reserve(&function.id);
    }
    Ok(output::DeleteProvisionedConcurrencyConfig::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn it_goes_by_itself_or_with_its_alias() {
        let api = Api::with_versions("f", 2).await;
        let alias = json!({ "Name": "live", "FunctionVersion": "2" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias.clone()).await.ok();
        let path = |qualifier: &str| {
            format!("/2019-09-30/functions/f/provisioned-concurrency?Qualifier={qualifier}")
        };
        for qualifier in ["1", "live"] {
            let put = json!({ "ProvisionedConcurrentExecutions": 1 });
            api.call("PUT", &path(qualifier), put).await.ok();
            api.call("GET", &path(qualifier), Value::Null).await.ok();
        }
        for _ in 0..2 {
            assert_eq!(api.call("DELETE", &path("1"), Value::Null).await.status, 204);
        }
        api.call("DELETE", "/2015-03-31/functions/f/aliases/live", Value::Null).await;
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        for qualifier in ["1", "live"] {
            let code = api.call("GET", &path(qualifier), Value::Null).await.refused().1;
            assert_eq!(code, "ProvisionedConcurrencyConfigNotFoundException");
        }
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        for (qualifier, status, text) in [
            ("noalias", 404, format!("Cannot find alias arn: {arn}:noalias")),
            ("10", 404, format!("Function not found: {arn}:10")),
            (
                "$LATEST",
                400,
                "The function resource provided must be an alias or a published version.".to_owned(),
            ),
        ] {
            let (got, _, message) = api.call("DELETE", &path(qualifier), Value::Null).await.refused();
            assert_eq!((got, message), (status, text));
        }
    }
}
