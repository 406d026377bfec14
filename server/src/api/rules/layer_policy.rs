//! Policies of layers, as the API spells them, and their errors [fact:layer-texts].

use lambd_wire::{Error, ErrorCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::layers::{self, LayerName};
use super::policy;
use crate::app::App;
use crate::resources::{Layer, LayerPermission, LayerVersion};

/// One statement about the version with this ARN, its members as AWS spells them.
pub(in crate::api) fn statement(arn: &str, permission: &LayerPermission) -> Value {
    let principal = match permission.principal.as_str() {
        "*" => json!("*"),
        account if lambd_model::arn::is_account(account) => {
            json!({ "AWS": format!("arn:aws:iam::{account}:root") })
        }
        arn => json!({ "AWS": arn }),
    };
    let mut spelled = json!({
        "Sid": permission.sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    });
    if let (Some(organization), Some(members)) = (&permission.organization, spelled.as_object_mut()) {
        let condition = json!({ "StringEquals": { "aws:PrincipalOrgID": organization } });
        members.insert("Condition".to_owned(), condition);
    }
    spelled
}

/// The whole policy as the text that GetLayerVersionPolicy gives.
pub(in crate::api) fn document(arn: &str, permissions: &[LayerPermission]) -> String {
    let statements: Vec<_> = permissions.iter().map(|one| statement(arn, one)).collect();
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
}

/// Changes the policy of a version, under a new revision, which it returns.
pub(in crate::api) async fn change(
    app: &App,
    layer: LayerName,
    number: u64,
    revision: Option<String>,
    change: impl FnOnce(&mut LayerVersion) -> Result<(), Error> + Send + 'static,
) -> Result<Uuid, Error> {
    let (id, arn) = (layer.owner.resource(layer.name.as_str()), layer.version_arn(number));
    let new_revision = Uuid::new_v4();
    let replace = move |before: Option<&Layer>| {
        let mut layer = before.cloned().unwrap_or_default();
        let version = layer.versions.get_mut(&number).ok_or_else(|| layers::version_missing(&arn))?;
        if revision.is_some_and(|revision| revision != version.policy_revision.to_string()) {
            return Err(stale());
        }
        change(version)?;
        version.policy_revision = new_revision;
        let bytes = document(&arn, &version.policy).len();
        if bytes > policy::BYTES_MAX {
            return Err(policy::too_long(bytes));
        }
        Ok(Some(layer))
    };
    app.resources.layers.change::<Error, _>(id, replace).await?;
    Ok(new_revision)
}

fn stale() -> Error {
    Error::new(
        ErrorCode::PreconditionFailedException,
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve \
         the latest Revision Id",
    )
}
