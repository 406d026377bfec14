//! Resource policies as the API spells them [fact:policy-texts].

use lambd_model::{LATEST, Place, Principal, Statement};
use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};

/// A policy may have so many bytes [fact:policy-size].
pub(in crate::api) const BYTES_MAX: usize = 20_480;

/// One statement, its members as AWS spells them.
pub(in crate::api) fn statement(place: &Place, name: &str, qualifier: &str, statement: &Statement) -> Value {
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
        "Resource": place.qualified_arn(name, Some(qualifier).filter(|qualifier| *qualifier != LATEST)),
    });
    if !statement.conditions.is_empty()
        && let Some(members) = spelled.as_object_mut()
    {
        members.insert("Condition".to_owned(), json!(statement.conditions));
    }
    spelled
}

/// The whole policy as the text that GetPolicy gives.
pub(in crate::api) fn document(
    place: &Place,
    name: &str,
    qualifier: &str,
    statements: &[Statement],
) -> String {
    let statements: Vec<_> = statements.iter().map(|one| statement(place, name, qualifier, one)).collect();
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
