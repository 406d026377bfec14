//! What an operation is about: the ARN that policies are asked about, and what conditions see of it.
//!
//! An ARN has one spelling here, that of the partition `aws`, however the request spells it: otherwise a deny of what a
//! look-up finds by another spelling would not apply.

use std::collections::BTreeMap;

use lambd_auth::ConditionContext;
use lambd_model::ResourceId;

use crate::api::rules::layers::LayerName;
use crate::api::rules::target_function::TargetFunction;
use crate::api::{Call, permissions};
use crate::app::App;
use crate::resources::{CapacityProvider, CodeSigningConfig, EventSourceMapping, Resource};
use permissions::Named;
use permissions::table::Kind;

/// What a request is about.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// Its ARN; `None` is asked for as `*`.
    arn: Option<String>,
    /// The function that it is.
    pub(super) function: Option<TargetFunction>,
    /// What else it is, by the segment of its kind.
    resource: Option<(&'static str, ResourceId)>,
    /// ARNs of the functions that a mapping invokes, or shall invoke.
    invoked: Vec<String>,
}

impl Subject {
    /// Follows from the names in the request, and of a mapping from the function that it has.
    pub(super) fn of(app: &App, call: &Call, kind: Kind, named: Named<'_>) -> Self {
        let label = |at: usize| named.labels.get(at).map_or("", |label| &**label);
        let name = named.subject.unwrap_or_else(|| label(0));
        match kind {
            Kind::Any => Self::default(),
            // Without the qualifier of the name, whose policy gives no right to the whole.
            Kind::Function => Self::function(
                target(call, name, None).map(|target| TargetFunction { qualifier: None, ..target }),
            ),
            Kind::Qualified => Self::function(target(call, name, named.qualifier)),
            Kind::Arn => Self::by_arn(app, call, name),
            Kind::Layer => Self::arn(LayerName::of(&call.place, Some(name)).arn()),
            Kind::LayerVersion => Self::arn(match named.also {
                Some(arn) => layer_version(arn),
                None => format!("{}:{}", LayerName::of(&call.place, Some(name)).arn(), number(label(1))),
            }),
            Kind::Mapping => Self::mapping(app, call, call.place.resource(label(0)), named.also),
            Kind::CapacityProvider => {
                let name = named.also.unwrap_or(name);
                Self::resource::<CapacityProvider>(name).unwrap_or_else(|| {
                    let id = call.place.resource(name);
                    if name.starts_with("arn:") {
                        Self::arn(name.to_owned())
                    } else {
                        Self::own::<CapacityProvider>(id)
                    }
                })
            }
        }
    }

    /// The ARN that policies are asked about.
    pub(super) fn asked(&self) -> &str {
        self.arn.as_deref().unwrap_or("*")
    }

    fn arn(arn: String) -> Self {
        Self { arn: Some(arn), ..Self::default() }
    }

    fn function(function: Option<TargetFunction>) -> Self {
        let arn = function.as_ref().map(|target| target.arn(&target.place()));
        Self { arn, function, ..Self::default() }
    }

    fn own<R: Resource>(id: ResourceId) -> Self {
        Self { arn: Some(id.arn(R::SEGMENT)), resource: Some((R::SEGMENT, id)), ..Self::default() }
    }

    /// A resource of this kind, if the ARN is one of those.
    fn resource<R: Resource>(arn: &str) -> Option<Self> {
        ResourceId::parse_arn(arn, R::SEGMENT).map(Self::own::<R>)
    }

    fn by_arn(app: &App, call: &Call, arn: &str) -> Self {
        let found = match arn.split(':').nth(5) {
            Some("function") => target(call, arn, None).map(|target| Self::function(Some(target))),
            Some(CodeSigningConfig::SEGMENT) => Self::resource::<CodeSigningConfig>(arn),
            Some(EventSourceMapping::SEGMENT) => ResourceId::parse_arn(arn, EventSourceMapping::SEGMENT)
                .map(|id| Self::mapping(app, call, id, None)),
            Some(CapacityProvider::SEGMENT) => Self::resource::<CapacityProvider>(arn),
            _ => None,
        };
        let unread = || if arn.starts_with("arn:") { Self::arn(arn.to_owned()) } else { Self::default() };
        found.unwrap_or_else(unread)
    }

    /// A mapping; one that shall be created has no id yet.
    fn mapping(app: &App, call: &Call, id: ResourceId, function: Option<&str>) -> Self {
        let present = app.resources.event_source_mappings.get(&id);
        let present = present.map(|mapping| call.place.function_arn(&mapping.function));
        let next = function.and_then(|name| target(call, name, None)).map(|target| target.id.to_string());
        let subject = if id.name.is_empty() { Self::default() } else { Self::own::<EventSourceMapping>(id) };
        Self { invoked: present.into_iter().chain(next).collect(), ..subject }
    }

    /// The condition keys that it has besides those of the request. Where two functions are concerned, each is asked for.
    pub(super) fn describe(
        &self,
        app: &App,
        call: &Call,
        mut context: ConditionContext,
    ) -> Vec<ConditionContext> {
        let owner = self.asked().split(':').nth(4).filter(|account| !account.is_empty());
        context.add("aws:ResourceAccount", owner.unwrap_or(&call.place.account));
        for (key, value) in self.tags(app) {
            context.add(format!("aws:ResourceTag/{key}"), value);
        }
        let own = self.function.as_ref().map(|target| target.id.to_string());
        let functions: Vec<_> = own.iter().chain(&self.invoked).collect();
        if functions.is_empty() {
            return vec![context];
        }
        let with = |function: &&String| {
            let mut context = context.clone();
            context.add("lambda:FunctionArn", *function);
            context
        };
        functions.iter().map(with).collect()
    }

    /// The tags that it has now.
    fn tags(&self, app: &App) -> BTreeMap<String, String> {
        let all = &app.resources;
        let tags = match (&self.function, &self.resource) {
            (Some(target), _) => app.registry.get(&target.id).map(|function| function.tags.clone()),
            (None, Some((CodeSigningConfig::SEGMENT, id))) => {
                all.code_signing.get(id).map(|it| it.tags.clone())
            }
            (None, Some((EventSourceMapping::SEGMENT, id))) => {
                all.event_source_mappings.get(id).map(|it| it.tags.clone())
            }
            (None, Some((CapacityProvider::SEGMENT, id))) => {
                all.capacity_providers.get(id).map(|it| it.tags.clone())
            }
            _ => None,
        };
        tags.unwrap_or_default()
    }
}

fn target(call: &Call, name: &str, qualifier: Option<&str>) -> Option<TargetFunction> {
    TargetFunction::parse_any_account(&call.place, Some(name), qualifier).ok()
}

fn layer_version(arn: &str) -> String {
    LayerName::of_version(arn).map_or_else(|| arn.to_owned(), |(layer, number)| layer.version_arn(number))
}

/// A number as the input has it: `01` and `+1` are read as 1.
fn number(label: &str) -> String {
    label.parse::<i64>().map_or_else(|_| label.to_owned(), |number| number.to_string())
}
