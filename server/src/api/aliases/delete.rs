//! DeleteAlias: one that is not there is no error.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::DeleteAlias,
) -> Result<output::DeleteAlias, Error> {
    let arn = call.place.function_arn(&found.target.id.name);
    let name = input.name.unwrap_or_default();
    if found.function.aliases.contains_key(&name) {
        let change = move |function: &Function| {
            let mut function = function.clone();
            function.aliases.remove(&name);
            function.detach(&name);
            Ok(function)
        };
        let changed =
            app.registry.update(found.target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
        app.dispatcher.reserve(&changed.now.id);
    }
    Ok(output::DeleteAlias::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn it_is_gone_and_its_version_stays() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/aliases";
        api.call("POST", path, json!({ "Name": "a", "FunctionVersion": "1" })).await.ok();
        for _ in 0..2 {
            assert_eq!(api.call("DELETE", &format!("{path}/a"), Value::Null).await.status, 204);
        }
        assert_eq!(api.call("GET", "/2015-03-31/functions/f:a", Value::Null).await.refused().0, 404);
        api.call("GET", "/2015-03-31/functions/f:1", Value::Null).await.ok();
        assert_eq!(
            api.call("DELETE", "/2015-03-31/functions/g/aliases/a", Value::Null).await.refused().0,
            404
        );
    }
}
