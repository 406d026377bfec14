//! GetAlias.

use std::sync::Arc;

use lambd_wire::{Error, ErrorCode, input, output};

use crate::api::rules::render;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::GetAlias,
) -> Result<output::GetAlias, Error> {
    let (function, name) = (&found.function, input.name.unwrap_or_default());
    let alias = function.aliases.get(&name).ok_or_else(|| {
        let arn = call.place.qualified_arn(&function.id.name, Some(&name));
        Error::new(ErrorCode::ResourceNotFoundException, format!("Cannot find alias arn: {arn}"))
    })?;
    Ok(render::alias(&call.place, &function.id.name, &name, alias))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_was_made_is_found_and_nothing_else() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/aliases";
        let made = api.call("POST", path, json!({ "Name": "a", "FunctionVersion": "1" })).await.ok();
        assert_eq!(api.call("GET", &format!("{path}/a"), Value::Null).await.ok(), made);
        let missing = api.call("GET", &format!("{path}/b"), Value::Null).await.refused();
        let text = "Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:f:b";
        assert_eq!((missing.0, missing.2.as_str()), (404, text));
    }
}
