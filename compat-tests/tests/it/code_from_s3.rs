//! Code from an S3-compatible server. The script makes the assertions.

use anyhow::Result;
use lambd_compat_tests::python::S3Server;
use lambd_compat_tests::{TestServer, package, python};

#[test]
fn functions_and_layers_are_made_from_s3() -> Result<()> {
    let Some(s3) = S3Server::start()? else { return Ok(()) };
    let Some(server) = TestServer::start_with(&["--s3-endpoint", &s3.url])? else { return Ok(()) };
    let first = package::files(&[("app.py", "def handler(e, c):\n    return 'first'\n")]);
    let second = "import layer\ndef handler(e, c):\n    return ['second', layer.text]\n";
    let files = [("first.zip", first), ("second.zip", package::files(&[("app.py", second)]))];
    python::run(&server, include_str!("code_from_s3.py"), &[&s3.url], &files)
}
