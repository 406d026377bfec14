//! DeleteFunction: answers 204. Idle environments end at once, busy ones when their invocation is over.

use std::sync::Arc;

use lambd_model::{Function, FunctionId, LATEST, Version};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::errors;
use crate::api::rules::target_function::{TargetFunction, invalid, not_found};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::DeleteFunction,
) -> Result<output::DeleteFunction, Error> {
    let arn = call.place.function_arn(&target.id.name);
    match target.qualifier.as_deref() {
        None => {
            let deleted = app.registry.delete(target.id).await.map_err(|error| errors::of(&error, &arn))?;
            deleted.all_versions().for_each(|version| app.dispatcher.retire(version));
            app.dispatcher.reserve(&deleted.id);
        }
        Some(LATEST) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Some(number) => delete_version(app, &target.id, number.to_owned(), &arn).await?,
    }
    app.collector.ask();
    Ok(output::DeleteFunction::default())
}

/// One that does not exist is no error; a version that an alias names cannot go [fact:delete-version].
async fn delete_version(app: &App, id: &Arc<FunctionId>, number: String, arn: &str) -> Result<(), Error> {
    let function = app.registry.get(id).ok_or_else(|| not_found(arn))?;
    if function.aliases.contains_key(&number) {
        return Err(invalid("Deletion of aliases is not currently supported."));
    }
    let change = move |function: &Function| {
        let names = function.aliases.iter().filter(|(_, alias)| alias.names(&number));
        let names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
        if !names.is_empty() {
            return Err(RegistryError::VersionInUse(names));
        }
        let mut function = function.clone();
        function.versions.retain(|_, published| published.version.qualifier != number);
        function.detach(&number);
        Ok(function)
    };
    let changed =
        app.registry.update(Arc::clone(id), change).await.map_err(|error| errors::of(&error, arn))?;
    app.dispatcher.reserve(id);
    let is_gone = |version: &&Arc<Version>| changed.now.version(&version.qualifier).is_none();
    changed.before.all_versions().filter(is_gone).for_each(|version| app.dispatcher.retire(version));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn deleting_a_function_deletes_all_that_belongs_to_it() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2015-03-31/functions/f";
        assert_eq!(api.call("DELETE", path, Value::Null).await.status, 204);
        let gone = (404, "ResourceNotFoundException".to_owned());
        for _ in 0..2 {
            let (status, code, message) = api.call("DELETE", path, Value::Null).await.refused();
            assert_eq!((status, code), gone);
            assert_eq!(message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f");
        }
        api.create("f").await;
    }

    #[tokio::test]
    async fn a_version_cannot_be_deleted_like_a_function() {
        let api = Api::new().await;
        api.create("f").await;
        let latest = api.call("DELETE", "/2015-03-31/functions/f:$LATEST", Value::Null).await.refused();
        assert_eq!(latest.2, "$LATEST version cannot be deleted without deleting the function.");
        assert_eq!(api.call("DELETE", "/2015-03-31/functions/f?Qualifier=7", Value::Null).await.status, 204);
        api.call("GET", "/2015-03-31/functions/f", Value::Null).await.ok();
    }

    #[tokio::test]
    async fn a_version_goes_when_no_alias_names_it() {
        let api = Api::new().await;
        api.create("f").await;
        api.call("POST", "/2015-03-31/functions/f/versions", json!({})).await.ok();
        let alias = json!({ "Name": "live", "FunctionVersion": "1" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        let path = "/2015-03-31/functions/f?Qualifier=1";
        let pinned = api.call("DELETE", path, Value::Null).await.refused();
        let text = "Unable to delete version because the following aliases reference it: [live]";
        assert_eq!((pinned.0, pinned.2.as_str()), (409, text));
        let alias = api.call("DELETE", "/2015-03-31/functions/f?Qualifier=live", Value::Null).await.refused();
        assert_eq!(alias.2, "Deletion of aliases is not currently supported.");
        assert_eq!(api.call("DELETE", "/2015-03-31/functions/f/aliases/live", Value::Null).await.status, 204);
        assert_eq!(api.call("DELETE", path, Value::Null).await.status, 204);
        assert_eq!(api.call("GET", "/2015-03-31/functions/f:1", Value::Null).await.refused().0, 404);
        let next = api.call("POST", "/2015-03-31/functions/f/versions", json!({})).await.ok();
        assert_eq!(next["Version"], "2", "no number is given twice");
        let gone = api.call("DELETE", "/2015-03-31/functions/g?Qualifier=1", Value::Null).await.refused();
        assert_eq!(gone.2, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g");
    }
}
