//! Answers that a client's model cannot read are found.

use bytes::Bytes;
use http::Response;

use crate::{Operation, check_answer};

fn checked(operation: Operation, status: u16, body: &'static str) -> Result<(), String> {
    let answer = Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap();
    check_answer(operation, &answer)
}

#[test]
fn an_answer_that_the_model_describes_is_accepted() {
    let url = r#"{"FunctionUrl":"https://abcdefghijklmnopqrstuvwxyz.lambda-url.us-east-1.on.aws/","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","AuthType":"NONE","CreationTime":"2026-01-01T00:00:00Z"}"#;
    for (operation, status, body) in [
        (Operation::CreateFunctionUrlConfig, 201, url),
        (Operation::DeleteFunction, 204, ""),
        (Operation::GetFunctionConcurrency, 200, "{}"),
        (Operation::GetFunctionConfiguration, 200, r#"{"FunctionName":"f","State":"Active"}"#),
        (Operation::GetFunctionConfiguration, 200, r#"{"LastUpdateStatusReasonCode":"Creating"}"#),
        (Operation::GetFunctionEventInvokeConfig, 200, r#"{"LastModified":1795834844.087}"#),
        (Operation::Invoke, 202, ""),
        (Operation::Invoke, 200, "[1]"),
        (Operation::UntagResource, 204, ""),
    ] {
        assert_eq!(checked(operation, status, body), Ok(()), "{} {body}", operation.name());
    }
}

#[test]
fn what_a_client_would_not_read_is_found() {
    for (operation, status, body, what) in [
        (Operation::CreateFunctionUrlConfig, 201, r#"{"AuthType":"NONE"}"#, "'functionUrl'"),
        (Operation::GetFunctionConfiguration, 200, r#"{"State":"Asleep"}"#, "'state'"),
        (Operation::GetFunctionConfiguration, 200, r#"{"Timeout":0}"#, "'timeout'"),
        (Operation::GetFunctionConfiguration, 200, r#"{"Timeout":"1"}"#, "the body"),
        (Operation::GetFunctionConfiguration, 200, r#"{"Colour":"red"}"#, "not in the model"),
        (Operation::GetFunctionConfiguration, 200, r#"{"VpcConfig":{"Colour":"red"}}"#, "not in the model"),
        (Operation::GetFunctionConfiguration, 201, "{}", "the status is 201"),
        (Operation::UntagResource, 204, "{}", "a body"),
        (Operation::GetFunctionConcurrency, 200, "", "the body"),
    ] {
        let found = checked(operation, status, body).unwrap_err();
        assert!(found.contains(what), "{body}: {found}");
    }
}
