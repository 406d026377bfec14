//! The service within the test's process, and its keys at the verifier of the server.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::to_bytes;
use lambd_auth::{
    AccessDenial, AuthError, AuthErrorCode, CallerPrincipal, ConditionContext, Credentials, Identity,
    IdentityPolicy, Secret, Signer,
};
use sha2::Digest as _;

use super::*;
use crate::api::testing::{ACCOUNT, Api, REGION};
use crate::authorise;

const NOW_S: u64 = 1_795_461_141;
const ASSUME: &str = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fr\
                      &RoleSessionName=me%40x";

fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW_S + second)
}

fn caller(principal: CallerPrincipal, access_key_id: &str) -> Identity {
    Identity {
        access_key_id: access_key_id.into(),
        account: Arc::clone(&principal.account),
        region: REGION.into(),
        principal: Arc::new(principal),
    }
}

fn user(policy: Option<&str>) -> Identity {
    let policy = policy.map(|policy| Arc::new(IdentityPolicy::parse(policy).unwrap()));
    caller(CallerPrincipal::user(ACCOUNT, "ann", policy), "AKID")
}

fn ask(api: &Api, identity: &Identity, form: &str) -> Result<String, StsError> {
    sts::answer(&api.app, &StsCall { identity, source: None, form, now: at(0) }, "id")
}

fn text<'a>(document: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        document.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {document}"));
    rest.split_once('<').unwrap().0
}

/// The caller of a request that is signed with the keys of an answer.
fn use_keys(api: &Api, document: &str, now: SystemTime) -> Result<Identity, AuthError> {
    let credentials = Credentials {
        access_key_id: text(document, "AccessKeyId").to_owned(),
        secret_access_key: Secret::new(text(document, "SecretAccessKey")),
    };
    let mut head = ::http::Request::get("/").header("host", "h").body(()).unwrap().into_parts().0;
    head.headers.insert("x-amz-security-token", text(document, "SessionToken").parse().unwrap());
    let signer = Signer { credentials: &credentials, region: REGION, service: SignedService::Lambda, now };
    signer.sign(&mut head, b"").unwrap();
    let pending = api.app.verifier.check(&head, SignedService::Lambda, now)?;
    api.app.verifier.finish(pending, &sha2::Sha256::digest(b"").into())
}

