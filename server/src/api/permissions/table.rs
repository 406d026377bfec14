//! For each operation the action of IAM that it needs, and the kind of resource that it is asked for
//! [fact:action-names].

use lambd_wire::Operation;

/// What the resource of an operation is, in the ARNs of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The action has no resource: `*`.
    Any,
    /// A function, whatever version of it is named.
    Function,
    /// A function, with the qualifier if one is named.
    Qualified,
    /// The resource whose ARN the request has.
    Arn,
    /// A layer.
    Layer,
    /// A version of a layer.
    LayerVersion,
    /// An event source mapping; one that shall be created is `*`.
    Mapping,
    /// A capacity provider.
    CapacityProvider,
}

/// The action's name after `lambda:`, and its kind of resource. The match has every operation.
pub(super) const fn permission(operation: Operation) -> (&'static str, Kind) {
    (action(operation), kind(operation))
}

/// Actions are called as their operations, but for three.
const fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Invoke | Operation::InvokeWithResponseStream => "InvokeFunction",
        Operation::GetLayerVersionByArn => "GetLayerVersion",
        other => other.name(),
    }
}

#[rustfmt::skip]
const fn kind(operation: Operation) -> Kind {
    use Operation::*;
    match operation {
        CreateCodeSigningConfig | GetAccountSettings | ListCapacityProviders
        | ListCodeSigningConfigs | ListEventSourceMappings | ListFunctions | ListLayers | ListLayerVersions => Kind::Any,
        CreateAlias | CreateFunction | DeleteAlias | DeleteFunctionCodeSigningConfig
        | DeleteFunctionConcurrency | GetAlias | GetFunctionCodeSigningConfig | GetFunctionConcurrency
        | GetFunctionRecursionConfig | InvokeAsync | ListAliases | ListFunctionEventInvokeConfigs
        | ListFunctionUrlConfigs | ListProvisionedConcurrencyConfigs | ListVersionsByFunction
        | PublishVersion | PutFunctionCodeSigningConfig | PutFunctionConcurrency | PutFunctionRecursionConfig
        | UpdateAlias | UpdateFunctionCode | UpdateFunctionConfiguration => Kind::Function,
        AddPermission | CreateFunctionUrlConfig | DeleteFunction | DeleteFunctionEventInvokeConfig
        | DeleteFunctionUrlConfig | DeleteProvisionedConcurrencyConfig | GetFunction
        | GetFunctionConfiguration | GetFunctionEventInvokeConfig | GetFunctionScalingConfig
        | GetFunctionUrlConfig | GetPolicy | GetProvisionedConcurrencyConfig | GetRuntimeManagementConfig
        | Invoke | InvokeWithResponseStream | ListDurableExecutionsByFunction | PutFunctionEventInvokeConfig
        | PutFunctionScalingConfig | PutProvisionedConcurrencyConfig | PutRuntimeManagementConfig
        | RemovePermission | UpdateFunctionEventInvokeConfig | UpdateFunctionUrlConfig => Kind::Qualified,
        CheckpointDurableExecution | DeleteCodeSigningConfig | DeleteDurableExecution | DeleteResourcePolicy
        | GetCodeSigningConfig | GetDurableExecution | GetDurableExecutionHistory | GetDurableExecutionState
        | GetResourcePolicy | ListFunctionsByCodeSigningConfig | ListTags
        | PauseDurableExecution | PutResourcePolicy | ResumeDurableExecution
        | SendDurableExecutionCallbackFailure | SendDurableExecutionCallbackHeartbeat
        | SendDurableExecutionCallbackSuccess | StopDurableExecution | TagResource | UntagResource
        | UpdateCodeSigningConfig => Kind::Arn,
        PublishLayerVersion => Kind::Layer,
        AddLayerVersionPermission | DeleteLayerVersion | GetLayerVersion | GetLayerVersionByArn | GetLayerVersionPolicy
        | RemoveLayerVersionPermission => Kind::LayerVersion,
        CreateEventSourceMapping | DeleteEventSourceMapping | GetEventSourceMapping | UpdateEventSourceMapping => Kind::Mapping,
        CreateCapacityProvider | DeleteCapacityProvider | GetCapacityProvider
        | ListFunctionVersionsByCapacityProvider | UpdateCapacityProvider => Kind::CapacityProvider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the path calls the subject must fit the kind of resource, so that a new operation cannot get the wrong one.
    #[test]
    fn every_operation_has_the_kind_that_its_path_names() {
        let mut seen = 0;
        for operation in Operation::ALL {
            let uri = operation.uri();
            let label = uri.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
            let kinds: &[Kind] = match label {
                "FunctionName" => &[Kind::Function, Kind::Qualified],
                "LayerName" if uri.contains("{VersionNumber}") => &[Kind::LayerVersion],
                "LayerName" => &[Kind::Layer, Kind::Any],
                "UUID" => &[Kind::Mapping],
                "CapacityProviderName" => &[Kind::CapacityProvider],
                // These are named by the query or the body.
                "" => &[
                    Kind::Any,
                    Kind::Function,
                    Kind::Arn,
                    Kind::CapacityProvider,
                    Kind::LayerVersion,
                    Kind::Mapping,
                ],
                _ => &[Kind::Arn],
            };
            let (action, kind) = permission(operation);
            assert!(kinds.contains(&kind), "{} {uri}: {kind:?}", operation.name());
            let is_renamed = action != operation.name();
            let may_be_renamed = ["Invoke", "InvokeWithResponseStream", "GetLayerVersionByArn"];
            assert_eq!(is_renamed, may_be_renamed.contains(&operation.name()), "{action}");
            seen += 1;
        }
        assert_eq!(seen, 91);
    }
}
