//! Requests that official clients signed, our own signatures, and every refusal with its text.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::request::Parts;
use http::{HeaderMap, Request};
use sha2::{Digest, Sha256};

use super::*;

mod sessions;

/// The time of every vector: 20261123T191221Z.
const NOW_S: u64 = 1_795_461_141;
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/lambda/aws4_request, \
                    SignedHeaders=host;x-amz-date, Signature=00";

/// One line of `testdata/requests.jsonl`: a request as an official client signed and sent it.
#[derive(serde::Deserialize)]
struct Vector {
    client: String,
    method: String,
    target: String,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    region: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        let lines = include_str!("testdata/requests.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn head(&self) -> Parts {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn body(&self) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&self.body[at..at + 2], 16).unwrap();
        (0..self.body.len()).step_by(2).map(byte).collect()
    }
}

const ACCOUNT: &str = "000000000000";

fn credentials() -> Credentials {
    Credentials { access_key_id: KEY.into(), secret_access_key: Secret::new(SECRET) }
}

fn key(credentials: Credentials, account: &str) -> AccountKey {
    AccountKey { credentials, account: account.to_owned(), user: "ann".to_owned(), policy: None }
}

fn verifier() -> Verifier {
    Verifier::new(keys(), AccessRules::default(), SessionKey::new([7; 32])).unwrap()
}

fn keys() -> [AccountKey; 2] {
    let other = Credentials { access_key_id: "AKIDSECOND".into(), secret_access_key: Secret::new("second") };
    [key(other, "111111111111"), key(credentials(), ACCOUNT)]
}

fn at(second: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW_S.checked_add_signed(second).unwrap())
}

fn verify(head: &Parts, body: &[u8], now: SystemTime) -> Result<Identity, AuthError> {
    let verifier = verifier();
    let first =
        verifier.finish(verifier.check(head, SignedService::Lambda, now)?, &Sha256::digest(body).into());
    // Verifies once more, with the derived key in the cache.
    let again =
        verifier.finish(verifier.check(head, SignedService::Lambda, now)?, &Sha256::digest(body).into());
    assert_eq!(first, again);
    first
}

fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// The example of the S3 API Reference, "Authenticating requests: using query parameters".
#[test]
fn an_address_of_s3_is_signed_as_in_its_documentation() {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    let signer = Signer { credentials: &credentials, region: "us-east-1", service: SignedService::S3, now };
    let address = signer.presign("GET", "https://examplebucket.s3.amazonaws.com", "/test.txt", 86_400);
    let want = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert!(address.ends_with(want), "{address}");
}

#[test]
fn official_clients_are_accepted() {
    for vector in Vector::all() {
        let identity = verify(&vector.head(), &vector.body(), at(0));
        let expect = Identity {
            access_key_id: KEY.into(),
            account: ACCOUNT.into(),
            region: vector.region.as_str().into(),
            principal: Arc::new(CallerPrincipal::user(ACCOUNT, "ann", None)),
        };
        assert_eq!(identity, Ok(expect), "{}: {} {}", vector.client, vector.method, vector.target);
    }
}

#[test]
fn nothing_signed_can_be_altered() {
    type Alter = fn(&mut Parts, &mut Vec<u8>);
    let alter: [(&str, Alter); 6] = [
        ("method", |head, _| head.method = http::Method::PATCH),
        ("path", |head, _| {
            let path = head.uri.path().to_owned();
            head.uri = head.uri.to_string().replacen(&path, &format!("{path}x"), 1).parse().unwrap();
        }),
        ("query", |head, _| {
            let sign = if head.uri.query().is_some() { '&' } else { '?' };
            head.uri = format!("{}{sign}Extra=1", head.uri).parse().unwrap();
        }),
        ("host", |head, _| {
            head.headers.insert("host", "127.0.0.1:3002".parse().unwrap());
        }),
        ("unsigned header added", |head, _| {
            head.headers.insert("x-amz-extra", "1".parse().unwrap());
        }),
        ("body", |_, body| body.push(b' ')),
    ];
    for vector in Vector::all() {
        for (what, alter) in alter {
            let (mut head, mut body) = (vector.head(), vector.body());
            alter(&mut head, &mut body);
            let error = verify(&head, &body, at(0)).unwrap_err();
            assert_eq!(error.code, AuthErrorCode::InvalidSignature, "{what} of {}", vector.target);
        }
    }
}

