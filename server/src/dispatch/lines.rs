//! The platform's own log lines, Text format, letter for letter (lambda.md D6).

use std::fmt::Write as _;
use std::time::Duration;

/// How an invocation or an init ended, as REPORT and INIT_REPORT show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Shown by nothing at all.
    Success,
    /// `Status: timeout`.
    Timeout,
    /// `Status: error` with the normalised error type.
    Error(String),
}

/// What a REPORT line says.
#[derive(Debug, Clone)]
pub struct Report {
    /// From the delivery of the event to the end of the invoke phase.
    pub duration: Duration,
    /// Init of this cold start; `None` for a warm or a suppressed one.
    pub init: Option<Duration>,
    /// Memory limit, MiB.
    pub memory_mib: u32,
    /// Highest use so far, bytes.
    pub used_bytes: u64,
    /// How it ended.
    pub status: Status,
}

/// `START RequestId: … Version: …`
pub fn start(request_id: &str, version: &str) -> String {
    format!("START RequestId: {request_id} Version: {version}")
}

/// `END RequestId: …`
pub fn end(request_id: &str) -> String {
    format!("END RequestId: {request_id}")
}

/// The REPORT line with its trailing tab; init counts towards the billed duration (C7).
pub fn report(request_id: &str, report: &Report) -> String {
    let billed = ceil_ms(report.duration + report.init.unwrap_or_default());
    let used_mib = report.used_bytes.div_ceil(1 << 20).clamp(1, u64::from(report.memory_mib));
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {}\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {used_mib} MB\t",
        ms(report.duration),
        report.memory_mib,
    );
    if let Some(init) = report.init {
        _ = write!(line, "Init Duration: {}\t", ms(init));
    }
    line.push_str(&tail(&report.status));
    line
}

/// `INIT_REPORT …`, written only when an init failed or timed out. `phase` is `init` or `invoke`.
pub fn init_report(duration: Duration, phase: &str, status: &Status) -> String {
    format!("INIT_REPORT Init Duration: {}\tPhase: {phase}\t{}", ms(duration), tail(status))
}

fn tail(status: &Status) -> String {
    match status {
        Status::Success => String::new(),
        Status::Timeout => "Status: timeout\t".to_owned(),
        Status::Error(kind) => format!("Status: error\tError Type: {kind}\t"),
    }
}

fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

fn ceil_ms(duration: Duration) -> u128 {
    duration.as_nanos().div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_forms() {
        let mut r = Report {
            duration: Duration::from_micros(3_100),
            init: Some(Duration::from_micros(542_010)),
            memory_mib: 2048,
            used_bytes: 95 << 20,
            status: Status::Success,
        };
        assert_eq!(
            report("id", &r),
            "REPORT RequestId: id\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\tMax Memory Used: 95 MB\tInit Duration: 542.01 ms\t"
        );
        (r.init, r.status, r.used_bytes) = (None, Status::Error("Runtime.ExitError".to_owned()), 1 << 40);
        assert_eq!(
            report("id", &r),
            "REPORT RequestId: id\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 2048 MB\tMax Memory Used: 2048 MB\tStatus: error\tError Type: Runtime.ExitError\t"
        );
        assert_eq!(
            init_report(Duration::from_micros(87_280), "invoke", &Status::Timeout),
            "INIT_REPORT Init Duration: 87.28 ms\tPhase: invoke\tStatus: timeout\t"
        );
        assert_eq!(start("id", "$LATEST"), "START RequestId: id Version: $LATEST");
        assert_eq!(end("id"), "END RequestId: id");
    }
}
