//! Finds the function or resource that a request names, before the handler runs.

use std::sync::Arc;

use lambd_model::{DIRECT_CALL, Function, LATEST, ResourceId, Statement, Version};
use lambd_wire::{Error, ErrorCode, types};

use super::Call;
use super::rules::target_function::{TargetFunction, denied, invalid};
use super::rules::{capacity, errors, render, signing};
use crate::app::App;
use crate::resources::{CapacityProvider, CodeSigningConfig, Collection, EventSourceMapping, Resource};

/// A function that exists, and how the request named it.
#[derive(Debug, Clone)]
pub(in crate::api) struct FoundFunction {
    /// Name and qualifier.
    pub(in crate::api) target: TargetFunction,
    /// Its snapshot at the time of the lookup.
    pub(in crate::api) function: Arc<Function>,
    /// What the qualifier names, `$LATEST` where there is none.
    pub(in crate::api) version: Arc<Version>,
}

impl FoundFunction {
    /// The configuration as the API shows it; the ARN is qualified if the request named a qualifier.
    pub(in crate::api) fn present(&self, app: &App, call: &Call) -> types::FunctionConfiguration {
        render::configuration(
            app,
            &self.function,
            &self.version,
            &call.place,
            self.target.qualifier.as_deref(),
        )
    }
}

/// A resource that belongs to no function.
#[derive(Debug)]
pub(in crate::api) struct FoundResource<R> {
    pub(in crate::api) id: ResourceId,
    /// Its snapshot at the time of the lookup.
    pub(in crate::api) resource: Arc<R>,
}

/// A resource that has tags.
#[derive(Debug)]
pub(in crate::api) enum TaggedResource {
    Function(FoundFunction),
    CodeSigningConfig(FoundResource<CodeSigningConfig>),
    EventSourceMapping(FoundResource<EventSourceMapping>),
    CapacityProvider(FoundResource<CapacityProvider>),
}

/// The parts of a request that name its subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) app: &'a App,
    pub(super) call: &'a Call,
    /// A function's name in any form, or the ARN of a resource.
    pub(super) name: Option<&'a str>,
    /// The separate qualifier; the name may also have one.
    pub(super) qualifier: Option<&'a str>,
}

