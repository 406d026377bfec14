//! Every extension call is refused with the texts of the Runtime API.

use crate::testing::ServedEnvironment;

#[tokio::test]
async fn every_extension_call_is_refused() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let id = "8d6a5f52-8b4e-4f8c-9f6e-0d9b7c6a5e4f";
    let known = format!("Lambda-Extension-Identifier: {id}\r\n");
    let unknown_extension = format!("Unknown extension {id}");
    for (method, path, headers, error_type, message) in [
        ("POST", "register", "", "InvalidExtensionName", "Empty extension name"),
        ("POST", "register", "Lambda-Extension-Name:\r\n", "InvalidExtensionName", "Empty extension name"),
        (
            "POST",
            "register",
            "Lambda-Extension-Name: e\r\n",
            "RegistrationClosed",
            "Extension registration closed already",
        ),
        ("GET", "event/next", "", "MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"),
        (
            "GET",
            "event/next",
            "Lambda-Extension-Identifier: \"x\r\n",
            "InvalidExtensionIdentifier",
            "Invalid Lambda-Extension-Identifier",
        ),
        ("GET", "event/next", &known, "UnknownExtensionIdentifier", &unknown_extension),
        ("POST", "init/error", &known, "UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier"),
        ("POST", "exit/error", &known, "UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier"),
    ] {
        let answer = client.call(method, &format!("/2020-01-01/extension/{path}"), headers, b"").await;
        answer.is(403, &format!(r#"{{"errorMessage":"{message}","errorType":"Extension.{error_type}"}}"#));
    }
}
