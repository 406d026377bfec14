//! UpdateAlias: members that are given replace what is there; an empty routing ends it.

use std::sync::Arc;

use lambd_model::{Alias, Function};
use lambd_wire::{Error, input, output};
use uuid::Uuid;

use crate::api::rules::{errors, provisioned, render, routing};
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
    let second = routing_config.map(|given| routing::second(Some(given))).transpose().map_err(of)?;
    let named = name.clone();
    let change = move |function: &Function| {
        let present = alias_of(function, &named)?;
        if revision_id.is_some_and(|given| given != present.revision_id.to_string()) {
            return Err(RegistryError::Revision);
        }
        let alias = Alias {
            version: function_version.unwrap_or_else(|| present.version.clone()),
            second: second.unwrap_or(present.second),
            description: description.unwrap_or_else(|| present.description.clone()),
            revision_id: Uuid::new_v4(),
        };
        routing::check(function, &alias.version, alias.second)?;
        if function.attached.provisioned.contains_key(&named) {
            provisioned::check_alias(function, &alias)?;
        }
        let mut function = function.clone();
        function.aliases.insert(named, Arc::new(alias));
        Ok(function)
    };
    let changed = app.registry.update(Arc::clone(&id), change).await.map_err(of)?;
    app.dispatcher.provision(&changed.now);
    let alias = alias_of(&changed.now, &name).map_err(of)?;
    Ok(render::alias(&call.place, &id.name, &name, &alias))
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

    /// What is kept is checked with what is new, as if it had been given again.
    #[tokio::test]
    async fn a_version_cannot_move_onto_the_second_one() {
        let api = Api::with_versions("f", 2).await;
        let path = "/2015-03-31/functions/f/aliases";
        let weights = json!({ "AdditionalVersionWeights": { "2": 0.5 } });
        let request = json!({ "Name": "a", "FunctionVersion": "1", "RoutingConfig": weights });
        api.call("POST", path, request).await.ok();
        for version in ["2", "$LATEST"] {
            let moved = json!({ "FunctionVersion": version });
            assert_eq!(api.call("PUT", &format!("{path}/a"), moved).await.refused().0, 400, "{version}");
        }
        let both = json!({ "FunctionVersion": "2", "RoutingConfig": {} });
        assert_eq!(api.call("PUT", &format!("{path}/a"), both).await.ok()["FunctionVersion"], "2");
    }

    #[tokio::test]
    async fn updates_without_a_revision_never_refuse_each_other() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/aliases";
        api.call("POST", path, json!({ "Name": "a", "FunctionVersion": "1" })).await.ok();
        let path = format!("{path}/a");
        let update = |n: u32| api.call("PUT", &path, json!({ "Description": format!("{n}") }));
        let (a, b, c, d) = tokio::join!(update(1), update(2), update(3), update(4));
        [a, b, c, d].into_iter().for_each(|answer| drop(answer.ok()));
    }
}
