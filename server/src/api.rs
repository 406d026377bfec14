//! The control plane and Invoke: one handler per operation, one exhaustive match.
//!
//! Invariants: a handler gets a decoded, validated input and answers a typed output or a wire error; it knows
//! no HTTP. An operation about which nobody decided does not compile.

mod answer;
mod configure;
mod create_function;
mod delete_function;
mod delete_function_concurrency;
mod get_account_settings;
mod get_function;
mod get_function_code_signing_config;
mod get_function_concurrency;
mod get_function_configuration;
mod invoke;
mod list_functions;
mod list_tags;
mod list_versions_by_function;
mod package;
mod prepare;
mod present;
mod put_function_concurrency;
mod tag_resource;
mod target;
mod untag_resource;
mod update_function_code;
mod update_function_configuration;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use lambd_wire::{Error, ErrorCode, Input, Operation, Output, Request};

use crate::app::App;
use crate::model::Place;

pub use invoke::REQUEST_BYTES_MAX as INVOKE_BYTES_MAX;
pub use prepare::prepare_unsettled;

/// Who calls and where, apart from the operation's own input.
#[derive(Debug, Clone)]
pub struct Call {
    /// Region of the signature and account of the server.
    pub place: Place,
    /// UUID, sent back as `x-amzn-RequestId`.
    pub request_id: String,
    /// `X-Amzn-Trace-Id` of the request, if it had one.
    pub trace_id: Option<String>,
    /// Scheme and authority under which the caller reached the server, e.g. `http://127.0.0.1:3001`.
    pub endpoint: String,
    /// The body as it came, for as long as anything is done with what it says: the memory for bodies is counted
    /// until its last copy is gone.
    pub body: Bytes,
}

/// 500: nothing was done. The cause belongs into the server's log, not to the caller.
pub fn service_error(message: &str) -> Error {
    Error::new(ErrorCode::ServiceException, message)
}

/// Decodes, validates, handles, encodes.
macro_rules! serve {
    ($app:expr, $call:expr, $request:expr, $module:ident, $operation:ident) => {{
        let input = lambd_wire::input::$operation::decode($request)?;
        lambd_wire::validate(&input)?;
        $module::handle($app, $call, input).await.map(|output| output.encode(Operation::$operation))
    }};
}

/// The same for a change: it and what follows from it belong together, so that a caller who hangs up in between
/// must not part them. It runs in a task of its own. `first` is a check whose text comes before the model's own.
macro_rules! change {
    ($app:expr, $call:expr, $request:expr, $module:ident, $operation:ident $(, $first:path)?) => {{
        let input = lambd_wire::input::$operation::decode($request)?;
        $($first(input.environment.as_ref())?;)?
        lambd_wire::validate(&input)?;
        let (app, call) = (Arc::clone($app), $call.clone());
        let task = tokio::spawn(async move { $module::handle(&app, &call, input).await });
        let output = task.await.map_err(|_| service_error("The change was interrupted."))??;
        Ok(output.encode(Operation::$operation))
    }};
}

