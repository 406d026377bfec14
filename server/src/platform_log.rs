//! The platform's own log lines: AWS's texts in the Text format [fact:text-lines], telemetry records in JSON
//! [fact:json-records].

mod json;

use std::fmt::Write as _;
use std::time::Duration;

use lambd_model::{LogFormat, Logging};

/// Makes the lines of a function, in the form and with the level that its configuration says.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a>(pub &'a Logging);

impl Lines<'_> {
    /// The line before an invocation; `None` if the system level omits it.
    pub fn start(self, request_id: &str, version: &str) -> Option<String> {
        match self.0.format {
            LogFormat::Text => Some(start(request_id, version)),
            LogFormat::Json => self.shows_info().then(|| json::start(request_id, version)),
        }
    }

    /// The lines after an invocation: END and REPORT, or in JSON the report alone.
    pub fn finish(self, request_id: &str, report: &Report) -> Vec<String> {
        match self.0.format {
            LogFormat::Text => vec![end(request_id), text_report(request_id, report)],
            LogFormat::Json if report.status == Status::Success && !self.shows_info() => Vec::new(),
            LogFormat::Json => vec![json::report(request_id, report)],
        }
    }

    /// The line for an init that failed or timed out, or of a provisioned environment; `None` if the system level
    /// omits it. `kind` is why there was an init, such as `on-demand`; `phase` is `init` or `invoke`.
    pub fn init_report(self, duration: Duration, kind: &str, phase: &str, status: &Status) -> Option<String> {
        match self.0.format {
            LogFormat::Text => Some(text_init_report(duration, phase, status)),
            LogFormat::Json if *status == Status::Success && !self.shows_info() => None,
            LogFormat::Json => Some(json::init_report(duration, kind, phase, status)),
        }
    }

    /// `platform.start` and the reports of a success have the level INFO [fact:json-levels].
    fn shows_info(self) -> bool {
        self.0.system_level.as_deref() != Some("WARN")
    }
}

/// How an invocation or an init ended, as REPORT and INIT_REPORT show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Success; the text forms show nothing.
    Success,
    /// `Status: timeout`.
    Timeout,
    /// `Status: error` with the normalised error type.
    Error(String),
}

/// The content of a REPORT line.
#[derive(Debug, Clone)]
pub struct Report {
    /// From the delivery of the event to the end of the invoke phase.
    pub duration: Duration,
    /// Duration of the init of a cold start; `None` if there was none or it was suppressed.
    pub init: Option<Duration>,
    /// Memory limit, MiB.
    pub memory_mib: u32,
    /// Highest memory use so far, bytes.
    pub used_bytes: u64,
    /// How it ended.
    pub status: Status,
}

impl Report {
    /// Billed duration in whole milliseconds, rounded up, with the init [fact:billed-duration].
    fn billed_ms(&self) -> u64 {
        let billed = self.duration + self.init.unwrap_or_default();
        u64::try_from(billed.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// Highest memory use in whole MiB, rounded up, at most the limit.
    fn used_mib(&self) -> u64 {
        self.used_bytes.div_ceil(1 << 20).clamp(1, u64::from(self.memory_mib))
    }
}

/// `START RequestId: … Version: …`
fn start(request_id: &str, version: &str) -> String {
    format!("START RequestId: {request_id} Version: {version}")
}

/// `END RequestId: …`
fn end(request_id: &str) -> String {
    format!("END RequestId: {request_id}")
}

/// The REPORT line with its tab at the end. Init is part of the billed duration [fact:billed-duration].
fn text_report(request_id: &str, report: &Report) -> String {
    let (billed, used_mib) = (report.billed_ms(), report.used_mib());
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {}\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {used_mib} MB\t",
        ms(report.duration),
        report.memory_mib,
    );
    if let Some(init) = report.init {
        let _ = write!(line, "Init Duration: {}\t", ms(init));
    }
    line.push_str(&tail(&report.status));
    line
}

/// `INIT_REPORT …`
fn text_init_report(duration: Duration, phase: &str, status: &Status) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_forms_recorded_on_aws() {
        let mut r = Report {
            duration: Duration::from_micros(3_100),
            init: Some(Duration::from_micros(542_010)),
            memory_mib: 2048,
            used_bytes: 95 << 20,
            status: Status::Success,
        };
        assert_eq!(
            text_report("id", &r),
            "REPORT RequestId: id\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\tMax Memory Used: 95 MB\tInit Duration: 542.01 ms\t"
        );
        (r.init, r.status, r.used_bytes) = (None, Status::Error("Runtime.ExitError".to_owned()), 1 << 40);
        assert_eq!(
            text_report("id", &r),
            "REPORT RequestId: id\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 2048 MB\tMax Memory Used: 2048 MB\tStatus: error\tError Type: Runtime.ExitError\t"
        );
        assert_eq!(
            text_init_report(Duration::from_micros(87_280), "invoke", &Status::Timeout),
            "INIT_REPORT Init Duration: 87.28 ms\tPhase: invoke\tStatus: timeout\t"
        );
        assert_eq!(start("id", "$LATEST"), "START RequestId: id Version: $LATEST");
        assert_eq!(end("id"), "END RequestId: id");
    }

    #[test]
    fn the_system_level_omits_the_report_of_an_init_that_succeeded() {
        let logging = |format, level: Option<&str>| Logging {
            format,
            group: "g".to_owned(),
            application_level: None,
            system_level: level.map(str::to_owned),
        };
        let is_told = |logging: &Logging, status: &Status| {
            Lines(logging).init_report(Duration::ZERO, "provisioned-concurrency", "init", status).is_some()
        };
        let warn = logging(LogFormat::Json, Some("WARN"));
        assert!(!is_told(&warn, &Status::Success) && is_told(&warn, &Status::Timeout));
        assert!(is_told(&logging(LogFormat::Json, Some("INFO")), &Status::Success));
        assert!(is_told(&logging(LogFormat::Text, None), &Status::Success));
    }
}
