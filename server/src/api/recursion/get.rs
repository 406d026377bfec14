//! GetFunctionRecursionConfig: `Terminate` where nothing was put [fact:recursion-config].

use std::sync::Arc;

use lambd_model::{LATEST, RecursiveLoop};
use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionRecursionConfig,
) -> Result<output::GetFunctionRecursionConfig, Error> {
    let recursion = found.function.attached.recursion.get(LATEST);
    let text = match recursion.map(|recursion| **recursion) {
        Some(RecursiveLoop::Allow) => "Allow",
        Some(RecursiveLoop::Terminate) | None => "Terminate",
    };
    Ok(output::GetFunctionRecursionConfig { recursive_loop: Some(text.to_owned()) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn loops_end_unless_they_are_allowed() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2024-08-31/functions/f/recursion-config";
        let get = async || api.call("GET", path, Value::Null).await.ok()["RecursiveLoop"].clone();
        assert_eq!(get().await, "Terminate");
        for value in ["Allow", "Terminate"] {
            api.call("PUT", path, json!({ "RecursiveLoop": value })).await.ok();
            assert_eq!(get().await, value);
        }
        let missing =
            api.call("GET", "/2024-08-31/functions/g/recursion-config", Value::Null).await.refused();
        assert_eq!(missing.0, 404);
    }
}
