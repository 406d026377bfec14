//! Resource policies as the API spells them, and the errors of looking one up [fact:policy-texts].

use lambd_model::{Function, LATEST, Place, Principal, Statement};
use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};

use super::target_function::{TargetFunction, not_found};

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

/// Whether the function has what the qualifier names: `$LATEST` is the function as a whole.
pub(in crate::api) fn check_subject(
    function: &Function,
    target: &TargetFunction,
    place: &Place,
) -> Result<(), Error> {
    let qualifier = target.qualifier.as_deref().unwrap_or(LATEST);
    if function.revision(qualifier).is_some() {
        return Ok(());
    }
    // What cannot be the name of an alias is called a function.
    let is_alias = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_number = qualifier.bytes().all(|b| b.is_ascii_digit());
    let arn = target.arn(place);
    if is_number || !is_alias(qualifier) {
        return Err(not_found(&arn));
    }
    Err(Error::new(ErrorCode::ResourceNotFoundException, format!("Cannot find alias arn: {arn}")))
}