/// Answers one request whose route is known.
#[expect(clippy::too_many_lines, reason = "one arm an operation, all 91 of them in one match")]
pub async fn handle(
    app: &Arc<App>,
    call: &Call,
    operation: Operation,
    request: &Request<'_>,
) -> Result<Response<Bytes>, Error> {
    use Operation as Op;
    match operation {
        Op::Invoke => serve!(app, call, request, invoke, Invoke),
        Op::CreateFunction => {
            change!(app, call, request, create_function, CreateFunction, configure::no_reserved_names)
        }
        Op::DeleteFunction => change!(app, call, request, delete_function, DeleteFunction),
        Op::DeleteFunctionConcurrency => {
            change!(app, call, request, delete_function_concurrency, DeleteFunctionConcurrency)
        }
        Op::GetAccountSettings => serve!(app, call, request, get_account_settings, GetAccountSettings),
        Op::GetFunction => serve!(app, call, request, get_function, GetFunction),
        Op::GetFunctionCodeSigningConfig => {
            serve!(app, call, request, get_function_code_signing_config, GetFunctionCodeSigningConfig)
        }
        Op::GetFunctionConcurrency => {
            serve!(app, call, request, get_function_concurrency, GetFunctionConcurrency)
        }
        Op::GetFunctionConfiguration => {
            serve!(app, call, request, get_function_configuration, GetFunctionConfiguration)
        }
        Op::ListFunctions => serve!(app, call, request, list_functions, ListFunctions),
        Op::ListTags => serve!(app, call, request, list_tags, ListTags),
        Op::ListVersionsByFunction => {
            serve!(app, call, request, list_versions_by_function, ListVersionsByFunction)
        }
        Op::PutFunctionConcurrency => {
            change!(app, call, request, put_function_concurrency, PutFunctionConcurrency)
        }
        Op::TagResource => change!(app, call, request, tag_resource, TagResource),
        Op::UntagResource => change!(app, call, request, untag_resource, UntagResource),
        Op::UpdateFunctionCode => change!(app, call, request, update_function_code, UpdateFunctionCode),
        Op::UpdateFunctionConfiguration => {
            change!(
                app,
                call,
                request,
                update_function_configuration,
                UpdateFunctionConfiguration,
                configure::no_reserved_names
            )
        }
        later @ (Op::AddLayerVersionPermission
        | Op::AddPermission
        | Op::CheckpointDurableExecution
        | Op::CreateAlias
        | Op::CreateCapacityProvider
        | Op::CreateCodeSigningConfig
        | Op::CreateEventSourceMapping
        | Op::CreateFunctionUrlConfig
        | Op::DeleteAlias
        | Op::DeleteCapacityProvider
        | Op::DeleteCodeSigningConfig
        | Op::DeleteDurableExecution
        | Op::DeleteEventSourceMapping
        | Op::DeleteFunctionCodeSigningConfig
        | Op::DeleteFunctionEventInvokeConfig
        | Op::DeleteFunctionUrlConfig
        | Op::DeleteLayerVersion
        | Op::DeleteProvisionedConcurrencyConfig
        | Op::DeleteResourcePolicy
        | Op::GetAlias
        | Op::GetCapacityProvider
        | Op::GetCodeSigningConfig
        | Op::GetDurableExecution
        | Op::GetDurableExecutionHistory
        | Op::GetDurableExecutionState
        | Op::GetEventSourceMapping
        | Op::GetFunctionEventInvokeConfig
        | Op::GetFunctionRecursionConfig
        | Op::GetFunctionScalingConfig
        | Op::GetFunctionUrlConfig
        | Op::GetLayerVersion
        | Op::GetLayerVersionByArn
        | Op::GetLayerVersionPolicy
        | Op::GetPolicy
        | Op::GetProvisionedConcurrencyConfig
        | Op::GetResourcePolicy
        | Op::GetRuntimeManagementConfig
        | Op::InvokeAsync
        | Op::InvokeWithResponseStream
        | Op::ListAliases
        | Op::ListCapacityProviders
        | Op::ListCodeSigningConfigs
        | Op::ListDurableExecutionsByFunction
        | Op::ListEventSourceMappings
        | Op::ListFunctionEventInvokeConfigs
        | Op::ListFunctionUrlConfigs
        | Op::ListFunctionVersionsByCapacityProvider
        | Op::ListFunctionsByCodeSigningConfig
        | Op::ListLayerVersions
        | Op::ListLayers
        | Op::ListProvisionedConcurrencyConfigs
        | Op::PauseDurableExecution
        | Op::PublishLayerVersion
        | Op::PublishVersion
        | Op::PutFunctionCodeSigningConfig
        | Op::PutFunctionEventInvokeConfig
        | Op::PutFunctionRecursionConfig
        | Op::PutFunctionScalingConfig
        | Op::PutProvisionedConcurrencyConfig
        | Op::PutResourcePolicy
        | Op::PutRuntimeManagementConfig
        | Op::RemoveLayerVersionPermission
        | Op::RemovePermission
        | Op::ResumeDurableExecution
        | Op::SendDurableExecutionCallbackFailure
        | Op::SendDurableExecutionCallbackHeartbeat
        | Op::SendDurableExecutionCallbackSuccess
        | Op::StopDurableExecution
        | Op::UpdateAlias
        | Op::UpdateCapacityProvider
        | Op::UpdateCodeSigningConfig
        | Op::UpdateEventSourceMapping
        | Op::UpdateFunctionEventInvokeConfig
        | Op::UpdateFunctionUrlConfig) => Err(not_here(later)),
    }
}

/// An operation of a later release: a clear refusal that every client reports as it is. Not 404, which clients
/// take for a missing function.
fn not_here(operation: Operation) -> Error {
    Error::new(
        ErrorCode::UnsupportedOperationException,
        format!("{} is not supported by this release of lambd.", operation.name()),
    )
}