impl Lookup<'_> {
    /// The name only; the function may exist or not.
    pub(super) fn name(self) -> Result<TargetFunction, Error> {
        TargetFunction::parse(&self.call.place, self.name, self.qualifier)
    }

    /// A function. The error for a missing one repeats the caller's name and qualifier.
    pub(super) fn function(self) -> Result<FoundFunction, Error> {
        let target = self.name()?;
        let (function, version) = target.find(self.app, &self.call.place)?;
        Ok(FoundFunction { target, function, version })
    }

    /// A version of a function, to be run: of an alias with two, one is drawn. One that is missing is called by its
    /// qualifier, `$LATEST` where none was given.
    pub(super) fn version(self) -> Result<FoundFunction, Error> {
        let target = self.name()?;
        let (function, version) = target.find_to_run(self.app, &self.call.place)?;
        Ok(FoundFunction { target, function, version })
    }

    /// As [`Self::version`], also of another account where a policy lets the caller invoke it.
    pub(super) fn invoked(self) -> Result<FoundFunction, Error> {
        let target = TargetFunction::parse_any_account(&self.call.place, self.name, self.qualifier)?;
        if target.id.account != self.call.place.account && !self.is_permitted(&target) {
            return Err(denied(self.name.unwrap_or_default()));
        }
        let (function, version) = target.find_to_run(self.app, &target.place())?;
        Ok(FoundFunction { target, function, version })
    }

    /// Whether a policy of what the qualifier names lets the caller or its account invoke it.
    fn is_permitted(&self, target: &TargetFunction) -> bool {
        let Some(function) = self.app.registry.get(&target.id) else { return false };
        let policy = function.policies.get(target.qualifier.as_deref().unwrap_or(LATEST));
        let (action, caller) = ("lambda:InvokeFunction", &self.call.identity.principal.entity_arn);
        let allows = |statement: &Statement| {
            statement.allows(&self.call.place.account, action, DIRECT_CALL)
                || statement.names(caller, action, DIRECT_CALL)
        };
        policy.is_some_and(|policy| policy.iter().any(allows))
    }

    /// A function as a whole: a qualifier is refused.
    pub(super) fn unqualified(self) -> Result<FoundFunction, Error> {
        self.refuse_qualifier(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
             operation. Please specify either a function name or an unqualified function ARN.",
        )?;
        self.version()
    }

    /// The function, version or alias with a resource policy, by its ARN; it may exist or not.
    pub(super) fn policy_owner(self) -> Result<TargetFunction, Error> {
        let arn = self.name.unwrap_or_default();
        if arn.split(':').nth(5) == Some("function") { self.name() } else { Err(no_resource(arn)) }
    }

    /// A code signing config by its ARN.
    pub(super) fn code_signing(self) -> Result<FoundResource<CodeSigningConfig>, Error> {
        let arn = self.name.unwrap_or_default();
        self.resource(&self.app.resources.code_signing).ok_or_else(|| signing::config_missing(arn))
    }

    /// An event source mapping by its UUID.
    pub(super) fn mapping(self) -> Result<FoundResource<EventSourceMapping>, Error> {
        let id = self.call.place.resource(self.name.unwrap_or_default());
        let found = self.app.resources.event_source_mappings.get(&id);
        found.map(|resource| FoundResource { id, resource }).ok_or_else(errors::no_resource)
    }

    /// A capacity provider by its name or ARN.
    pub(super) fn provider(self) -> Result<FoundResource<CapacityProvider>, Error> {
        let name = self.name.unwrap_or_default();
        let all = &self.app.resources.capacity_providers;
        let by_name = || {
            let id = self.call.place.resource(name);
            all.get(&id).map(|resource| FoundResource { id, resource })
        };
        let found = if name.starts_with("arn:") { self.resource(all) } else { by_name() };
        found.ok_or_else(|| capacity::missing(name))
    }

    /// What has tags, by its ARN.
    pub(super) fn tagged(self) -> Result<TaggedResource, Error> {
        let arn = self.name.unwrap_or_default();
        match arn.split(':').nth(5) {
            Some("function") => {
                self.refuse_qualifier(
                    "Tags on function aliases and versions are not supported. Please specify a function ARN.",
                )?;
                self.function().map(TaggedResource::Function)
            }
            Some(CodeSigningConfig::SEGMENT) => self.code_signing().map(TaggedResource::CodeSigningConfig),
            Some(EventSourceMapping::SEGMENT) => {
                let found = self.resource(&self.app.resources.event_source_mappings);
                found.map(TaggedResource::EventSourceMapping).ok_or_else(errors::no_resource)
            }
            Some(CapacityProvider::SEGMENT) => self.provider().map(TaggedResource::CapacityProvider),
            _ => Err(no_resource(arn)),
        }
    }

    /// A resource of the caller's account and region, by its ARN.
    fn resource<R: Resource>(self, all: &Collection<R>) -> Option<FoundResource<R>> {
        let id = ResourceId::parse_arn(self.name?, R::SEGMENT).filter(|id| id.is_in(&self.call.place))?;
        let resource = all.get(&id)?;
        Some(FoundResource { id, resource })
    }

    fn refuse_qualifier(self, text: &str) -> Result<(), Error> {
        match self.name()?.qualifier {
            None => Ok(()),
            Some(_) => Err(invalid(text)),
        }
    }
}

fn no_resource(arn: &str) -> Error {
    Error::new(
        ErrorCode::ResourceNotFoundException,
        format!("The resource you requested does not exist: {arn}"),
    )
}
