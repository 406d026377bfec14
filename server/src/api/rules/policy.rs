//! Resource policies as the API spells them [fact:policy-texts].

use lambd_model::{LATEST, Place, Principal, Statement};
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
