//! Signed requests without an SDK between the test and the connection.

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::Value;

use crate::http::{Connection, HttpResponse};
use crate::sigv4::{self, SignableRequest, TestSigner};

/// Path of functions in the API.
pub const FUNCTIONS: &str = "/2015-03-31/functions";

/// A request before it is signed.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: String,
    /// Path and query, encoded.
    pub target: String,
    /// More headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Offset of the signature's time, in seconds.
    pub skew_s: i64,
}

impl ApiRequest {
    /// Makes a request with an empty body.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, headers: Vec::new(), body: Vec::new(), skew_s: 0 }
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bytes of the request without a signature.
    #[must_use]
    pub fn unsigned(&self, host: SocketAddr) -> Vec<u8> {
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), host.to_string()));
        self.bytes(&headers, None)
    }

    /// The bytes of the request with a signature.
    #[must_use]
    pub fn signed(&self, host: SocketAddr, signer: &TestSigner) -> Vec<u8> {
        let time = sigv4::time(self.skew_s);
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), host.to_string()));
        headers.push(("x-amz-date".to_owned(), time.clone()));
        headers.sort();
        let (method, target) = (self.method.as_str(), self.target.as_str());
        let subject = SignableRequest { method, target, headers: &headers, body: &self.body, time: &time };
        let authorization = signer.authorization(&subject);
        self.bytes(&headers, Some(&authorization))
    }

    fn bytes(&self, headers: &[(String, String)], authorization: Option<&str>) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in headers.iter().map(|(n, v)| (n.as_str(), v.as_str())) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(value) = authorization {
            head.push_str(&format!("authorization: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }
}

/// A server's address and keys for it.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The keys.
    pub signer: TestSigner,
}

impl ApiClient {
    /// Sends a signed request on a connection of its own.
    ///
    /// # Errors
    /// If the exchange fails; an answer of any status is no error.
    pub fn send(&self, request: &ApiRequest) -> Result<HttpResponse> {
        Connection::open(self.address)?.exchange(&request.signed(self.address, &self.signer))
    }

    /// Sends a signed request and leaves the answer in the connection; dropping that disconnects the caller.
    ///
    /// # Errors
    /// If it cannot be sent.
    pub fn begin(&self, request: &ApiRequest) -> Result<Connection> {
        let mut connection = Connection::open(self.address)?;
        connection.send(&request.signed(self.address, &self.signer))?;
        Ok(connection)
    }

    /// Sends a signed JSON request.
    ///
    /// # Errors
    /// Those of [`ApiClient::send`].
    pub fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Result<HttpResponse> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(&ApiRequest::new(method, target).body(body).header("content-type", "application/json"))
    }

    /// Sends a request without a signature.
    ///
    /// # Errors
    /// Those of [`ApiClient::send`].
    pub fn send_unsigned(&self, request: &ApiRequest) -> Result<HttpResponse> {
        Connection::open(self.address)?.exchange(&request.unsigned(self.address))
    }
}
