//! Requests of the API: route, labels, query, headers, JSON, validation. Each gives an input or a 4xx.

#![no_main]

use lambd_fuzz::request;
use lambd_wire::Operation;
use libfuzzer_sys::fuzz_target;

const BODY: &str = r#"{"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{"ZipFile":"aGk="},
"Environment":{"Variables":{"A1":"\u00e9"}},"Layers":["x"],"Timeout":3,"Tags":{"a":null},"VpcConfig":{"SubnetIds":["s"]},
"MaximumRecordAgeInSeconds":-1,"StartingPositionTimestamp":1.5e9,"FilterCriteria":{"Filters":[{"Pattern":"{}"}]}}"#;

fn seeds() -> Vec<String> {
    let request = |operation: &Operation| {
        let uri = operation.uri().replace(['{', '}'], "");
        let query = if uri.contains('?') { '&' } else { '?' };
        let headers = "x-amz-log-type: Tail\nx-amz-client-context: e30=\nx-amz-invocation-type: DryRun\n";
        format!("{} {uri}{query}Qualifier=1&MaxItems=7&Marker=%20\n{headers}\n{BODY}", operation.method())
    };
    Operation::ALL.iter().map(request).collect()
}

fuzz_target!(
    init: lambd_fuzz::seed(seeds()),
    |bytes: &[u8]| {
        let Some((head, body)) = request(bytes) else { return };
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        if let Err(error) = lambd_wire::accept(&head.method, target, &head.headers, &body) {
            assert!(error.encode().status().is_client_error(), "{error}");
        }
    }
);
