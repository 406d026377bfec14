//! Every pair of state and transition.

use super::{Forbidden, RuntimeState, Transition};

const TRANSITIONS: [Transition; 7] = [
    Transition::Next,
    Transition::Hand,
    Transition::HandBack,
    Transition::Response,
    Transition::Error,
    Transition::Sent,
    Transition::InitError,
];

#[test]
fn every_pair_of_state_and_transition_is_as_the_table_says() {
    use RuntimeState::{
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
        for (transition, expected) in TRANSITIONS.into_iter().zip(row) {
            let result = from.on(transition);
            assert_eq!(result.ok(), expected, "{from} on {transition:?}");
            if let Err(Forbidden { from: named, to }) = result {
                assert_eq!((named, to), (from, transition.target()), "{from} on {transition:?}");
            }
        }
    }
}

#[test]
fn refusals_name_both_states() {
    for (from, transition, text) in [
        (RuntimeState::Started, Transition::Response, "from Started to InvocationResponse failed"),
        (RuntimeState::Ready, Transition::InitError, "from Ready to InitError failed"),
        (
            RuntimeState::ResponseSent,
            Transition::Error,
            "from RuntimeResponseSentState to InvocationErrorResponse failed",
        ),
        (RuntimeState::InitError, Transition::Next, "from InitError to Ready failed"),
    ] {
        let message = from.on(transition).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("State transition {text} for runtime. Error: State transition is not allowed")
        );
    }
}
