//! DeleteFunction: answers 204. Idle environments end at once, busy ones when their invocation is over.

use std::sync::Arc;

use lambd_model::arn::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::errors;
use crate::api::rules::target_function::{TargetFunction, invalid, not_found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::DeleteFunction,
) -> Result<output::DeleteFunction, Error> {
    let arn = call.place.function_arn(&target.id.name);
    match target.qualifier.as_deref() {
        None => {}
        Some(LATEST) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        // Recorded on AWS: a version of an unknown function is reported without its qualifier.
        Some(_) if app.registry.get(&target.id).is_none() => return Err(not_found(&arn)),
        // On AWS, deleting a version that does not exist is no error.
        Some(_) => return Ok(output::DeleteFunction::default()),
    }
    let deleted = app.registry.delete(target.id).await.map_err(|error| errors::of(&error, &arn))?;
    app.dispatcher.retire(&deleted.latest);
    app.dispatcher.reserve(&deleted.id);
    app.collector.ask();
    Ok(output::DeleteFunction::default())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

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
}
