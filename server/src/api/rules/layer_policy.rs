//! Policies of layers, as the API spells them, and their errors [fact:layer-texts].

use std::collections::BTreeMap;

use lambd_model::{DIRECT_CALL, Principal, Statement};
use lambd_wire::{Error, ErrorCode};
use uuid::Uuid;

use super::layers::{self, LayerName};
use super::policy;
use crate::app::App;
use crate::resources::{Layer, LayerPermission, LayerVersion};

/// The one action that a permission is about.
const ACTION: &str = "lambda:GetLayerVersion";

/// A permission as a statement, whose rules and spelling are those of functions.
pub(in crate::api) fn statement(permission: &LayerPermission) -> Statement {
    let LayerPermission { sid, principal, organization } = permission.clone();
    let organization = organization.map(|id| {
        let condition = BTreeMap::from([("aws:PrincipalOrgID".to_owned(), id)]);
        ("StringEquals".to_owned(), condition)
    });
    Statement {
        sid,
        action: ACTION.to_owned(),
        principal: Principal::parse(&principal).unwrap_or(Principal::Aws(principal)),
        conditions: organization.into_iter().collect(),
    }
}

/// Whether a policy lets the identities of an account use the version.
pub(in crate::api) fn allows(policy: &[LayerPermission], account: &str) -> bool {
    policy.iter().any(|permission| statement(permission).allows(account, ACTION, DIRECT_CALL))
}

/// The policy of the version with this ARN, as text.
pub(in crate::api) fn document(arn: &str, permissions: &[LayerPermission]) -> String {
    policy::document(arn, &permissions.iter().map(statement).collect::<Vec<_>>())
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
