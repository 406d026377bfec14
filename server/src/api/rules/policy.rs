//! Resource policies as the API spells them [fact:policy-texts].

use lambd_model::{LATEST, Place, Principal, Statement};
use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};

use super::errors;
use super::target_function::TargetFunction;
use crate::app::App;

/// A policy may have so many bytes [fact:policy-size].
pub(in crate::api) const BYTES_MAX: usize = 20_480;

/// The policy of what a target names, as text, and its revision; 404 without one.
pub(in crate::api) fn of(
    app: &App,
    place: &Place,
    target: &TargetFunction,
) -> Result<(String, Option<String>), Error> {
    let qualifier = target.qualifier.as_deref().unwrap_or(LATEST);
    let function = app.registry.get(&target.id);
    let found = function.and_then(|function| {
        let statements = function.policies.get(qualifier)?;
        let text = document(&resource(place, &target.id.name, qualifier), &**statements);
        Some((text, function.revision(qualifier).map(|revision| revision.to_string())))
    });
    found.ok_or_else(errors::no_resource)
}

/// The ARN that the policy of a qualifier is about.
pub(in crate::api) fn resource(place: &Place, name: &str, qualifier: &str) -> String {
    place.qualified_arn(name, Some(qualifier).filter(|qualifier| *qualifier != LATEST))
}

/// One statement about what has this ARN, its members as AWS spells them.
pub(in crate::api) fn statement(resource: &str, statement: &Statement) -> Value {
    let principal = match &statement.principal {
        Principal::Anyone => json!("*"),
        Principal::Service(service) => json!({ "Service": service }),
        Principal::Aws(arn) => json!({ "AWS": arn }),
    };
    let mut spelled = json!({
        "Sid": statement.sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": statement.action,
        "Resource": resource,
    });
    if !statement.conditions.is_empty()
        && let Some(members) = spelled.as_object_mut()
    {
        members.insert("Condition".to_owned(), json!(statement.conditions));
    }
    spelled
}

/// The whole policy as text.
pub(in crate::api) fn document<'a>(
    resource: &str,
    statements: impl IntoIterator<Item = &'a Statement>,
) -> String {
    let statements: Vec<_> = statements.into_iter().map(|one| statement(resource, one)).collect();
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
}

pub(in crate::api) fn statement_exists(sid: &str) -> Error {
    Error::new(
        ErrorCode::ResourceConflictException,
        format!(
            "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the \
             existing statement."
        ),
    )
}

pub(in crate::api) fn statement_missing(sid: &str) -> Error {
    Error::new(
        ErrorCode::ResourceNotFoundException,
        format!("Statement {sid} is not found in resource policy."),
    )
}

pub(in crate::api) fn none() -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, "No policy is associated with the given resource.")
}

pub(in crate::api) fn too_long(bytes: usize) -> Error {
    Error::new(
        ErrorCode::PolicyLengthExceededException,
        format!("The final policy size ({bytes}) is bigger than the limit ({BYTES_MAX})."),
    )
}
