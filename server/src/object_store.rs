//! Objects of an S3-compatible server: where CreateFunction and others find code that is not in the request.
//!
//! Only reads, one whole object at a time, by path-style addresses that are presigned. Plain HTTP only: the server is
//! on this machine or in its network.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambd_auth::{Credentials, SignedService, Signer};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long one object may take, connection included.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long an address works, in seconds; it is used at once.
const EXPIRES_S: u32 = 300;
/// Most bytes of a refusal.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// Objects that are in memory at the same time; any further one waits.
const OBJECTS_MAX: usize = 2;
/// Most characters of S3's code and of its text that are repeated.
const TEXT_CHARS_MAX: usize = 500;
/// What stays as it is in a path: S3 signs `/` as itself.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// What stays as it is in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An object, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// `S3Bucket`.
    pub bucket: String,
    /// `S3Key`.
    pub key: String,
    /// `S3ObjectVersion`.
    pub version: Option<String>,
}

/// An object, which counts as in memory for as long as this value lives.
#[derive(Debug)]
pub struct FetchedObject {
    /// All of it.
    pub content: Bytes,
    _place: OwnedSemaphorePermit,
}

/// Why there is no object.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The request was refused, with S3's code and text.
    #[error("{code}: {message}")]
    Refused {
        /// Such as `NoSuchKey`.
        code: String,
        /// For people.
        message: String,
    },
    /// The object is larger than the limit.
    #[error("the object has more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The server could not answer, or not with an object.
    #[error("{endpoint} (setting s3_endpoint) answered {status}: {message}")]
    Unavailable {
        /// The server's address.
        endpoint: String,
        /// Its status.
        status: StatusCode,
        /// S3's text.
        message: String,
    },
    /// It did not arrive in time.
    #[error("{endpoint} did not answer within {} s (setting s3_endpoint)", TIMEOUT.as_secs())]
    TooSlow {
        /// The server's address.
        endpoint: String,
    },
    /// The server cannot be reached, or its answer cannot be read.
    #[error("cannot read from {endpoint} (setting s3_endpoint)")]
    Unreachable {
        /// The server's address.
        endpoint: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The name makes no address.
    #[error("no address")]
    NoAddress(#[from] http::uri::InvalidUri),
}

/// An S3-compatible server.
#[derive(Debug)]
pub struct ObjectStore {
    /// `http://HOST:PORT`, without a slash at its end.
    endpoint: String,
    credentials: Credentials,
    client: Client<HttpConnector, Empty<Bytes>>,
    places: Arc<Semaphore>,
}

impl ObjectStore {
    /// A server at this address, read with these keys.
    pub fn new(endpoint: &str, credentials: Credentials) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let places = Arc::new(Semaphore::new(OBJECTS_MAX));
        Self { endpoint: endpoint.trim_end_matches('/').to_owned(), credentials, client, places }
    }

    /// Reads a whole object of at most `limit_bytes`.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Refused`] is the fault of who named the object, the others are not.
    pub async fn fetch(
        &self,
        region: &str,
        name: &ObjectName,
        limit_bytes: usize,
    ) -> Result<FetchedObject, FetchError> {
        let reading = async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(|closed| self.unreachable(closed.into()))?;
            let address = self.address(region, name, SystemTime::now());
            let content = self.read(address.parse()?, limit_bytes).await?;
            Ok(FetchedObject { content, _place: place })
        };
        match tokio::time::timeout(TIMEOUT, reading).await {
            Ok(read) => read,
            Err(_) => Err(FetchError::TooSlow { endpoint: self.endpoint.clone() }),
        }
    }

    fn address(&self, region: &str, name: &ObjectName, now: SystemTime) -> String {
        let ObjectName { bucket, key, version } = name;
        let mut path = format!("/{}/{}", utf8_percent_encode(bucket, PATH), utf8_percent_encode(key, PATH));
        if let Some(version) = version {
            path.push_str("?versionId=");
            path.extend(utf8_percent_encode(version, QUERY));
        }
        let signer = Signer { credentials: &self.credentials, region, service: SignedService::S3, now };
        signer.presign("GET", &self.endpoint, &path, EXPIRES_S)
    }

    async fn read(&self, address: Uri, limit_bytes: usize) -> Result<Bytes, FetchError> {
        let request = Request::get(address).body(Empty::new()).map_err(|e| self.unreachable(e.into()))?;
        let response = self.client.request(request).await.map_err(|e| self.unreachable(e.into()))?;
        let status = response.status();
        let limit_bytes = if status == StatusCode::OK { limit_bytes } else { REFUSAL_BYTES_MAX };
        let too_large = || FetchError::TooLarge { limit_bytes };
        if response.body().size_hint().lower() > limit_bytes as u64 {
            return Err(too_large());
        }
        let body = Limited::new(response.into_body(), limit_bytes).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => too_large(),
            false => self.unreachable(error),
        })?;
        let body = body.to_bytes();
        if status == StatusCode::OK { Ok(body) } else { Err(self.refused(status, &body)) }
    }

    fn unreachable(&self, source: Box<dyn std::error::Error + Send + Sync>) -> FetchError {
        FetchError::Unreachable { endpoint: self.endpoint.clone(), source }
    }

    /// The error in an answer of S3. A status below 500 that is no redirection is about the request; any other is
    /// about the server.
    fn refused(&self, status: StatusCode, body: &[u8]) -> FetchError {
        let text = String::from_utf8_lossy(body);
        let element = |name: &str| element(&text, name);
        let code = element("Code").unwrap_or_else(|| status.as_str().to_owned());
        let message =
            element("Message").unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
        match status.is_client_error() {
            true => FetchError::Refused { code, message },
            false => FetchError::Unavailable { endpoint: self.endpoint.clone(), status, message },
        }
    }
}

