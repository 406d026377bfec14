//! The platform's answers for functions that failed [fact:platform-failures].

use bytes::Bytes;
use lambd_sandbox::Exit;

use crate::platform_log::Status;
use crate::runtimes::{InvalidEntrypoint, entrypoint};

/// A failed invocation: its payload for the caller and its status for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationFailure {
    /// The body of the answer, which is sent with `X-Amz-Function-Error: Unhandled`.
    pub payload: Bytes,
    /// The status in REPORT and INIT_REPORT.
    pub status: Status,
    /// Whether the runtime itself reported the failure; else the platform did.
    pub reported: bool,
}

impl InvocationFailure {
    /// The runtime's own error body, unchanged.
    pub fn reported(payload: Bytes, error_type: String) -> Self {
        Self { payload, status: Status::Error(error_type), reported: true }
    }

    /// The function's timeout passed.
    pub fn timeout(request_id: &str, timeout_s: u32) -> Self {
        let text = format!("RequestId: {request_id} Error: Task timed out after {timeout_s}.00 seconds");
        Self { payload: payload("Sandbox.Timedout", &text), status: Status::Timeout, reported: false }
    }

    /// The runtime process ended.
    pub fn exit(request_id: &str, exit: &Exit) -> Self {
        let (kind, reason) = match exit {
            Exit::Code(0) => ("Runtime.ExitError", "Runtime exited without providing a reason".to_owned()),
            Exit::Code(code) => {
                ("Runtime.ExitError", format!("Runtime exited with error: exit status {code}"))
            }
            // Where the kernel kills whole groups, out of memory also ends pid 1 of the sandbox.
            Exit::Gone => ("Runtime.ExitError", "Runtime exited with error: signal: killed".to_owned()),
            Exit::Signal(signal) => {
                ("Runtime.ExitError", format!("Runtime exited with error: signal: {}", signal_name(*signal)))
            }
            Exit::ExecFailed(errno) => (InvalidEntrypoint::TYPE, entrypoint::reason(*errno)),
        };
        let text = format!("RequestId: {request_id} Error: {reason}");
        Self { payload: payload(kind, &text), status: Status::Error(kind.to_owned()), reported: false }
    }

    /// The program could not be started.
    pub fn entrypoint(request_id: &str, reason: &InvalidEntrypoint) -> Self {
        Self::platform(InvalidEntrypoint::TYPE, request_id, &reason.to_string())
    }

    /// The response was larger than 6,291,556 bytes. AWS puts this message first [fact:platform-failures].
    pub fn response_too_large() -> Self {
        Self {
            payload: Bytes::from_static(
                br#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#,
            ),
            status: Status::Error("Function.ResponseSizeTooLarge".to_owned()),
            reported: false,
        }
    }

    /// A violation of the Runtime API, e.g. `Runtime.TruncatedResponse`; `text` may be empty.
    pub fn platform(kind: &str, request_id: &str, text: &str) -> Self {
        let text = format!("RequestId: {request_id} Error: {text}");
        Self { payload: payload(kind, &text), status: Status::Error(kind.to_owned()), reported: false }
    }

    /// An answer with an empty body, for a wrong response mode [fact:invalid-response-mode].
    pub fn empty(kind: &str) -> Self {
        Self { payload: Bytes::new(), status: Status::Error(kind.to_owned()), reported: false }
    }
}

fn payload(kind: &str, text: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"errorType":{},"errorMessage":{}}}"#,
        serde_json::Value::from(kind),
        serde_json::Value::from(text)
    ))
}

/// The names of signals in Go, which AWS's texts use; other signals by number.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        10 => "user defined signal 1",
        11 => "segmentation fault",
        12 => "user defined signal 2",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_those_recorded_on_aws() {
        let cases = [
            (
                InvocationFailure::timeout("id", 1),
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id Error: Task timed out after 1.00 seconds"}"#,
            ),
            (
                InvocationFailure::exit("id", &Exit::Code(127)),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: Runtime exited with error: exit status 127"}"#,
            ),
            (
                InvocationFailure::exit("id", &Exit::Code(0)),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: Runtime exited without providing a reason"}"#,
            ),
            (
                InvocationFailure::exit("id", &Exit::Signal(9)),
                r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: Runtime exited with error: signal: killed"}"#,
            ),
        ];
        for (failure, want) in cases {
            assert_eq!(failure.payload, want);
        }
    }
}