#[test]
fn own_signatures_are_the_same_as_those_of_the_clients() {
    for vector in Vector::all() {
        let credentials = credentials();
        let signer = Signer {
            credentials: &credentials,
            region: &vector.region,
            service: SignedService::Lambda,
            now: at(0),
        };
        if let Some(expect) = vector.headers.get("authorization") {
            // Some clients leave headers unsigned that this signer signs: sign the same headers as they do.
            let (_, signed) = expect.split_once("SignedHeaders=").unwrap();
            let (signed, _) = signed.split_once(',').unwrap();
            let mut head = vector.head();
            let kept = |name: &str| signed.split(';').any(|signed| signed == name);
            head.headers = std::mem::take(&mut head.headers)
                .into_iter()
                .filter_map(|(name, value)| name.filter(|name| kept(name.as_str())).map(|name| (name, value)))
                .collect::<HeaderMap>();
            signer.sign(&mut head, &vector.body()).unwrap();
            assert_eq!(head.headers["authorization"], expect, "{}", vector.target);
        } else {
            let (given, _) = vector.target.split_once("X-Amz-Algorithm").unwrap();
            if given.contains("/./") || vector.client.starts_with('@') {
                continue; // the client reordered the query
            }
            let url = signer.presign(
                &vector.method,
                "http://127.0.0.1:3001/",
                given.trim_end_matches(['?', '&']),
                900,
            );
            assert_eq!(url, format!("http://127.0.0.1:3001{}", vector.target));
        }
    }
}

#[test]
fn presigned_addresses_expire() {
    let credentials = credentials();
    let signer =
        Signer { credentials: &credentials, region: "us-east-1", service: SignedService::Lambda, now: at(0) };
    let url = signer.presign("GET", "https://lambda.example:8443", "/_lambd/code/abc?x=%20", 600);
    let target = url.strip_prefix("https://lambda.example:8443").unwrap();
    let head = head(target, &[("host", "lambda.example:8443")]);
    for (second, expect) in [
        (-300, None),
        (
            -301,
            Some(
                "Signature not yet current: 20261123T191221Z is still later than 20261123T191220Z (20261123T190720Z + 5 min.)",
            ),
        ),
        (0, None),
        (600, None),
        (
            601,
            Some(
                "Signature expired: 20261123T191221Z is now earlier than 20261123T191222Z (20261123T192222Z - 10 min.)",
            ),
        ),
    ] {
        let error = verify(&head, b"", at(second)).err();
        assert_eq!(error.as_ref().map(|error| &*error.message), expect, "{second}");
    }
    // HTTP/2 has no host header: the authority of the address is used for it.
    let head = self::head(&url, &[]);
    assert!(verify(&head, b"", at(1)).is_ok());
}

const DATE: (&str, &str) = ("x-amz-date", "20261123T191221Z");
const HOST: (&str, &str) = ("host", "h");

/// What to replace in [`GOOD`], by what (empty: no header), the other headers, and the refusal.
type HeaderCase =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], AuthErrorCode, &'static str);