#[tokio::test]
async fn a_caller_learns_who_it_is_whatever_its_policy() {
    let api = Api::new().await;
    let nothing = user(Some(r#"{"Statement": []}"#));
    let document = ask(&api, &nothing, "Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    assert_eq!(text(&document, "Arn"), "arn:aws:iam::000000000000:user/ann");
    assert_eq!(text(&document, "Account"), ACCOUNT);
    assert_eq!(text(&document, "UserId"), nothing.principal.unique_id);
    assert_eq!(text(&document, "RequestId"), "id");
}

#[tokio::test]
async fn a_role_s_keys_work_until_they_expire() {
    let api = Api::new().await;
    let document = ask(&api, &user(None), &format!("{ASSUME}&DurationSeconds=900")).unwrap();
    assert_eq!(text(&document, "Arn"), "arn:aws:sts::000000000000:assumed-role/r/me@x");
    assert_eq!(text(&document, "Expiration"), "2026-11-23T19:27:21Z");
    assert!(text(&document, "AssumedRoleId").starts_with("AROA"));
    let session = use_keys(&api, &document, at(899)).unwrap();
    assert_eq!(session.principal.arn, "arn:aws:sts::000000000000:assumed-role/r/me@x");
    assert!(!session.principal.is_unrestricted());
    assert_eq!(use_keys(&api, &document, at(900)).unwrap_err().code, AuthErrorCode::ExpiredToken);
}

#[tokio::test]
async fn a_session_policy_narrows_the_role() {
    let api = Api::new().await;
    let policy = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22lambda%3A*%22%2C\
                  %22Resource%22%3A%22arn%3Aaws%3Alambda%3A*%3Af%22%7D%7D";
    let document = ask(&api, &user(None), &format!("{ASSUME}&Policy={policy}")).unwrap();
    assert_eq!(text(&document, "PackedPolicySize"), "5");
    let session = use_keys(&api, &document, at(0)).unwrap();
    let context = context(&session);
    let may = |action: &str, resource: &str| session.principal.may(action, resource, &context);
    assert_eq!(may("lambda:InvokeFunction", "arn:aws:lambda:r:a:f"), Ok(()));
    assert_eq!(may("lambda:InvokeFunction", "arn:aws:lambda:r:a:g"), Err(AccessDenial::NotAllowedBySession));
    assert_eq!(may("lambda:GetFunction", "arn:aws:lambda:r:a:f"), Err(AccessDenial::NotAllowed));
}

fn context(identity: &Identity) -> ConditionContext {
    authorise::context(identity, None, at(0))
}

#[tokio::test]
async fn a_user_s_session_has_the_user_s_rights() {
    let api = Api::new().await;
    let form = "Action=GetSessionToken&Version=2011-06-15";
    let own = caller(CallerPrincipal::user(ACCOUNT, "default", None), &api.app.credentials.access_key_id);
    let document = ask(&api, &own, form).unwrap();
    assert_eq!(text(&document, "Expiration"), "2026-11-24T07:12:21Z");
    let session = use_keys(&api, &document, at(0)).unwrap();
    assert_eq!(session.principal.arn, "arn:aws:iam::000000000000:user/default");
    assert!(session.principal.is_unrestricted());
    let refused = ask(&api, &session, form).unwrap_err();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        ("AccessDenied", "Cannot call GetSessionToken with session credentials")
    );
    let chained = ask(&api, &session, &format!("{ASSUME}&DurationSeconds=3601")).unwrap_err();
    assert!(chained.message.contains("role chaining"), "{chained}");
    assert!(ask(&api, &session, ASSUME).is_ok());
}

#[tokio::test]
async fn who_may_not_assume_a_role_is_told_so() {
    let api = Api::new().await;
    let only_lambda = r#"{"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}"#;
    let refused = ask(&api, &user(Some(only_lambda)), ASSUME).unwrap_err();
    assert_eq!(
        (refused.status.as_u16(), refused.code, refused.message.as_str()),
        (
            403,
            "AccessDenied",
            "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::000000000000:role/r because no identity-based policy allows the sts:AssumeRole action"
        )
    );
    let foreign = ASSUME.replace("000000000000", "111111111111");
    let refused = ask(&api, &user(None), &foreign).unwrap_err();
    assert!(
        refused.code == "AccessDenied" && refused.message.ends_with("arn:aws:iam::111111111111:role/r"),
        "{refused}"
    );
}

#[tokio::test]
async fn wrong_requests_are_refused_by_name() {
    let api = Api::new().await;
    let long = format!("{ASSUME}&Policy={}", "x".repeat(2049));
    for (form, code, expect) in [
        ("", "InvalidAction", "Could not find operation  for version "),
        ("Action=GetCallerIdentity", "InvalidAction", "for version "),
        ("Action=GetFederationToken&Version=2011-06-15", "InvalidAction", "operation GetFederationToken"),
        ("Action=AssumeRole&Version=2011-06-15", "ValidationError", "Value null at 'roleArn'"),
        (&ASSUME.replace("me%40x", "m"), "ValidationError", "greater than or equal to 2"),
        (&ASSUME.replace("me%40x", "a+b%2Fc"), "ValidationError", "regular expression pattern"),
        (&ASSUME.replace("me%40x", &"m".repeat(65)), "ValidationError", "less than or equal to 64"),
        (&ASSUME.replace("%3Arole", "%3Auser"), "ValidationError", "is invalid"),
        (&format!("{ASSUME}&DurationSeconds=899"), "ValidationError", "greater than or equal to 900"),
        (&format!("{ASSUME}&DurationSeconds=43201"), "ValidationError", "less than or equal to 43200"),
        (&format!("{ASSUME}&DurationSeconds=x"), "ValidationError", "is not a number"),
        (&format!("{ASSUME}&Policy=x"), "MalformedPolicyDocument", "expected value"),
        (&long, "ValidationError", "less than or equal to 2048"),
        (&format!("{ASSUME}&PolicyArns.member.1.arn=a"), "ValidationError", "PolicyArns is not supported"),
        (&format!("{ASSUME}&Tags.member.1.Key=a"), "ValidationError", "Tags is not supported"),
        (&format!("{ASSUME}&SourceIdentity=ann"), "ValidationError", "SourceIdentity is not supported"),
        (&ASSUME.replace("role%2Fr", "role%2Fa%2A"), "ValidationError", "is invalid"),
    ] {
        let refused = ask(&api, &user(None), form).unwrap_err();
        assert!(refused.code == code && refused.message.contains(expect), "{form}: {refused}");
    }
}

/// The whole way: which requests the service gets, and in which form it refuses them.
#[tokio::test]
async fn requests_are_told_apart_by_scope_or_form() {
    let api = Api::new().await;
    let credentials = api.app.credentials.clone();
    let send = async |service: SignedService, method: &str, target: &str, form: Option<&'static str>| {
        let mut request = ::http::Request::builder().method(method).uri(target).header("host", "h");
        if form.is_some() {
            request = request.header("content-type", FORM);
        }
        let body = form.unwrap_or_default();
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let now = SystemTime::now();
        let signer = Signer { credentials: &credentials, region: REGION, service, now };
        signer.sign(&mut head, body.as_bytes()).unwrap();
        let is_meant = is_meant(&head);
        let answered = answer(&api.app, &head, &mut Body::from(body)).await;
        let status = answered.status().as_u16();
        let document = to_bytes(answered.into_body(), usize::MAX).await.unwrap();
        (is_meant, status, String::from_utf8(document.to_vec()).unwrap())
    };
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let (is_meant, status, document) = send(SignedService::Sts, "POST", "/", Some(who)).await;
    assert!(is_meant && status == 200 && text(&document, "Account") == ACCOUNT, "{document}");
    let query = format!("/?{who}");
    let (is_meant, status, document) = send(SignedService::Sts, "GET", &query, None).await;
    assert!(is_meant && status == 200 && text(&document, "Arn").ends_with(":user/default"), "{document}");
    let (is_meant, status, document) = send(SignedService::Lambda, "POST", "/", Some(who)).await;
    assert!(is_meant && status == 403, "{document}");
    assert_eq!(text(&document, "Code"), "SignatureDoesNotMatch");
    assert!(text(&document, "Message").contains("correct service: 'sts'"), "{document}");
    assert!(!send(SignedService::Lambda, "GET", "/", None).await.0);
    for method in ["PUT", "DELETE", "HEAD"] {
        assert!(!send(SignedService::Sts, method, &query, None).await.0, "{method}");
    }
    assert!(!send(SignedService::Sts, "GET", "/2015-03-31/functions", None).await.0);
    let head = ::http::Request::post("/").header("content-type", FORM).body(()).unwrap().into_parts().0;
    let answered = answer(&api.app, &head, &mut Body::from(who)).await;
    assert_eq!(answered.status(), 403);
}