/// The text of an XML element, cut to what an answer should repeat.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescaped(value).chars().take(TEXT_CHARS_MAX).collect())
}

/// The text of an element, which some servers put into a CDATA section.
fn unescaped(text: &str) -> String {
    if let Some(text) = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")) {
        return text.to_owned();
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::Router;
    use axum::extract::RawQuery;
    use axum::http::Uri;
    use axum::response::IntoResponse as _;
    use lambd_auth::Secret;

    use super::*;

    const NO_KEY: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The specified key does not \
                          exist.</Message><Key>none</Key></Error>";

    fn store(endpoint: &str) -> ObjectStore {
        let secret_access_key = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
        ObjectStore::new(endpoint, Credentials { access_key_id, secret_access_key })
    }

    fn name(key: &str) -> ObjectName {
        ObjectName { bucket: "bucket".to_owned(), key: key.to_owned(), version: None }
    }

    /// A server with one object of ten bytes; it keeps the addresses that were asked for.
    async fn serve() -> (String, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let answer = move |uri: Uri, RawQuery(query): RawQuery| async move {
            keep.lock().unwrap().push(format!("{}?{}", uri.path(), query.unwrap_or_default()));
            match uri.path() {
                "/bucket/a%20key/%C3%A4" => "ten bytes!".into_response(),
                _ => (StatusCode::NOT_FOUND, NO_KEY).into_response(),
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        (endpoint, seen)
    }

    #[tokio::test]
    async fn an_object_is_read_by_a_signed_address() {
        let (endpoint, seen) = serve().await;
        let store = store(&endpoint);
        let fetched = store.fetch("us-east-1", &name("a key/ä"), 10).await.unwrap();
        assert_eq!(fetched.content, "ten bytes!");
        assert_eq!(store.places.available_permits(), OBJECTS_MAX - 1, "it counts while it is used");
        drop(fetched);
        let error = store.fetch("us-east-1", &name("a key/ä"), 9).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit_bytes: 9 }), "{error}");
        let versioned = ObjectName { version: Some("v/1".to_owned()), ..name("none") };
        let error = store.fetch("us-east-1", &versioned, 10).await.unwrap_err();
        assert_eq!(error.to_string(), "NoSuchKey: The specified key does not exist.");
        let seen = seen.lock().unwrap().clone();
        assert!(seen[0].contains("X-Amz-Signature="), "{seen:?}");
        assert!(seen[2].starts_with("/bucket/none?versionId=v%2F1&X-Amz-Algorithm="), "{seen:?}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = store(&format!("http://{gone}")).fetch("r", &name("k"), 1).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read from http://{gone} (setting s3_endpoint)"));
    }

    #[test]
    fn an_error_without_xml_is_its_status() {
        let error = store("http://none").refused(StatusCode::FORBIDDEN, b"no");
        assert_eq!(error.to_string(), "403: Forbidden");
        for (message, want) in [("<![CDATA[a & b]]>", "a & b"), ("&quot;a&quot; &amp;lt; b", "\"a\" &lt; b")]
        {
            let body = format!("<Error><Code>NoSuchKey</Code><Message>{message}</Message></Error>");
            let error = store("http://none").refused(StatusCode::NOT_FOUND, body.as_bytes());
            assert_eq!(error.to_string(), format!("NoSuchKey: {want}"));
            let error =
                store("http://none").refused(StatusCode::SERVICE_UNAVAILABLE, b"<Code>SlowDown</Code>");
            assert!(matches!(error, FetchError::Unavailable { .. }), "{error}");
        }
    }
}
