//! Temporary keys, other services, and AWS's own signer as the other side.

use std::time::SystemTime;

use aws_credential_types::Credentials as SdkCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/path/r";
const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";

fn claims(expires: i64) -> SessionClaims {
    SessionClaims {
        account: ACCOUNT.to_owned(),
        subject: SessionSubject::Role { arn: ROLE.to_owned(), name: "s".to_owned() },
        policy: None,
        expires_s: i64::try_from(NOW_S).unwrap() + expires,
    }
}

fn issue(claims: &SessionClaims) -> SessionCredentials {
    verifier().sessions().issue(claims, [3; SESSION_NONCE_BYTES])
}

/// A request as the crate aws-sigv4 signs it.
struct Oracle<'a> {
    key: &'a str,
    secret: &'a str,
    token: Option<&'a str>,
    service: &'a str,
    region: &'a str,
    location: SignatureLocation,
}

impl Oracle<'_> {
    fn head(&self, method: &str, target: &str, body: &[u8], now: SystemTime) -> Parts {
        let token = self.token.map(str::to_owned);
        let identity = SdkCredentials::new(self.key, self.secret, token, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.signature_location = self.location;
        if matches!(self.location, SignatureLocation::QueryParams) {
            settings.expires_in = Some(Duration::from_secs(60));
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(now)
            .settings(settings)
            .build()
            .unwrap();
        let url = format!("http://127.0.0.1:3001{target}");
        let headers = [("host", "127.0.0.1:3001"), ("x-amz-meta", "  a   b ")];
        let signable = SignableRequest::new(method, &url, headers.into_iter(), SignableBody::Bytes(body));
        let (instructions, _) = sign(signable.unwrap(), &parameters.into()).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        // A request has no scheme and authority in its first line.
        let mut head = request.into_parts().0;
        head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
        head
    }
}

fn finish(head: &Parts, service: SignedService, body: &[u8], now: SystemTime) -> Result<Identity, AuthError> {
    let verifier = verifier();
    verifier.finish(verifier.check(head, service, now)?, &Sha256::digest(body).into())
}

#[test]
fn what_the_signer_of_aws_signs_is_accepted() {
    let session = issue(&claims(60));
    let temporary = (
        session.credentials.access_key_id.as_str(),
        session.secret_access_key(),
        Some(session.session_token.as_str()),
    );
    for (key, secret, token) in [(KEY, SECRET, None), temporary] {
        for (service, location) in [
            (SignedService::Lambda, SignatureLocation::Headers),
            (SignedService::Lambda, SignatureLocation::QueryParams),
            (SignedService::Sts, SignatureLocation::Headers),
            (SignedService::Sts, SignatureLocation::QueryParams),
        ] {
            let oracle =
                Oracle { key, secret, token, service: service.name(), region: "eu-west-1", location };
            for target in ["/", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?b=%20&a=%24LATEST"] {
                let head = oracle.head("POST", target, BODY, at(0));
                let identity = finish(&head, service, BODY, at(0)).unwrap();
                assert_eq!((&*identity.account, &*identity.region), (ACCOUNT, "eu-west-1"), "{location:?}");
                let other =
                    if service == SignedService::Sts { SignedService::Lambda } else { SignedService::Sts };
                let refused = finish(&head, other, BODY, at(0)).unwrap_err();
                assert!(refused.message.contains("scoped to correct service"), "{refused}");
                assert_eq!(finish(&head, service, b"other", at(0)).unwrap_err(), AuthError::mismatch());
                assert!(names_service(&head, service) && !names_service(&head, other));
            }
        }
    }
}

/// Signs with these keys and this token, as a client that took them from somewhere.
fn with(credentials: &Credentials, token: Option<&str>, now: SystemTime) -> Result<Identity, AuthError> {
    let mut head = head("/f", &[("host", "h")]);
    token.into_iter().for_each(|token| {
        head.headers.insert("x-amz-security-token", token.parse().unwrap());
    });
    Signer { credentials, region: "us-east-1", service: SignedService::Lambda, now }
        .sign(&mut head, b"")
        .unwrap();
    verify(&head, b"", now)
}

#[test]
fn a_session_acts_as_its_role_until_it_ends() {
    let session = issue(&claims(60));
    let signed = |second| with(&session.credentials, Some(&session.session_token), at(second));
    let caller = signed(0).unwrap();
    assert_eq!(&*caller.access_key_id, session.credentials.access_key_id);
    assert_eq!(caller.principal.arn, "arn:aws:sts::000000000000:assumed-role/r/s");
    assert_eq!(caller.principal.entity_arn, ROLE);
    assert!(signed(59).is_ok());
    let expired = signed(60).unwrap_err();
    assert_eq!(expired.code.as_str(), "ExpiredTokenException");
    assert_eq!(expired.message, "The security token included in the request is expired");
}

/// Who does not know the secret learns nothing of the end of a session.
#[test]
fn an_expired_token_is_expired_for_its_holder_only() {
    let session = issue(&claims(-60));
    let forged = Credentials { secret_access_key: Secret::new("x"), ..session.credentials };
    assert_eq!(with(&forged, Some(&session.session_token), at(0)).unwrap_err(), AuthError::mismatch());
}

#[test]
fn a_token_must_belong_to_its_key() {
    let (one, other) = (issue(&claims(60)), SessionKey::new([8; 32]).issue(&claims(60), [3; 10]));
    let second = verifier().sessions().issue(&claims(60), [4; SESSION_NONCE_BYTES]);
    for (what, credentials, token) in [
        ("no token", &one.credentials, None),
        ("another session's", &one.credentials, Some(second.session_token.as_str())),
        ("another server's", &other.credentials, Some(other.session_token.as_str())),
        ("with long-lived keys", &credentials(), Some(one.session_token.as_str())),
        ("nonsense", &one.credentials, Some("nonsense")),
    ] {
        assert_eq!(with(credentials, token, at(0)).unwrap_err(), AuthError::unrecognized(), "{what}");
    }
}

#[test]
fn the_session_of_a_user_ends_with_its_key() {
    let user = |access_key_id: &str, account: &str| SessionClaims {
        account: account.to_owned(),
        subject: SessionSubject::User { access_key_id: access_key_id.to_owned() },
        ..claims(60)
    };
    let signed = |claims: &SessionClaims| {
        let session = issue(claims);
        with(&session.credentials, Some(&session.session_token), at(0))
    };
    let caller = signed(&user(KEY, ACCOUNT)).unwrap();
    assert_eq!(caller.principal.arn, "arn:aws:iam::000000000000:user/ann");
    assert!(caller.principal.is_session);
    assert_eq!(signed(&user("AKIDGONE", ACCOUNT)).unwrap_err(), AuthError::unrecognized());
    assert_eq!(signed(&user(KEY, "111111111111")).unwrap_err(), AuthError::unrecognized());
}

#[test]
fn a_key_whose_policy_is_missing_is_refused_at_the_start() {
    let limited = AccountKey { policy: Some("p".to_owned()), ..key(credentials(), ACCOUNT) };
    let error = Verifier::new([limited], AccessRules::default(), SessionKey::new([7; 32])).unwrap_err();
    assert!(error.to_string().contains("profile ann of the credentials file has the policy p"), "{error}");
}

#[test]
fn sts_allows_a_clock_fifteen_minutes_off() {
    let credentials = credentials();
    let signer =
        Signer { credentials: &credentials, region: "us-east-1", service: SignedService::Sts, now: at(0) };
    let mut head = head("/", &[("host", "h")]);
    signer.sign(&mut head, BODY).unwrap();
    assert!(finish(&head, SignedService::Sts, BODY, at(900)).is_ok());
    let error = finish(&head, SignedService::Sts, BODY, at(901)).unwrap_err();
    assert!(error.message.ends_with("- 15 min.)"), "{error}");
}
