//! GetCallerIdentity: account, ARN and id of the caller. It needs no permission [fact:caller-identity].

use super::StsCall;
use super::xml::Element;

pub(super) fn handle(call: &StsCall<'_>) -> Vec<Element> {
    let caller = &call.identity.principal;
    vec![
        Element::Text("Arn", caller.arn.clone()),
        Element::Text("UserId", caller.unique_id.clone()),
        Element::Text("Account", caller.account.to_string()),
    ]
}
