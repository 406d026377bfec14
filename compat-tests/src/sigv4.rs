//! Signature Version 4 as a client makes it (AWS General Reference, "Signing AWS API requests").

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// Characters that a path segment keeps in the canonical request.
const PATH: &AsciiSet = &QUERY.remove(b'/');
/// The unreserved characters of RFC 3986.
pub const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// An access key, and the region of its requests.
#[derive(Debug, Clone)]
pub struct TestSigner {
    /// The access key id.
    pub key: String,
    /// The secret key.
    pub secret: String,
    /// The region in the credential scope.
    pub region: String,
}

/// The parts of a request that are signed.
#[derive(Debug)]
pub struct SignableRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query as in the request line.
    pub target: &'a str,
    /// The signed headers: lower-case names, sorted, with `host`.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// The time of the signature, `YYYYMMDDTHHMMSSZ`.
    pub time: &'a str,
}

impl TestSigner {
    /// The value of the Authorization header. `subject.headers` must have `x-amz-date`.
    #[must_use]
    pub fn authorization(&self, subject: &SignableRequest<'_>) -> String {
        let (path, query) = subject.target.split_once('?').unwrap_or((subject.target, ""));
        let signature = self.signature(subject, path, query, &hex(&Sha256::digest(subject.body)));
        let scope = self.scope(subject.time);
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.key,
            names(subject.headers)
        )
    }

    /// The request's target with the signature in its query, valid for `expires_s` seconds.
    #[must_use]
    pub fn presigned(&self, subject: &SignableRequest<'_>, expires_s: u32) -> String {
        let (path, query) = subject.target.split_once('?').unwrap_or((subject.target, ""));
        let credential = format!("{}/{}", self.key, self.scope(subject.time));
        let query = format!(
            "{query}{}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={expires_s}\
             &X-Amz-SignedHeaders={}",
            if query.is_empty() { "" } else { "&" },
            utf8_percent_encode(&credential, QUERY),
            subject.time,
            utf8_percent_encode(&names(subject.headers), QUERY)
        );
        let signature = self.signature(subject, path, &query, &hex(&Sha256::digest(subject.body)));
        format!("{path}?{query}&X-Amz-Signature={signature}")
    }

    fn scope(&self, time: &str) -> String {
        format!("{}/{}/lambda/aws4_request", &time[..8], self.region)
    }

    fn signature(&self, subject: &SignableRequest<'_>, path: &str, query: &str, body_hash: &str) -> String {
        let mut pairs: Vec<_> = query.split('&').filter(|p| !p.is_empty()).collect();
        pairs.sort_unstable();
        let pairs: Vec<_> =
            pairs.iter().map(|p| if p.contains('=') { (*p).to_owned() } else { format!("{p}=") }).collect();
        let fields = subject.headers.iter().fold(String::new(), |mut all, (name, value)| {
            let _ = writeln!(all, "{name}:{}", value.trim());
            all
        });
        let canonical = format!(
            "{}\n{}\n{}\n{fields}\n{}\n{body_hash}",
            subject.method,
            utf8_percent_encode(path, PATH),
            pairs.join("&"),
            names(subject.headers)
        );
        let scope = self.scope(subject.time);
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{}", subject.time, hex(&Sha256::digest(canonical)));
        let start = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(start, |key, part| mac(&key, part.as_bytes()));
        hex(&mac(&key, text.as_bytes()))
    }
}

/// The current time, moved by `skew_s` seconds, in the form of signatures.
#[must_use]
pub fn time(skew_s: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(skew_s);
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Encodes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn names(headers: &[(String, String)]) -> String {
    headers.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(";")
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "20150830T123600Z";

    fn signer() -> TestSigner {
        TestSigner {
            key: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    /// The expected values are from botocore 1.43.11 with its clock stopped.
    #[test]
    fn signs_as_botocore_does() {
        let target = "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=%24LATEST&A=b";
        let headers = [header("host", "127.0.0.1:3001"), header("x-amz-date", TIME)];
        let subject =
            SignableRequest { method: "POST", target, headers: &headers, body: b"{\"a\": 1}", time: TIME };
        assert_eq!(
            signer().authorization(&subject),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lambda/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=f67412a132c82e3a6f6065e21f39eb3ce23630aef95c9da23501c31079782e34"
        );
    }

    #[test]
    fn presigns_as_botocore_does() {
        let headers = [header("host", "127.0.0.1:3001")];
        let target = "/2015-03-31/functions?MaxItems=1";
        let subject = SignableRequest { method: "GET", target, headers: &headers, body: b"", time: TIME };
        assert_eq!(
            signer().presigned(&subject, 60),
            "/2015-03-31/functions?MaxItems=1&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Flambda%2Faws4_request\
             &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=ab6b0c0fbaa18facf3b70a5fc3ac46063e6920f40ef9ab8985e408b641431bf5"
        );
    }
}
