//! GetEventSourceMapping.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::mappings::shown;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::EventSourceMapping;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    call: &Call,
    found: FoundResource<EventSourceMapping>,
    _input: input::GetEventSourceMapping,
) -> Result<output::GetEventSourceMapping, Error> {
    Ok(shown::shown(&call.place, &found.id, &found.resource))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_mapping_settles_by_itself_and_is_found_by_its_own_account() {
        let api = Api::new().await;
        api.create("f").await;
        let made = api.mapping("f", Value::Null).await.ok();
        assert_eq!(
            (&made["State"], &made["FunctionArn"]),
            (&json!("Creating"), &json!("arn:aws:lambda:us-east-1:000000000000:function:f"))
        );
        let settled = api.mapping_settled(&made).await;
        assert_eq!(settled["State"], "Enabled");
        assert_eq!(settled["LastModified"], made["LastModified"]);
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        let other = api.call_as("111111111111", REGION, "GET", &path, Value::Null).await.refused();
        let text = "The resource you requested does not exist.";
        assert_eq!(other, (404, "ResourceNotFoundException".to_owned(), text.to_owned()));
    }
}