#[rustfmt::skip]
const HEADER_CASES: &[HeaderCase] = &[
    (GOOD, "", &[DATE], AuthErrorCode::MissingAuthenticationToken, "Missing Authentication Token"),
    (GOOD, "Basic dXNlcg", &[], AuthErrorCode::IncompleteSignature,
     "'dXNlcg' not a valid key=value pair (missing equal-sign) in Authorization header: 'Basic dXNlcg'."),
    (GOOD, "Bearer", &[], AuthErrorCode::IncompleteSignature,
     "Authorization header requires 'Credential' parameter. \
      Authorization header requires 'Signature' parameter. \
      Authorization header requires 'SignedHeaders' parameter. \
      Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
      Authorization=Bearer"),
    (GOOD, "X Credential=a, SignedHeaders=b", &[DATE], AuthErrorCode::IncompleteSignature,
     "Authorization header requires 'Signature' parameter. Authorization=X Credential=a, SignedHeaders=b"),
    ("", "", &[HOST, ("date", "Mon, 09 Sep 2011 23:36:00 GMT")], AuthErrorCode::IncompleteSignature,
     "Date must be in ISO-8601 'basic format'. Got 'Mon, 09 Sep 2011 23:36:00 GMT'. \
      See http://en.wikipedia.org/wiki/ISO_8601"),
    ("", "", &[HOST, ("x-amz-date", "20261123T190720Z")], AuthErrorCode::InvalidSignature,
     "Signature expired: 20261123T190720Z is now earlier than 20261123T190721Z (20261123T191221Z - 5 min.)"),
    ("", "", &[HOST, ("x-amz-date", "20261123T191722Z")], AuthErrorCode::InvalidSignature,
     "Signature not yet current: 20261123T191722Z is still later than 20261123T191721Z \
      (20261123T191221Z + 5 min.)"),
    ("host;", "", &[HOST, DATE], AuthErrorCode::InvalidSignature,
     "'Host' must be a 'SignedHeader' in the AWS Authorization."),
    ("", "", &[HOST, DATE, ("x-amz-security-token", "t")], AuthErrorCode::InvalidSignature,
     "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization."),
    ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", &[HOST, DATE], AuthErrorCode::IncompleteSignature,
     "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). "),
    ("/aws4_request", "", &[HOST, DATE], AuthErrorCode::IncompleteSignature,
     "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
      got 'AKIDEXAMPLE/20261123/us-east-1/lambda'"),
    ("20261123/us-east-1/lambda/aws4_request", "20261122/US_EAST/s3/aws3", &[HOST, DATE], AuthErrorCode::InvalidSignature,
     "Credential should be scoped to a valid region, not 'US_EAST'. \
      Credential should be scoped to correct service: 'lambda'. \
      Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'. \
      Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
      '20261122' != '20261123', from '20261123T191221Z'. "),
    (KEY, "AKIDOTHER", &[HOST, DATE], AuthErrorCode::UnrecognizedClient,
     "The security token included in the request is invalid."),
    ("host;", "host;x-amz-security-token;", &[HOST, DATE, ("x-amz-security-token", "t")],
     AuthErrorCode::UnrecognizedClient, "The security token included in the request is invalid."),
    ("", "", &[HOST, DATE], AuthErrorCode::InvalidSignature,
     "The request signature we calculated does not match the signature you provided. \
      Check your AWS Secret Access Key and signing method. \
      Consult the service documentation for details."),
];

#[test]
fn refusals_of_the_header_form() {
    for (from, to, headers, code, message) in HEADER_CASES {
        let authorization = if from.is_empty() { GOOD.to_owned() } else { GOOD.replace(from, to) };
        let mut headers = headers.to_vec();
        if !authorization.is_empty() {
            headers.push(("authorization", &authorization));
        }
        let error = verify(&head("/", &headers), b"", at(0)).unwrap_err();
        assert_eq!((error.code, &*error.message), (*code, *message), "{headers:?}");
    }
}

#[test]
fn a_wrong_signed_query_is_refused_with_the_text_of_aws() {
    let good = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fr%2Flambda%2Faws4_request\
                &X-Amz-Date=20261123T191221Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let mismatch = "The request signature we calculated";
    for (from, to, code, message) in [
        (
            "X-Amz-Algorithm",
            "X-Amz-Algo",
            AuthErrorCode::MissingAuthenticationToken,
            "Missing Authentication Token",
        ),
        (
            "&X-Amz-Expires=60&X-Amz-SignedHeaders=host",
            "",
            AuthErrorCode::IncompleteSignature,
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. \
             AWS query-string parameters must include 'X-Amz-Expires'. Re-examine",
        ),
        (
            "Expires=60",
            "Expires=0",
            AuthErrorCode::IncompleteSignature,
            "X-Amz-Expires must be between 1 and 604800",
        ),
        (
            "Expires=60",
            "Expires=604801",
            AuthErrorCode::IncompleteSignature,
            "X-Amz-Expires must be between 1 and 604800",
        ),
        (
            "Expires=60",
            "Expires=-1",
            AuthErrorCode::IncompleteSignature,
            "X-Amz-Expires must be between 1 and 604800",
        ),
        ("Headers=host", "Headers=date", AuthErrorCode::InvalidSignature, "'Host' must be"),
        (
            "Signature=00",
            "Signature=00&X-Amz-Security-Token=t",
            AuthErrorCode::UnrecognizedClient,
            "The security token",
        ),
        ("Signature=00", "Signature=", AuthErrorCode::InvalidSignature, mismatch),
        ("Signature=00", "Signature=00&X-Amz-Signature=01", AuthErrorCode::InvalidSignature, mismatch),
    ] {
        let target = format!("/f?{}", good.replace(from, to));
        let error = verify(&head(&target, &[("host", "h")]), b"", at(0)).unwrap_err();
        assert_eq!(error.code, code, "{target}");
        assert!(error.message.starts_with(message), "{target}: {error}");
    }
}

#[test]
fn an_unsigned_payload_is_refused() {
    let credentials = credentials();
    let signer =
        Signer { credentials: &credentials, region: "us-east-1", service: SignedService::Lambda, now: at(0) };
    let mut head = head("/f", &[("host", "h"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]);
    signer.sign(&mut head, b"signed").unwrap();
    assert!(verify(&head, b"signed", at(0)).is_ok());
    assert_eq!(verify(&head, b"other", at(0)).unwrap_err().code, AuthErrorCode::InvalidSignature);
}

/// If a client declares the body's hash, it is answered before the body is read, and the body must fit.
#[test]
fn a_declared_hash_is_checked_beforehand() {
    let verifier = verifier();
    let (body, other) = (b"event".as_slice(), b"another".as_slice());
    let hash = |body: &[u8]| -> String { hex_of(&Sha256::digest(body)) };
    let declaring = |declared: &str| {
        let mut head = head("/f", &[("host", "h"), ("x-amz-content-sha256", declared)]);
        let credentials = credentials();
        let signer = Signer {
            credentials: &credentials,
            region: "us-east-1",
            service: SignedService::Lambda,
            now: at(0),
        };
        signer.sign(&mut head, body).unwrap();
        head
    };
    let pending = verifier.check(&declaring(&hash(body)), SignedService::Lambda, at(0)).unwrap();
    assert!(pending.is_signed());
    assert!(verifier.finish(pending, &Sha256::digest(body).into()).is_ok());
    let pending = verifier.check(&declaring(&hash(body)), SignedService::Lambda, at(0)).unwrap();
    assert_eq!(verifier.finish(pending, &Sha256::digest(other).into()), Err(AuthError::mismatch()));
    // Declares one hash and signs another.
    assert_eq!(
        verifier.check(&declaring(&hash(other)), SignedService::Lambda, at(0)).unwrap_err(),
        AuthError::mismatch()
    );
    assert!(
        !verifier.check(&declaring("UNSIGNED-PAYLOAD"), SignedService::Lambda, at(0)).unwrap().is_signed()
    );
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn headers_that_are_not_utf_8_are_refused() {
    let mut head = head("/%ff?%ff=%", &[("host", "h"), ("x-amz-date", "20261123T191221Z")]);
    head.headers.insert("authorization", http::HeaderValue::from_bytes(b"AWS4 \xff=\xfe").unwrap());
    assert_eq!(verify(&head, b"", at(0)).unwrap_err().code, AuthErrorCode::IncompleteSignature);
    head.headers.insert("authorization", GOOD.parse().unwrap());
    head.headers.insert("x-amz-date", http::HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(verify(&head, b"", at(0)).unwrap_err().code, AuthErrorCode::IncompleteSignature);
}

#[test]
fn a_region_is_found_without_verification() {
    for (authorization, expect) in [(Some(GOOD), Some("us-east-1")), (Some("Bearer x=y"), None), (None, None)]
    {
        let mut headers = vec![("host", "h"), ("x-amz-date", "whenever")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        assert_eq!(unchecked_region(&head("/", &headers)).as_deref(), expect);
    }
}

/// Not a test: prints the cost of one verification. `cargo test --release -- --ignored --nocapture cost`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_verification() {
    let vector = &Vector::all()[3];
    let (head, body) = (vector.head(), vector.body());
    let verifier = verifier();
    const ROUNDS: u32 = 200_000;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let pending = verifier.check(black_box(&head), SignedService::Lambda, at(0)).unwrap();
        let hash = Sha256::digest(black_box(&body)).into();
        black_box(verifier.finish(pending, &hash).unwrap());
    }
    println!("{} ns per verification of an Invoke", start.elapsed().as_nanos() / u128::from(ROUNDS));
}

#[test]
fn a_key_acts_for_its_own_account() {
    let verifier = verifier();
    for AccountKey { credentials, account, .. } in keys() {
        let signed = |secret: &Credentials| {
            let mut head = head("/2015-03-31/functions", &[("host", "h")]);
            Signer { credentials: secret, region: "us-east-1", service: SignedService::Lambda, now: at(0) }
                .sign(&mut head, b"")
                .unwrap();
            head
        };
        let pending = verifier.check(&signed(&credentials), SignedService::Lambda, at(0)).unwrap();
        let identity = verifier.finish(pending, &Sha256::digest(b"").into()).unwrap();
        assert_eq!(*identity.account, *account);
        let forged = Credentials { secret_access_key: Secret::new("wrong"), ..credentials };
        let pending = verifier.check(&signed(&forged), SignedService::Lambda, at(0));
        assert!(pending.and_then(|pending| verifier.finish(pending, &Sha256::digest(b"").into())).is_err());
    }
}
