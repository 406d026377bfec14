//! The platform's lines as records of the Telemetry schema [fact:json-records].

use std::time::Duration;

use lambd_model::clock;
use serde_json::{Value, json};

use super::{Report, Status};

pub(super) fn start(request_id: &str, version: &str) -> String {
    record("platform.start", &json!({ "requestId": request_id, "version": version }))
}

pub(super) fn report(request_id: &str, report: &Report) -> String {
    let mut metrics = json!({
        "durationMs": ms(report.duration),
        "billedDurationMs": report.billed_ms(),
        "memorySizeMB": report.memory_mib,
        "maxMemoryUsedMB": report.used_mib(),
    });
    if let Some(init) = report.init {
        metrics["initDurationMs"] = ms(init);
    }
    let told = json!({ "requestId": request_id, "metrics": metrics });
    record("platform.report", &with_status(told, &report.status))
}

pub(super) fn init_report(duration: Duration, kind: &str, phase: &str, status: &Status) -> String {
    let told = json!({
        "initializationType": kind,
        "phase": phase,
        "metrics": { "durationMs": ms(duration) },
    });
    record("platform.initReport", &with_status(told, status))
}

fn record(kind: &str, record: &Value) -> String {
    json!({ "time": clock::rfc3339(clock::now_ms()), "type": kind, "record": record }).to_string()
}

/// An error was reported by the runtime; a failure is a process or a sandbox that ended.
fn with_status(mut told: Value, status: &Status) -> Value {
    let (status, kind) = match status {
        Status::Success => ("success", None),
        Status::Timeout => ("timeout", None),
        Status::Error(kind) if kind == "Runtime.ExitError" || kind.starts_with("Sandbox.") => {
            ("failure", Some(kind))
        }
        Status::Error(kind) => ("error", Some(kind)),
    };
    told["status"] = Value::from(status);
    if let Some(kind) = kind {
        told["errorType"] = Value::from(kind.as_str());
    }
    told
}

/// Milliseconds with three decimals.
fn ms(duration: Duration) -> Value {
    Value::from((duration.as_secs_f64() * 1_000_000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_form_of_the_schema() {
        let told = Report {
            duration: Duration::from_micros(3_100),
            init: Some(Duration::from_micros(542_010)),
            memory_mib: 128,
            used_bytes: 95 << 20,
            status: Status::Error("Runtime.ExitError".to_owned()),
        };
        let mut got: Value = serde_json::from_str(&report("id", &told)).unwrap();
        let time = got["time"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        let want = json!({ "time": null, "type": "platform.report", "record": {
            "requestId": "id", "status": "failure", "errorType": "Runtime.ExitError",
            "metrics": { "durationMs": 3.1, "billedDurationMs": 546, "memorySizeMB": 128,
                         "maxMemoryUsedMB": 95, "initDurationMs": 542.01 } } });
        assert_eq!(got, want);
        let started: Value = serde_json::from_str(&start("id", "$LATEST")).unwrap();
        assert_eq!(started["record"], json!({ "requestId": "id", "version": "$LATEST" }));
        let init = init_report(Duration::from_millis(7), "provisioned-concurrency", "init", &Status::Success);
        let init: Value = serde_json::from_str(&init).unwrap();
        let want = json!({ "initializationType": "provisioned-concurrency", "phase": "init", "status": "success",
                           "metrics": { "durationMs": 7.0 } });
        assert_eq!(init["record"], want);
    }
}
