//! What an operation is about, found before its handler runs.

use std::sync::Arc;

use lambd_model::{Function, Place};
use lambd_wire::{Error, ErrorCode, types};

use super::Call;
use super::rules::present;
use super::rules::target::{Target, invalid};
use crate::app::App;

/// A function that exists, and how the request named it.
#[derive(Debug, Clone)]
pub(in crate::api) struct Found {
    /// Name and qualifier.
    pub(in crate::api) target: Target,
    /// Its snapshot when the request came.
    pub(in crate::api) function: Arc<Function>,
}

impl Found {
    /// As the API shows it to who asked in this way.
    pub(in crate::api) fn present(&self, app: &App, call: &Call) -> types::FunctionConfiguration {
        present::configuration(app, &self.function, &call.place, self.target.qualifier.as_deref())
    }
}

/// A name, whether there is such a function or not.
pub(super) fn name(
    _app: &App,
    place: &Place,
    name: Option<&str>,
    qualifier: Option<&str>,
) -> Result<Target, Error> {
    Target::parse(place, name, qualifier)
}

/// A function. One that is missing is called as the caller called it.
pub(super) fn function(
    app: &App,
    place: &Place,
    name: Option<&str>,
    qualifier: Option<&str>,
) -> Result<Found, Error> {
    let target = Target::parse(place, name, qualifier)?;
    let function = target.find(app, place)?;
    Ok(Found { target, function })
}

/// A version of a function. One that is missing is called by its qualifier, `$LATEST` where none was given.
pub(super) fn version(
    app: &App,
    place: &Place,
    name: Option<&str>,
    qualifier: Option<&str>,
) -> Result<Found, Error> {
    let target = Target::parse(place, name, qualifier)?;
    let function = target.find_latest(app, place)?;
    Ok(Found { target, function })
}

/// A function as a whole: a version or an alias is refused.
pub(super) fn unqualified(
    app: &App,
    place: &Place,
    name: Option<&str>,
    qualifier: Option<&str>,
) -> Result<Found, Error> {
    let target = Target::parse(place, name, qualifier)?;
    if target.qualifier.is_some() {
        return Err(invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
             operation. Please specify either a function name or an unqualified function ARN.",
        ));
    }
    let function = target.find_latest(app, place)?;
    Ok(Found { target, function })
}

/// The function that a resource ARN names; other kinds of resource are not here.
pub(super) fn tagged(
    app: &App,
    place: &Place,
    resource: Option<&str>,
    _qualifier: Option<&str>,
) -> Result<Found, Error> {
    let resource = resource.unwrap_or_default();
    if !resource.contains(":function:") {
        return Err(Error::new(
            ErrorCode::ResourceNotFoundException,
            format!("The resource you requested does not exist: {resource}"),
        ));
    }
    let target = Target::parse(place, Some(resource), None)?;
    if target.qualifier.is_some() {
        return Err(invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    let function = target.find(app, place)?;
    Ok(Found { target, function })
}
