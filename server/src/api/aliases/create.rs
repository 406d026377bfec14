//! CreateAlias: a name for a version, or for two.

use std::sync::Arc;

use lambd_model::Alias;
use lambd_wire::{Error, input, output};
use uuid::Uuid;

use crate::api::rules::{errors, render, routing};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::CreateAlias,
) -> Result<output::CreateAlias, Error> {
    let arn = call.place.function_arn(&found.target.id.name);
    let (name, version) = (input.name.unwrap_or_default(), found.version.qualifier.clone());
    let second = routing::second(input.routing_config).map_err(|error| errors::of(&error, &arn))?;
    let alias = Arc::new(Alias {
        version,
        second,
        description: input.description.unwrap_or_default(),
        revision_id: Uuid::new_v4(),
    });
    let (new, named) = (Arc::clone(&alias), name.clone());
    let change = move |function: &lambd_model::Function| {
        routing::check(function, &new.version, new.second)?;
        if function.aliases.contains_key(&named) {
            return Err(RegistryError::AliasExists(named));
        }
        let mut function = function.clone();
        function.aliases.insert(named, new);
        Ok(function)
    };
    app.registry
        .update(Arc::clone(&found.target.id), change)
        .await
        .map_err(|error| errors::of(&error, &arn))?;
    Ok(render::alias(&call.place, &found.target.id.name, &name, &alias))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ALIASES: &str = "/2015-03-31/functions/f/aliases";
    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    #[tokio::test]
    async fn an_alias_is_a_qualifier() {
        let api = Api::with_versions("f", 2).await;
        let plain = api.call("POST", ALIASES, json!({ "Name": "live", "FunctionVersion": "1" })).await;
        assert_eq!(plain.status, 201);
        let plain = plain.ok();
        for (member, want) in [
            ("AliasArn", json!(format!("{ARN}:live"))),
            ("Name", json!("live")),
            ("FunctionVersion", json!("1")),
            ("Description", json!("")),
            ("RoutingConfig", Value::Null),
        ] {
            assert_eq!(plain[member], want, "{member}");
        }
        let found = api.call("GET", "/2015-03-31/functions/f:live/configuration", Value::Null).await.ok();
        let want = (&json!(format!("{ARN}:live")), &json!("1"));
        assert_eq!((&found["FunctionArn"], &found["Version"]), want);
        let weights = json!({ "AdditionalVersionWeights": { "2": 0.25 } });
        let request = json!({ "Name": "canary", "FunctionVersion": "1", "RoutingConfig": weights });
        assert_eq!(api.call("POST", ALIASES, request).await.ok()["RoutingConfig"], weights);
        let latest = json!({ "Name": "dev", "FunctionVersion": "$LATEST", "Description": "d" });
        assert_eq!(api.call("POST", ALIASES, latest).await.ok()["Description"], "d");
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_versions("f", 2).await;
        api.call("POST", ALIASES, json!({ "Name": "custom", "FunctionVersion": "1" })).await.ok();
        let request = |version: &str, weights: Value| {
            json!({
                "Name": "custom", "FunctionVersion": version,
                "RoutingConfig": { "AdditionalVersionWeights": weights },
            })
        };
        for (request, status, text) in [
            (request("1", json!({ "2": 0.5 })), 409, format!("Alias already exists: {ARN}:custom")),
            (
                request("1", json!({ "1": 0.5 })),
                400,
                "Invalid function version 1. Function version 1 is already included in routing configuration."
                    .to_owned(),
            ),
            (
                request("1", json!({ "1": 0.8, "2": 0.2 })),
                400,
                "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
            ),
            (request("1", json!({ "10": 0.5 })), 404, format!("Function not found: {ARN}:10")),
            (request("10", json!({ "2": 0.5 })), 404, format!("Function not found: {ARN}:10")),
            (
                request("$LATEST", json!({ "1": 0.5 })),
                400,
                "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
            ),
            (
                request("1", json!({ "2": 2 })),
                400,
                "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to \
                 satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal \
                 to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"
                    .to_owned(),
            ),
        ] {
            let (got, _, message) = api.call("POST", ALIASES, request).await.refused();
            assert_eq!((got, message), (status, text));
        }
        let unknown = request("1", json!({ "2": 0.5 }));
        let missing = api.call("POST", "/2015-03-31/functions/g/aliases", unknown).await.refused();
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:1";
        assert_eq!((missing.0, missing.2.as_str()), (404, text));
        let digits = json!({ "Name": "12", "FunctionVersion": "1" });
        assert_eq!(api.call("POST", ALIASES, digits).await.refused().0, 400);
    }
}
