//! The control plane and Invoke: one table of all operations, and one handler for each that is supported.
//!
//! Invariants: a handler gets the function or resource that the request names, already found, and a decoded
//! and validated input, and the caller may have it done; it returns a typed output or a wire error and knows no
//! HTTP. Handlers do not call
//! each other; what two share is in [`rules`]. The table is exhaustive: a new operation does not compile
//! until it is handled or refused.

mod account;
mod aliases;
mod capacity;
mod concurrency;
mod durable;
mod event_invoke_configs;
mod function_urls;
mod functions;
mod invocations;
mod layers;
mod lookup;
mod mappings;
pub(in crate::api) mod permissions;
mod policies;
mod provisioned_concurrency;
mod recursion;
#[cfg(test)]
mod reference;
mod rules;
mod runtime_management;
mod scaling;
mod signing;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
mod versions;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use lambd_auth::Identity;
use lambd_model::Place;
use lambd_wire::{Error, ErrorCode, Input, Operation, Output, Request};

use crate::app::App;

pub use invocations::invoke::REQUEST_BYTES_MAX as INVOKE_BYTES_MAX;
pub use rules::activation::activate_pending;
pub use rules::settle::settle_resources;

pub(in crate::api) use lookup::{FoundFunction, FoundResource, TaggedResource};

/// The caller and the place of a request, apart from the operation's own input.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller, as verified by the signature.
    pub identity: Identity,
    /// The address from which the request comes, if that is known.
    pub source: Option<IpAddr>,
    /// The account of the caller and the region of the signature.
    pub place: Place,
    /// UUID that is sent back as `x-amzn-RequestId`.
    pub request_id: String,
    /// `X-Amzn-Trace-Id` of the request, if it has one.
    pub trace_id: Option<String>,
    /// Scheme and authority under which the caller reached the server, e.g. `http://127.0.0.1:3001`.
    pub endpoint: String,
    /// The body as it was received. Its memory is counted until the last copy is dropped, so the call keeps
    /// it for as long as anything works on the request.
    #[expect(dead_code, reason = "kept for the count of memory, not read")]
    pub body: Bytes,
}

/// 500 `ServiceException`: nothing was done. The caller does not see the cause; log it.
pub fn service_error(message: &str) -> Error {
    Error::new(ErrorCode::ServiceException, message)
}

/// The answer of one operation. Boxed, so that the compiler handles each operation by itself: one future of all of them
/// takes minutes to compile. Invoke's is not, because it needs no allocation.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Error>> + Send + 'a>>;

/// Handles a request by the table. A `read` runs in the request's own task; so does what is `direct`, without an
/// allocation. A `change` runs in a task of its own, so that a caller that disconnects does not cancel it half-way. After
/// `on` are the kind of subject (a method of [`lookup::Lookup`]) and the members of the input that name it.
/// `also` is a member that policies are asked about and that is no subject to be found first.
/// What is under `none_of` is checked, and not found.
macro_rules! operations {
    (
        ($app:ident, $call:ident, $operation:ident, $request:ident)
        here { $($name:ident => $kind:ident $module:ident::$function:ident $(on $how:ident($($member:ident),+))? $(also $also:ident)?;)* }
        none_of { $($none:ident($id:ident) $text:literal;)* }
        later { $($later:ident),* $(,)? }
    ) => {
        match $operation {
            $(Operation::$name => {
                let input = lambd_wire::input::$name::decode($request)?;
                lambd_wire::validate(&input)?;
                let (subject, qualifier) = operations!(@named input $(, $($member),+)?);
                let also = operations!(@also input $(, $also)?);
                let named = permissions::Named { subject, qualifier, also, labels: $request.labels };
                permissions::check($app, $call, Operation::$name, named)?;
                let subject = operations!(@find $app, $call, input $(, $how($($member),+))?);
                operations!(@$kind $app, $call, $module::$function::handle, input, subject, Operation::$name)
            })*
            $(Operation::$none => {
                let input = lambd_wire::input::$none::decode($request)?;
                lambd_wire::validate(&input)?;
                let named = permissions::Named {
                    subject: None,
                    qualifier: None,
                    also: None,
                    labels: $request.labels,
                };
                permissions::check($app, $call, Operation::$none, named)?;
                Err(none_of($text, input.$id.as_deref()))
            })*
            $(Operation::$later)|* => Err(not_here($operation)),
        }
    };
    (@named $input:ident) => { (None, None) };
    (@named $input:ident, $name:ident) => { ($input.$name.as_deref(), None) };
    (@named $input:ident, $name:ident, $qualifier:ident) => {
        ($input.$name.as_deref(), $input.$qualifier.as_deref())
    };
    (@also $input:ident) => { None };
    (@also $input:ident, $also:ident) => { $input.$also.as_deref() };
    (@find $app:ident, $call:ident, $input:ident) => { () };
    (@find $app:ident, $call:ident, $input:ident, $how:ident($name:ident)) => {
        lookup::Lookup { app: $app, call: $call, name: $input.$name.as_deref(), qualifier: None }.$how()?
    };
    (@find $app:ident, $call:ident, $input:ident, $how:ident($name:ident, $qualifier:ident)) => {
        {
            let (name, qualifier) = ($input.$name.as_deref(), $input.$qualifier.as_deref());
            lookup::Lookup { app: $app, call: $call, name, qualifier }.$how()?
        }
    };
    (@direct $app:ident, $call:ident, $handle:path, $input:ident, $subject:ident, $operation:path) => {
        Ok($handle($app, $call, $subject, $input).await?.encode($operation))
    };
    (@read $app:ident, $call:ident, $handle:path, $input:ident, $subject:ident, $operation:path) => {{
        let answering: Answering<'_> = Box::pin(async move {
            Ok($handle($app, $call, $subject, $input).await?.encode($operation))
        });
        answering.await
    }};
    (@change $app:ident, $call:ident, $handle:path, $input:ident, $subject:ident, $operation:path) => {{
        let (app, call) = (Arc::clone($app), $call.clone());
        separately(Box::pin(async move {
            Ok($handle(&app, &call, $subject, $input).await?.encode($operation))
        })).await
    }};
}

