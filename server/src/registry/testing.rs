//! Shared by tests that need the registry: functions, and a store that can be stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{
    Attached, CodeRef, Configuration, Function, FunctionId, FunctionState, LogFormat, Logging, Sha256,
    Version,
};
use uuid::Uuid;

pub(crate) use crate::testing::Limited;

pub(crate) const ACCOUNT: &str = "000000000000";

pub(crate) fn id(account: &str, region: &str, name: &str) -> Arc<FunctionId> {
    Arc::new(FunctionId { account: account.into(), region: region.into(), name: name.to_owned() })
}

pub(crate) fn function(name: &str) -> Function {
    of(&id(ACCOUNT, "us-east-1", name))
}

pub(crate) fn of(id: &Arc<FunctionId>) -> Function {
    Function {
        id: Arc::clone(id),
        latest: Arc::new(Version::latest(id, configuration(&id.name))),
        state: FunctionState::Pending,
        last_update: None,
        revision_id: Uuid::new_v4(),
        tags: BTreeMap::new(),
        reserved_concurrency: None,
        versions: BTreeMap::new(),
        last_number: 0,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
        attached: Attached::default(),
    }
}

/// A configuration without any optional member.
pub(crate) fn configuration(name: &str) -> Configuration {
    Configuration {
        runtime: "provided.al2023".to_owned(),
        handler: "h".to_owned(),
        role: "arn:aws:iam::000000000000:role/r".to_owned(),
        description: String::new(),
        timeout_s: 3,
        memory_mib: 128,
        ephemeral_mib: 512,
        variables: None,
        code: CodeRef { sha256: Sha256::of(name.as_bytes()), zipped_bytes: 10 },
        layers: Vec::new(),
        architecture: "x86_64".to_owned(),
        tracing_mode: "PassThrough".to_owned(),
        logging: Logging {
            format: LogFormat::Text,
            group: format!("/aws/lambda/{name}"),
            application_level: None,
            system_level: None,
        },
        vpc: None,
        file_systems: Vec::new(),
        image: None,
        durable: None,
        tenant_isolation: None,
        capacity_provider: None,
        dead_letter_arn: None,
        kms_key_arn: None,
        snap_start: "None".to_owned(),
        last_modified_ms: 0,
    }
}
