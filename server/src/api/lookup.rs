//! Finds the function or resource that a request names, before the handler runs.

use std::sync::Arc;

use lambd_model::{Function, LATEST, Statement, Version};
use lambd_wire::{Error, ErrorCode, types};

use super::Call;
use super::rules::render;
use super::rules::target_function::{TargetFunction, denied, invalid};
use crate::app::App;

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
            statement.allows(&self.call.place.account, action) || statement.names(caller, action)
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

    /// The function with a resource's ARN; other kinds of resources are not supported.
    pub(super) fn tagged(self) -> Result<FoundFunction, Error> {
        let resource = self.name.unwrap_or_default();
        if !resource.contains(":function:") {
            return Err(Error::new(
                ErrorCode::ResourceNotFoundException,
                format!("The resource you requested does not exist: {resource}"),
            ));
        }
        self.refuse_qualifier(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        )?;
        self.function()
    }

    fn refuse_qualifier(self, text: &str) -> Result<(), Error> {
        match self.name()?.qualifier {
            None => Ok(()),
            Some(_) => Err(invalid(text)),
        }
    }
}
