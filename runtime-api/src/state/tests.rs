//! Every pair of state and call.

use super::{Call, Forbidden, State};

const CALLS: [Call; 7] =
    [Call::Next, Call::Hand, Call::HandBack, Call::Response, Call::Error, Call::Sent, Call::InitError];

#[test]
fn every_combination() {
    use State::{
        InitError, InvocationErrorResponse as Failing, InvocationResponse as Responding, Ready,
        ResponseSent as Sent, Running, Started,
    };
    let table = [
        //           Next           Hand           HandBack     Response          Error          Sent        InitError
        (Started, [Some(Ready), None, None, None, None, None, Some(InitError)]),
        (Ready, [Some(Ready), Some(Running), Some(Ready), None, None, None, None]),
        (Running, [Some(Running), Some(Running), Some(Ready), Some(Responding), Some(Failing), None, None]),
        (Responding, [None, None, None, None, None, Some(Sent), None]),
        (Failing, [None, None, None, None, None, Some(Sent), None]),
        (Sent, [Some(Ready), None, None, None, None, None, None]),
        (InitError, [None; 7]),
    ];
    for (from, row) in table {
        for (call, expected) in CALLS.into_iter().zip(row) {
            let result = from.on(call);
            assert_eq!(result.ok(), expected, "{from} on {call:?}");
            if let Err(Forbidden { from: named, to }) = result {
                assert_eq!((named, to), (from, call.target()), "{from} on {call:?}");
            }
        }
    }
}

#[test]
fn refusals_name_both_states() {
    for (from, call, text) in [
        (State::Started, Call::Response, "from Started to InvocationResponse failed"),
        (State::Ready, Call::InitError, "from Ready to InitError failed"),
        (State::ResponseSent, Call::Error, "from RuntimeResponseSentState to InvocationErrorResponse failed"),
        (State::InitError, Call::Next, "from InitError to Ready failed"),
    ] {
        let message = from.on(call).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("State transition {text} for runtime. Error: State transition is not allowed")
        );
    }
}
