//! Tags of resources that belong to no function.

use std::collections::BTreeMap;

use lambd_model::ResourceId;
use lambd_wire::{Error, special};

use super::target_function::invalid;
use crate::resources::{CapacityProvider, CodeSigningConfig, Collection, EventSourceMapping, Resource};

/// The tags of one resource.
pub(in crate::api) type Tags = BTreeMap<String, String>;

/// A kind of resource that has tags.
pub(in crate::api) trait HasTags: Resource + Clone {
    /// Its tags, to be changed.
    fn tags_mut(&mut self) -> &mut Tags;
    /// The error for one that does not exist any more.
    fn missing(arn: &str) -> Error;
}

impl HasTags for CodeSigningConfig {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
    fn missing(arn: &str) -> Error {
        super::signing::config_missing(arn)
    }
}

impl HasTags for EventSourceMapping {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
    fn missing(_arn: &str) -> Error {
        super::errors::no_resource()
    }
}

impl HasTags for CapacityProvider {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
    fn missing(arn: &str) -> Error {
        super::capacity::missing(arn)
    }
}

/// Tags that callers give: keys that begin with `aws:` are AWS's own [fact:reserved-tags].
///
/// # Errors
/// 400 `InvalidParameterValueException`.
pub(in crate::api) fn given(tags: Option<Tags>) -> Result<Tags, Error> {
    let tags = tags.unwrap_or_default();
    let is_reserved = |key: &String| key.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("aws:"));
    if tags.keys().any(is_reserved) {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    Ok(tags)
}

/// Changes the tags of a resource and nothing else of it.
pub(in crate::api) async fn change<R: HasTags>(
    all: &Collection<R>,
    id: ResourceId,
    change: impl FnOnce(&mut Tags) + Send + 'static,
) -> Result<(), Error> {
    let arn = id.arn(R::SEGMENT);
    let work = move |resource: Option<&R>| {
        let mut resource = resource.ok_or_else(|| R::missing(&arn))?.clone();
        let tags = resource.tags_mut();
        change(tags);
        if tags.len() > special::MAX_TAGS { Err(Error::too_many_tags()) } else { Ok(Some(resource)) }
    };
    all.change(id, work).await.map(drop)
}
