//! Functions of a test: created, waited for, invoked, and deleted when dropped.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::api::{ApiClient, ApiRequest, FUNCTIONS};
use crate::http::HttpResponse;
use crate::package;
use crate::programs;
use crate::wait::until;

/// Any role of the right form is accepted, because nothing assumes it.
pub const ROLE: &str = "arn:aws:iam::000000000000:role/test";

/// The members of a CreateFunction request.
#[derive(Debug, Clone)]
pub struct FunctionSpec(Map<String, Value>);

impl FunctionSpec {
    /// A function of this runtime, handler and package, with a unique name.
    #[must_use]
    pub fn new(runtime: &str, handler: &str, package: &[u8]) -> Self {
        let mut members = Map::new();
        members.insert("FunctionName".to_owned(), format!("t-{}", uuid::Uuid::new_v4().simple()).into());
        members.insert("Runtime".to_owned(), runtime.into());
        members.insert("Handler".to_owned(), handler.into());
        members.insert("Role".to_owned(), ROLE.into());
        members.insert("Code".to_owned(), json!({ "ZipFile": STANDARD.encode(package) }));
        Self(members)
    }

    /// A function with the static bootstrap.
    ///
    /// # Errors
    /// Those of [`programs::bootstrap`].
    pub fn bootstrap() -> Result<Self> {
        Ok(Self::new("provided.al2023", "any", &programs::bootstrap_package()?))
    }

    /// A function with the Python probe.
    #[must_use]
    pub fn probe() -> Self {
        Self::new("python3.11", "probe.handler", &package::files(&[("probe.py", programs::PROBE)]))
    }

    /// Sets this member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.insert(member.to_owned(), value.into());
        self
    }

    /// Sets these environment variables.
    #[must_use]
    pub fn variables(self, variables: &Value) -> Self {
        self.with("Environment", json!({ "Variables": variables }))
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.get("FunctionName").and_then(Value::as_str).unwrap_or_default()
    }

    /// Sends the request.
    ///
    /// # Errors
    /// If the exchange fails.
    pub fn send(&self, api: &ApiClient) -> Result<HttpResponse> {
        api.call("POST", FUNCTIONS, Some(&Value::Object(self.0.clone())))
    }

    /// Creates the function and waits until it is active.
    ///
    /// # Errors
    /// If it is refused or does not become active.
    pub fn create(&self, api: &ApiClient) -> Result<TestFunction> {
        let answer = self.send(api)?;
        ensure!(answer.status == 201, "CreateFunction: {} {}", answer.status, answer.text());
        let function = TestFunction { name: self.name().to_owned(), api: api.clone() };
        function.wait("State", "Active")?;
        Ok(function)
    }
}

/// An answer to Invoke.
#[derive(Debug)]
pub struct InvokeResponse {
    /// The whole HTTP answer.
    pub answer: HttpResponse,
}

impl InvokeResponse {
    /// The payload of a successful invocation.
    ///
    /// # Errors
    /// If it failed, or the payload is not JSON.
    pub fn ok(&self) -> Result<Value> {
        let answer = &self.answer;
        let error = answer.header("x-amz-function-error");
        ensure!(answer.status == 200 && error.is_none(), "{} {error:?} {}", answer.status, answer.text());
        answer.json()
    }

    /// `errorType` and `errorMessage` of an invocation whose function failed.
    ///
    /// # Errors
    /// If it did not fail in this way.
    pub fn failure(&self) -> Result<(String, String)> {
        let error = self.answer.header("x-amz-function-error");
        ensure!(
            self.answer.status == 200 && error == Some("Unhandled"),
            "{:?} {}",
            error,
            self.answer.text()
        );
        let payload = self.answer.json()?;
        let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok((text("errorType"), text("errorMessage")))
    }

    /// The request id.
    ///
    /// # Errors
    /// If the header is missing.
    pub fn id(&self) -> Result<&str> {
        self.answer.header("x-amzn-requestid").context("no x-amzn-RequestId")
    }

    /// The decoded log tail.
    ///
    /// # Errors
    /// If the header is missing, or is not base64 of UTF-8.
    pub fn tail(&self) -> Result<String> {
        let encoded = self.answer.header("x-amz-log-result").context("no X-Amz-Log-Result")?;
        Ok(String::from_utf8(STANDARD.decode(encoded)?)?)
    }
}

/// A function that exists until it is dropped.
#[derive(Debug)]
pub struct TestFunction {
    /// The function's name.
    pub name: String,
    api: ApiClient,
}

impl TestFunction {
    /// Makes the request of one synchronous invocation.
    #[must_use]
    pub fn request(&self, event: impl Into<Vec<u8>>) -> ApiRequest {
        ApiRequest::new("POST", &format!("{}/invocations", self.path())).body(event)
    }

    /// Invokes the function with this event.
    ///
    /// # Errors
    /// If the exchange fails.
    pub fn invoke(&self, event: &Value) -> Result<InvokeResponse> {
        self.send(&self.request(event.to_string()))
    }

    /// Invokes the function and requests the log tail.
    ///
    /// # Errors
    /// If the exchange fails.
    pub fn invoke_with_tail(&self, event: &Value) -> Result<InvokeResponse> {
        self.send(&self.request(event.to_string()).header("x-amz-log-type", "Tail"))
    }

    /// Sends a request of [`TestFunction::request`], which the test may have changed.
    ///
    /// # Errors
    /// If the exchange fails.
    pub fn send(&self, request: &ApiRequest) -> Result<InvokeResponse> {
        Ok(InvokeResponse { answer: self.api.send(request)? })
    }

    /// The function's path in the API.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{FUNCTIONS}/{}", self.name)
    }

    /// The current configuration.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn configuration(&self) -> Result<Value> {
        let answer = self.api.call("GET", &format!("{}/configuration", self.path()), None)?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        answer.json()
    }

    /// Waits until `member` of the configuration has this value.
    ///
    /// # Errors
    /// If it becomes `Failed`, or does not change in time.
    pub fn wait(&self, member: &str, value: &str) -> Result<()> {
        until(&format!("{member} of {} is {value}", self.name), || {
            let configuration = self.configuration()?;
            let now = configuration.get(member).and_then(Value::as_str).unwrap_or_default();
            ensure!(now != "Failed", "{configuration}");
            Ok((now == value).then_some(()))
        })
    }

    /// Sets reserved concurrency.
    ///
    /// # Errors
    /// If it is refused.
    pub fn reserve(&self, executions: u32) -> Result<()> {
        let target = format!("/2017-10-31/functions/{}/concurrency", self.name);
        let answer =
            self.api.call("PUT", &target, Some(&json!({ "ReservedConcurrentExecutions": executions })))?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        Ok(())
    }
}

impl Drop for TestFunction {
    fn drop(&mut self) {
        // Errors are ignored: the test has ended, and the function or the server may be gone.
        let _ = self.api.call("DELETE", &self.path(), None);
    }
}
