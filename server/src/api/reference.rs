//! Prints `docs/operations.md`, the page that says for each operation whether it works.

use std::fmt::Write as _;

use lambd_wire::Operation;
use serde_json::Value;

use super::testing::Api;
use crate::testing::{assert_printed, is_printing, read};

const PAGE: &str = "docs/operations.md";

/// Whether this operation has a handler. One without is refused before anything else is checked.
async fn works(api: &Api, operation: Operation) -> bool {
    let mut target = String::new();
    for (at, part) in operation.uri().split(['{', '}']).enumerate() {
        target.push_str(if at % 2 == 0 { part } else { "x" });
    }
    let answer = api.call(operation.method(), &target, Value::Null).await;
    answer.code != "UnsupportedOperationException"
}

#[tokio::test]
async fn the_page_of_operations_is_printed_from_the_table() {
    let api = Api::new().await;
    let (mut here, mut refused, mut working) = (String::new(), String::new(), 0);
    for operation in Operation::ALL {
        let works = works(&api, operation).await;
        working += usize::from(works);
        let rows = if works { &mut here } else { &mut refused };
        let (name, method, uri) = (operation.name(), operation.method(), operation.uri());
        let standing = if works { "works" } else { "refused" };
        writeln!(rows, "| {name} | {standing} | `{method} {uri}` |").unwrap();
    }
    let all = Operation::ALL.len();
    let page = format!(
        "# Operations\n\n\
         The AWS Lambda API has {all} operations. {working} of them work here. Each of the others is refused with 400\n\
         `UnsupportedOperationException` and its name, so that no client takes it for a missing function.\n\n\
         What an operation that works refuses of its input (asynchronous events) is refused by name, too.\n\
         What this machine cannot run (images, file systems, durable execution) is stored, and refused at Invoke.\n\n\
         This page is printed from the table of operations by `make docs`; the test that compares it sends each one.\n\n\
         | operation | here | request |\n|---|---|---|\n{here}{refused}"
    );
    assert_printed(PAGE, &page);
    if is_printing() {
        return;
    }
    assert!(
        read("README.md").contains(&format!("{working} of the {all} operations")),
        "README.md has another count"
    );
}
