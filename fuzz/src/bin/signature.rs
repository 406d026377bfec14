//! Signature Version 4 in the header and in the query.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use http::{Request, request::Parts};
use lambd_auth::{AccessRules, AccountKey, Credentials, Secret, SessionKey, SignedService, Signer, Verifier};
use lambd_fuzz::{request, text};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let key = AccountKey {
        credentials: credentials(),
        account: "000000000000".to_owned(),
        user: "default".to_owned(),
        policy: None,
    };
    Verifier::new([key], AccessRules::default(), SessionKey::new([7; 32])).expect("a key without a policy")
});

fn credentials() -> Credentials {
    Credentials { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key: Secret::new("secret") }
}

/// The time of every signature and every check.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn seeds() -> Vec<Vec<u8>> {
    let credentials = credentials();
    let signer =
        Signer { credentials: &credentials, region: "us-east-1", service: SignedService::Lambda, now: now() };
    let body = b"{\"a\":1}";
    let (target, hash) = (
        "/2015-03-31/functions/f/invocations?Qualifier=%24LATEST&a=b&a=",
        Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    );
    let mut all = Vec::new();
    for headers in [
        vec![("host", "h:3001")],
        vec![("host", "h"), ("x-amz-content-sha256", hash.as_str()), ("x-amz-log-type", "Tail")],
        vec![("host", "h"), ("x-amz-meta", "  a   b "), ("x-amz-meta", "c")],
    ] {
        let mut head = head("POST", target, &headers);
        signer.sign(&mut head, body).expect("it is signed");
        all.push(text(&head, body));
        head.headers.insert("x-amz-security-token", "token".parse().expect("a value"));
        all.push(text(&head, body));
    }
    let presigned = signer.presign("GET", "http://h:3001", target, 300);
    all.push(text(&head("GET", presigned.trim_start_matches("http://h:3001"), &[("host", "h:3001")]), b""));
    all
}

fuzz_target!(
    init: lambd_fuzz::seed(seeds()),
    |bytes: &[u8]| {
        let Some((head, body)) = request(bytes) else { return };
        let _ = lambd_auth::unchecked_region(&head);
        let identity = VERIFIER.check(&head, SignedService::Lambda, now()).and_then(|pending| {
            let _ = (pending.is_signed(), pending.region().len());
            VERIFIER.finish(pending, &Sha256::digest(&body).into())
        });
        if let Ok(identity) = identity {
            assert_eq!(&*identity.account, "000000000000");
        }
    }
);
