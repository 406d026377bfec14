//! ListCodeSigningConfigs: by id.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::page::Page;
use crate::api::rules::signing;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListCodeSigningConfigs,
) -> Result<output::ListCodeSigningConfigs, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let configs = app.resources.code_signing.list(&call.place, page.after.as_deref(), page.limit + 1);
    let (configs, next_marker) = page.cut(configs.into_iter(), |(id, _)| id.clone());
    let shown = configs.iter().map(|(id, config)| signing::shown(&call.place.resource(id.as_str()), config));
    Ok(output::ListCodeSigningConfigs { code_signing_configs: Some(shown.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn pages_have_every_config_once() {
        let api = Api::new().await;
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(json!(api.signing_config("Warn").await));
        }
        made.sort_by_key(Value::to_string);
        let path = "/2020-04-22/code-signing-configs/?MaxItems=2";
        let first = api.call("GET", path, Value::Null).await.ok();
        let next = format!("{path}&Marker={}", first["NextMarker"].as_str().unwrap());
        let second = api.call("GET", &next, Value::Null).await.ok();
        assert_eq!(second["NextMarker"], Value::Null);
        let pages = [&first, &second].map(|page| page["CodeSigningConfigs"].as_array().unwrap());
        let arns: Vec<_> =
            pages.into_iter().flatten().map(|config| config["CodeSigningConfigArn"].clone()).collect();
        assert_eq!(arns, made);
    }
}
