//! Finds the operation and the URI's labels for a request line.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::generated::{Operation, RESOURCES};
use crate::{Error, ErrorCode};

/// Most labels that any URI template has.
const MAX_LABELS: usize = 3;
/// Most segments of any URI template after the API version.
const MAX_SEGMENTS: usize = 6;

/// The labels of a request, percent-decoded, in the order of the template; unused places are empty.
pub type Labels<'a> = [Cow<'a, str>; MAX_LABELS];

/// A path that one or more operations have.
pub(crate) struct Resource {
    /// The segments after the API version: literals, or `None` for a label.
    pub(crate) segments: &'static [Option<&'static str>],
    /// Method, the query that the operation requires, and the operation.
    pub(crate) methods: &'static [(&'static str, Option<&'static str>, Operation)],
}

/// The operation of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// The operation.
    pub operation: Operation,
    /// The labels of the URI.
    pub labels: Labels<'a>,
}

/// Why a request has no route; converts to the [`Error`] of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No operation has such a path.
    #[error("no operation has this path")]
    NotFound,
    /// Operations have this path, but with another method.
    #[error("no operation has this method and path")]
    MethodNotAllowed,
    /// A label is not percent-encoded UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    BadEncoding,
}

impl From<RouteError> for Error {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::NotFound => Self::new(
                ErrorCode::UnknownOperationException,
                "Unknown operation: no operation has this path.",
            ),
            RouteError::MethodNotAllowed => Self::new(
                ErrorCode::MethodNotAllowedException,
                "The path has no operation with this HTTP method.",
            ),
            RouteError::BadEncoding => Self::serialization("The path is not percent-encoded UTF-8."),
        }
    }
}

/// Finds the operation of a request. `target` is the raw path, with the query if there is one, because two
/// operations differ from others by their query (`?find=LayerVersion`, `?List=ALL`).
///
/// A trailing slash is accepted, because older SDKs send one. Colons may be raw or encoded.
///
/// # Errors
/// See [`RouteError`]; each becomes a 4xx.
pub fn route<'a>(method: &Method, target: &'a str) -> Result<Route<'a>, RouteError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix('/').ok_or(RouteError::NotFound)?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (version, rest) = path.split_once('/').ok_or(RouteError::NotFound)?;
    let mut segments = [""; MAX_SEGMENTS];
    let mut count = 0;
    for segment in rest.split('/') {
        *segments.get_mut(count).ok_or(RouteError::NotFound)? = segment;
        count += 1;
    }
    let segments = segments.get(..count).unwrap_or_default();
    let (_, resources) = RESOURCES.iter().find(|(name, _)| *name == version).ok_or(RouteError::NotFound)?;
    let resource = resources.iter().find(|resource| fits(resource, segments)).ok_or(RouteError::NotFound)?;
    let asked =
        |literal: Option<&str>| literal.is_none_or(|literal| query.split('&').any(|pair| pair == literal));
    let mut methods = resource.methods.iter();
    let found = methods.find(|(name, literal, _)| *name == method.as_str() && asked(*literal));
    let operation = found.ok_or(RouteError::MethodNotAllowed)?.2;
    Ok(Route { operation, labels: labels(resource, segments)? })
}

fn fits(resource: &Resource, segments: &[&str]) -> bool {
    let same = |(wanted, given): (&Option<&str>, &&str)| match wanted {
        Some(literal) => literal == given,
        None => !given.is_empty(),
    };
    resource.segments.len() == segments.len() && resource.segments.iter().zip(segments).all(same)
}

fn labels<'a>(resource: &Resource, segments: &[&'a str]) -> Result<Labels<'a>, RouteError> {
    let mut labels = Labels::default();
    let given = resource.segments.iter().zip(segments).filter(|(wanted, _)| wanted.is_none());
    for (label, (_, given)) in labels.iter_mut().zip(given) {
        *label = percent_decode_str(given).decode_utf8().map_err(|_| RouteError::BadEncoding)?;
    }
    Ok(labels)
}
