//! Identity policies in IAM's language: what a caller may do [fact:policy-evaluation].
//!
//! A pure evaluator: a policy is read once, and decides about an action on a resource in a context of condition keys.
//!
//! Invariants: a deny wins over any allow; what no statement allows is denied; a policy with an element, an operator
//! or a condition key that this evaluator does not know is refused when it is read, because a statement that is only
//! partly understood could allow what it must not.

mod condition;
mod context;
mod document;
mod forms;
mod operand;
mod pattern;
mod statement;
#[cfg(test)]
mod tests;

pub use context::ConditionContext;
pub use document::PolicyDocumentError;
use statement::{Effect, PolicyStatement};

/// A policy that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityPolicy {
    statements: Vec<PolicyStatement>,
}

/// What is asked of a policy.
#[derive(Clone, Copy, Debug)]
pub struct AccessQuestion<'a> {
    /// The action, such as `lambda:InvokeFunction`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` where the action has none.
    pub resource: &'a str,
    /// What is known of the request.
    pub context: &'a ConditionContext,
}

/// What a policy says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement is about it.
    NotAllowed,
    /// A statement denies it, whatever others say.
    Denied,
}

impl IdentityPolicy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// [`PolicyDocumentError`], which says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, PolicyDocumentError> {
        document::parse(text)
    }

    /// A policy that allows nothing.
    pub const fn nothing() -> Self {
        Self { statements: Vec::new() }
    }

    /// Decides about one action on one resource.
    pub fn decide(&self, question: &AccessQuestion<'_>) -> PolicyDecision {
        let mut decision = PolicyDecision::NotAllowed;
        for statement in self.statements.iter().filter(|statement| statement.applies(question)) {
            match statement.effect {
                Effect::Deny => return PolicyDecision::Denied,
                Effect::Allow => decision = PolicyDecision::Allowed,
            }
        }
        decision
    }
}
