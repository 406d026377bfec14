//! ListAliases: by name, all or those of one version.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::page::Page;
use crate::api::rules::render;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::ListAliases,
) -> Result<output::ListAliases, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let wanted = input.function_version.as_deref();
    let rest = found.function.aliases.iter().filter(|(name, alias)| {
        page.after.as_ref().is_none_or(|after| *name > after)
            && wanted.is_none_or(|version| alias.names(version))
    });
    let (aliases, next_marker) = page.cut(rest, |(name, _)| (*name).clone());
    let function = &found.function.id.name;
    let aliases = aliases.into_iter().map(|(name, alias)| render::alias(&call.place, function, name, alias));
    Ok(output::ListAliases { aliases: Some(aliases.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn pages_follow_the_names_and_a_version_has_its_own() {
        let api = Api::with_versions("f", 2).await;
        let path = "/2015-03-31/functions/f/aliases";
        let names = async |query: &str| {
            let found = api.call("GET", &format!("{path}{query}"), Value::Null).await.ok();
            let names = found["Aliases"].as_array().unwrap().iter().map(|alias| alias["Name"].clone());
            (names.collect::<Vec<_>>(), found["NextMarker"].as_str().map(str::to_owned))
        };
        assert_eq!(names("").await, (vec![], None));
        for (name, version) in [("c", "1"), ("a", "2"), ("b", "1")] {
            api.call("POST", path, json!({ "Name": name, "FunctionVersion": version })).await.ok();
        }
        let (first, marker) = names("?MaxItems=2").await;
        assert_eq!(first, ["a", "b"]);
        let rest = names(&format!("?MaxItems=2&Marker={}", marker.unwrap())).await;
        assert_eq!(rest, (vec![json!("c")], None));
        assert_eq!(names("?FunctionVersion=1").await.0, ["b", "c"]);
    }
}
