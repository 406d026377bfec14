//! The API within the test's process: requests pass through the public routes to the handlers. The store is
//! in memory; no sandbox can be started.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambd_auth::{AccessRules, CallerPrincipal, Credentials, Identity, IdentityPolicy, Keyring, SessionKey};
use lambd_model::Place;
use lambd_store::{MemStore, Store};
use serde_json::{Value, json};

use super::{Call, handle};
use crate::app::{App, Parts};
use crate::config::{Config, Settings};
use crate::environment::launch::{EnvironmentStartError, Launch, LaunchFuture};
use crate::packages::fixture;
use crate::runtimes;

/// The account and region of [`Api::call`].
pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";

/// An answer as a client sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The error's code, empty if there is none.
    pub(crate) code: String,
    /// The body; null if it is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a request that must succeed.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {} {}", self.status, self.code, self.body);
        self.body
    }

    /// Status, code and text of a request that must be refused.
    #[track_caller]
    pub(crate) fn refused(self) -> (u16, String, String) {
        assert!(self.status >= 400, "{} {}", self.status, self.body);
        let text = self.body.get("Message").or_else(|| self.body.get("message"));
        (self.status, self.code, text.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// A server without its sockets.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) app: Arc<App>,
    _dir: tempfile::TempDir,
}

impl Api {
    /// An API with `provided.al2023` and `python3.11` installed, as far as the API looks at them.
    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(MemStore::new())).await
    }

    /// An API with this configuration.
    pub(crate) async fn with(config: Config) -> Self {
        Self::compose(config, Arc::new(MemStore::new())).await
    }

    /// An API with this store.
    pub(crate) async fn on(store: Arc<dyn Store>) -> Self {
        Self::compose(Settings::default().into_config(), store).await
    }

    async fn compose(config: Config, store: Arc<dyn Store>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for runtime in ["provided.al2023", "python3.11"] {
            runtimes::testing::pretend(dir.path(), runtime);
        }
        let own = Credentials::generate().unwrap();
        let parts = Parts {
            config,
            store,
            launch: Arc::new(Nowhere),
            keys: Keyring { own, own_account: None, own_policy: None, others: Vec::new() },
            access: AccessRules::default(),
            sessions: SessionKey::new([7; 32]),
            objects: None,
            data_dir: dir.path().to_owned(),
            reached: dir.path().to_owned(),
        };
        Self { app: Arc::new(App::compose(parts).await.unwrap()), _dir: dir }
    }

    /// Sends one request of the server's own account.
    pub(crate) async fn call(&self, method: &str, target: &str, body: Value) -> Answer {
        self.call_as(ACCOUNT, REGION, method, target, body).await
    }

    /// Sends one request of an account in a region.
    pub(crate) async fn call_as(
        &self,
        account: &str,
        region: &str,
        method: &str,
        target: &str,
        body: Value,
    ) -> Answer {
        let principal = CallerPrincipal::user(account, "ann", None);
        self.call_by(principal, region, method, target, body).await
    }

    /// Sends one request of the server's own account by a user with this policy.
    pub(crate) async fn call_with_policy(
        &self,
        policy: &Value,
        method: &str,
        target: &str,
        body: Value,
    ) -> Answer {
        let policy = Arc::new(IdentityPolicy::parse(&policy.to_string()).unwrap());
        self.call_by(CallerPrincipal::user(ACCOUNT, "ann", Some(policy)), REGION, method, target, body).await
    }

    async fn call_by(
        &self,
        principal: CallerPrincipal,
        region: &str,
        method: &str,
        target: &str,
        body: Value,
    ) -> Answer {
        let account = Arc::clone(&principal.account);
        let body = Bytes::from(if body.is_null() { String::new() } else { body.to_string() });
        let (method, headers) = (method.parse::<Method>().unwrap(), HeaderMap::new());
        let call = Call {
            identity: Identity {
                access_key_id: "AKID".into(),
                account: Arc::clone(&account),
                region: region.into(),
                principal: Arc::new(principal),
            },
            source: Some(IpAddr::from([10, 0, 0, 1])),
            place: Place { region: region.into(), account },
            request_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            trace_id: None,
            endpoint: "http://127.0.0.1:3001".to_owned(),
            body: body.clone(),
        };
        let answered = async {
            let route = lambd_wire::route(&method, target)?;
            let query = target.split_once('?').map_or("", |(_, query)| query);
            let request =
                lambd_wire::Request { labels: &route.labels, query, headers: &headers, body: &body };
            let answer = handle(&self.app, &call, route.operation, &request).await?;
            let checked = lambd_wire::check_answer(route.operation, &answer);
            assert_eq!(checked, Ok(()), "{method} {target} is answered as no client expects it");
            Ok(answer)
        };
        // Boxed, so that not every test contains the future of all operations.
        let answered: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(answered);
        let response = answered.await.unwrap_or_else(|error: lambd_wire::Error| error.encode());
        let code = response.headers().get(HeaderName::from_static("x-amzn-errortype"));
        Answer {
            status: response.status().as_u16(),
            code: code.and_then(|code: &HeaderValue| code.to_str().ok()).unwrap_or_default().to_owned(),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
        }
    }

    /// Creates a function and waits until it has settled.
    pub(crate) async fn create(&self, name: &str) -> Value {
        let made = self.call("POST", "/2015-03-31/functions", function(name)).await.ok();
        self.settled(name).await;
        made
    }

    /// Creates a code signing config with this policy, and returns its ARN.
    pub(crate) async fn signing_config(&self, policy: &str) -> String {
        let profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij";
        let request = json!({
            "AllowedPublishers": { "SigningProfileVersionArns": [profile] },
            "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": policy },
        });
        let made = self.call("POST", "/2020-04-22/code-signing-configs", request).await.ok();
        made["CodeSigningConfig"]["CodeSigningConfigArn"].as_str().unwrap().to_owned()
    }

    /// Requests an event source mapping of a queue for this function; `more` replaces members.
    pub(crate) async fn mapping(&self, function: &str, more: Value) -> Answer {
        let arn = "arn:aws:sqs:us-east-1:000000000000:q";
        let mut request = json!({ "FunctionName": function, "EventSourceArn": arn });
        for (member, value) in more.as_object().into_iter().flatten() {
            request[member] = value.clone();
        }
        self.call("POST", "/2015-03-31/event-source-mappings/", request).await
    }

    /// Waits until a mapping is enabled or disabled.
    pub(crate) async fn mapping_settled(&self, made: &Value) -> Value {
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        loop {
            let found = self.call("GET", &path, Value::Null).await.ok();
            if found["State"] == "Enabled" || found["State"] == "Disabled" {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }

    /// With one function that has so many published versions, each with code of its own.
    pub(crate) async fn with_versions(name: &str, count: usize) -> Self {
        let api = Self::new().await;
        api.create(name).await;
        for number in 1..=count {
            let code = json!({ "ZipFile": zip(&format!("version {number}")), "Publish": true });
            api.call("PUT", &format!("/2015-03-31/functions/{name}/code"), code).await.ok();
            api.settled(name).await;
        }
        api
    }

    /// An API with a layer of so many versions, none of which says for what it is.
    pub(crate) async fn with_layers(name: &str, versions: u64) -> Self {
        let api = Self::new().await;
        for number in 1..=versions {
            let content = json!({ "Content": { "ZipFile": zip(&format!("{name} {number}")) } });
            api.call("POST", &format!("/2018-10-31/layers/{name}/versions"), content).await.ok();
        }
        api
    }

    /// Waits until nothing of the function is in progress.
    pub(crate) async fn settled(&self, name: &str) {
        let id = Place { region: REGION.into(), account: ACCOUNT.into() }.function(name);
        while self.app.registry.get(&id).unwrap().needs_activation() {
            tokio::task::yield_now().await;
        }
    }
}

/// A launcher that cannot start anything.
#[derive(Debug)]
struct Nowhere;

impl Launch for Nowhere {
    fn launch(&self, _: lambd_sandbox::Spec) -> LaunchFuture<'_> {
        Box::pin(async { Err(EnvironmentStartError::Gone) })
    }
}

/// A valid CreateFunction request.
pub(crate) fn function(name: &str) -> Value {
    json!({
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": "h",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Code": { "ZipFile": zip("one") },
    })
}

/// A package in base64; its content depends on the text.
pub(crate) fn zip(text: &str) -> String {
    STANDARD.encode(fixture::zip(&[fixture::file("bootstrap", text)]))
}
