//! UpdateAlias: members that are given replace what is there; an empty routing ends it.

use std::sync::Arc;

use lambd_model::{Alias, Function};
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
    input: input::UpdateAlias,
) -> Result<output::UpdateAlias, Error> {
    let id = found.target.id;
    let arn = call.place.function_arn(&id.name);
    let input::UpdateAlias { name, function_version, description, routing_config, revision_id, .. } = input;
    let name = name.unwrap_or_default();
    let of = |error: RegistryError| errors::of(&error, &arn);
    let before = alias_of(&found.function, &name).map_err(of)?;
    let version = function_version.unwrap_or_else(|| before.version.clone());
    let second = match routing_config {
        None => before.second,
        given => routing::second(&version, given)?,
    };
    let now = Arc::new(Alias {
        version,
        second,
        description: description.unwrap_or_else(|| before.description.clone()),
        revision_id: Uuid::new_v4(),
    });
    let (new, named) = (Arc::clone(&now), name.clone());
    let change = move |function: &Function| {
        let present = alias_of(function, &named)?;
        // Merged from an older state: another update came between.
        let is_stale = present.revision_id != before.revision_id;
        if is_stale || revision_id.is_some_and(|given| given != present.revision_id.to_string()) {
            return Err(RegistryError::Revision);
        }
        routing::check(function, &new.version, new.second)?;
        let mut function = function.clone();
        function.aliases.insert(named, new);
        Ok(function)
    };
    app.registry.update(Arc::clone(&id), change).await.map_err(of)?;
    Ok(render::alias(&call.place, &id.name, &name, &now))
}

fn alias_of(function: &Function, name: &str) -> Result<Arc<Alias>, RegistryError> {
    function.aliases.get(name).cloned().ok_or_else(|| RegistryError::AliasMissing(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_given_replaces_what_is_there() {
        let api = Api::with_versions("f", 2).await;
        let path = "/2015-03-31/functions/f/aliases";
        let weights = json!({ "AdditionalVersionWeights": { "2": 0.5 } });
        let request =
            json!({ "Name": "a", "FunctionVersion": "1", "Description": "d", "RoutingConfig": weights });
        let made = api.call("POST", path, request).await.ok();
        let path = format!("{path}/a");
        let kept = api.call("PUT", &path, json!({ "Description": "e" })).await.ok();
        assert_eq!((&kept["Description"], &kept["RoutingConfig"]), (&json!("e"), &weights));
        assert_ne!(kept["RevisionId"], made["RevisionId"]);
        let moved = json!({ "FunctionVersion": "2", "RoutingConfig": {} });
        let moved = api.call("PUT", &path, moved).await.ok();
        assert_eq!((&moved["FunctionVersion"], &moved["RoutingConfig"]), (&json!("2"), &Value::Null));
        assert_eq!(api.call("GET", &path, Value::Null).await.ok(), moved);
    }

    #[tokio::test]
    async fn refusals_change_nothing() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/aliases";
        let made = api.call("POST", path, json!({ "Name": "a", "FunctionVersion": "1" })).await.ok();
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        for (name, request, status, text) in [
            (
                "a",
                json!({ "RevisionId": "wrong" }),
                412,
                "The Revision Id provided does not match".to_owned(),
            ),
            ("a", json!({ "FunctionVersion": "7" }), 404, format!("Function not found: {arn}:7")),
            ("b", json!({ "FunctionVersion": "1" }), 404, format!("Alias not found: {arn}:b")),
        ] {
            let (got, _, message) = api.call("PUT", &format!("{path}/{name}"), request).await.refused();
            assert!(got == status && message.starts_with(&text), "{got} {message}");
        }
        assert_eq!(api.call("GET", &format!("{path}/a"), Value::Null).await.ok(), made);
        let right = json!({ "RevisionId": made["RevisionId"] });
        api.call("PUT", &format!("{path}/a"), right).await.ok();
    }
}