/// Runs a change in a task of its own.
async fn separately(answering: Answering<'static>) -> Result<Response<Bytes>, Error> {
    let task = tokio::spawn(answering);
    task.await.unwrap_or_else(|_| Err(service_error("The change was interrupted.")))
}

/// Handles one request whose route is known.
#[expect(clippy::too_many_lines, reason = "a table with a line for each operation")]
pub async fn handle(
    app: &Arc<App>,
    call: &Call,
    operation: Operation,
    request: &Request<'_>,
) -> Result<Response<Bytes>, Error> {
    operations! {
        (app, call, operation, request)
        here {
            AddLayerVersionPermission => change layers::add_permission;
            AddPermission => change policies::add_permission on name(function_name, qualifier);
            CreateAlias => change aliases::create on version(function_name, function_version);
            CreateCapacityProvider => change capacity::create also capacity_provider_name;
            CreateCodeSigningConfig => change signing::create;
            CreateEventSourceMapping => change mappings::create also function_name;
            CreateFunction => change functions::create on name(function_name);
            CreateFunctionUrlConfig => change function_urls::create on name(function_name, qualifier);
            DeleteAlias => change aliases::delete on function(function_name);
            DeleteCapacityProvider => change capacity::delete on provider(capacity_provider_name);
            DeleteCodeSigningConfig => change signing::delete on code_signing(code_signing_config_arn);
            DeleteEventSourceMapping => change mappings::delete on mapping(uuid);
            DeleteFunction => change functions::delete on name(function_name, qualifier);
            DeleteFunctionCodeSigningConfig => change signing::delete_function_config on function(function_name);
            DeleteFunctionConcurrency => change concurrency::delete on unqualified(function_name);
            DeleteFunctionEventInvokeConfig => change event_invoke_configs::delete on name(function_name, qualifier);
            DeleteFunctionUrlConfig => change function_urls::delete on name(function_name, qualifier);
            DeleteLayerVersion => change layers::delete_version;
            DeleteProvisionedConcurrencyConfig => change provisioned_concurrency::delete on name(function_name, qualifier);
            DeleteResourcePolicy => change policies::delete_resource on policy_owner(resource_arn);
            GetAccountSettings => read account::get_settings;
            GetAlias => read aliases::get on function(function_name);
            GetCapacityProvider => read capacity::get on provider(capacity_provider_name);
            GetCodeSigningConfig => read signing::get on code_signing(code_signing_config_arn);
            GetEventSourceMapping => read mappings::get on mapping(uuid);
            GetFunction => read functions::get on function(function_name, qualifier);
            GetFunctionCodeSigningConfig => read signing::get_function_config on function(function_name);
            GetFunctionConcurrency => read concurrency::get on function(function_name);
            GetFunctionConfiguration => read functions::get_configuration on function(function_name, qualifier);
            GetFunctionEventInvokeConfig => read event_invoke_configs::get on name(function_name, qualifier);
            GetFunctionRecursionConfig => read recursion::get on function(function_name);
            GetFunctionScalingConfig => read scaling::get on function(function_name, qualifier);
            GetFunctionUrlConfig => read function_urls::get on name(function_name, qualifier);
            GetLayerVersion => read layers::get_version;
            GetLayerVersionByArn => read layers::get_version_by_arn also arn;
            GetLayerVersionPolicy => read layers::get_policy;
            GetPolicy => read policies::get on name(function_name, qualifier);
            GetProvisionedConcurrencyConfig => read provisioned_concurrency::get on name(function_name, qualifier);
            GetResourcePolicy => read policies::get_resource on policy_owner(resource_arn);
            GetRuntimeManagementConfig => read runtime_management::get on function(function_name, qualifier);
            Invoke => read invocations::invoke on invoked(function_name, qualifier);
            InvokeWithResponseStream => read invocations::stream on invoked(function_name, qualifier);
            ListAliases => read aliases::list on function(function_name);
            ListCapacityProviders => read capacity::list;
            ListCodeSigningConfigs => read signing::list;
            ListDurableExecutionsByFunction => read durable::list on function(function_name, qualifier);
            ListEventSourceMappings => read mappings::list;
            ListFunctionEventInvokeConfigs => read event_invoke_configs::list on name(function_name);
            ListFunctionUrlConfigs => read function_urls::list on name(function_name);
            ListFunctionVersionsByCapacityProvider => read capacity::list_function_versions on provider(capacity_provider_name);
            ListFunctions => read functions::list;
            ListFunctionsByCodeSigningConfig => read signing::list_functions on code_signing(code_signing_config_arn);
            ListLayerVersions => read layers::list_versions;
            ListLayers => read layers::list;
            ListProvisionedConcurrencyConfigs => read provisioned_concurrency::list on function(function_name);
            ListTags => read tags::list on tagged(resource);
            ListVersionsByFunction => read versions::list on function(function_name);
            PublishLayerVersion => change layers::publish_version;
            PublishVersion => change versions::publish on function(function_name);
            PutFunctionCodeSigningConfig => change signing::put_function_config on name(function_name);
            PutFunctionConcurrency => change concurrency::put on unqualified(function_name);
            PutFunctionEventInvokeConfig => change event_invoke_configs::put on name(function_name, qualifier);
            PutFunctionRecursionConfig => change recursion::put on function(function_name);
            PutFunctionScalingConfig => change scaling::put on function(function_name, qualifier);
            PutProvisionedConcurrencyConfig => change provisioned_concurrency::put on name(function_name, qualifier);
            PutResourcePolicy => change policies::put_resource on policy_owner(resource_arn);
            PutRuntimeManagementConfig => change runtime_management::put on function(function_name, qualifier);
            RemoveLayerVersionPermission => change layers::remove_permission;
            RemovePermission => change policies::remove_permission on name(function_name, qualifier);
            TagResource => change tags::tag on tagged(resource);
            UntagResource => change tags::untag on tagged(resource);
            UpdateAlias => change aliases::update on function(function_name);
            UpdateCapacityProvider => change capacity::update on provider(capacity_provider_name);
            UpdateCodeSigningConfig => change signing::update on code_signing(code_signing_config_arn);
            UpdateEventSourceMapping => change mappings::update on mapping(uuid) also function_name;
            UpdateFunctionCode => change functions::update_code on function(function_name);
            UpdateFunctionConfiguration => change functions::update_configuration on function(function_name);
            UpdateFunctionEventInvokeConfig => change event_invoke_configs::update on name(function_name, qualifier);
            UpdateFunctionUrlConfig => change function_urls::update on name(function_name, qualifier);
        }
        none_of {
            CheckpointDurableExecution(durable_execution_arn) "Durable execution";
            DeleteDurableExecution(durable_execution_arn) "Durable execution";
            GetDurableExecution(durable_execution_arn) "Durable execution";
            GetDurableExecutionHistory(durable_execution_arn) "Durable execution";
            GetDurableExecutionState(durable_execution_arn) "Durable execution";
            PauseDurableExecution(durable_execution_arn) "Durable execution";
            ResumeDurableExecution(durable_execution_arn) "Durable execution";
            SendDurableExecutionCallbackFailure(callback_id) "Callback";
            SendDurableExecutionCallbackHeartbeat(callback_id) "Callback";
            SendDurableExecutionCallbackSuccess(callback_id) "Callback";
            StopDurableExecution(durable_execution_arn) "Durable execution";
        }
        later { InvokeAsync }
    }
}

/// The answer of an operation on a resource of which there is none: the request was checked, and 404 is the truth.
fn none_of(what: &str, id: Option<&str>) -> Error {
    let id = id.unwrap_or_default();
    Error::new(ErrorCode::ResourceNotFoundException, format!("{what} not found: {id}"))
}

/// Refuses an operation of a later release with a text that every client shows. Not 404, which clients take
/// for a missing function.
fn not_here(operation: Operation) -> Error {
    Error::new(
        ErrorCode::UnsupportedOperationException,
        format!("{} is not supported by this release of lambd.", operation.name()),
    )
}
