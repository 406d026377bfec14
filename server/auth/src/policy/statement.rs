//! One statement of a policy.

use super::AccessQuestion;
use super::condition::Condition;
use super::pattern::Pattern;

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Patterns of which one must fit, or none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Patterns {
    /// `Action`, `Resource`.
    AnyOf(Vec<Pattern>),
    /// `NotAction`, `NotResource`.
    NoneOf(Vec<Pattern>),
}

impl Patterns {
    fn fit(&self, fits: impl Fn(&Pattern) -> bool) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(fits),
            Self::NoneOf(patterns) => !patterns.iter().any(fits),
        }
    }
}

/// A statement: it applies where its action, its resource and all its conditions do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PolicyStatement {
    pub(super) effect: Effect,
    pub(super) actions: Patterns,
    pub(super) resources: Patterns,
    pub(super) conditions: Vec<Condition>,
}

impl PolicyStatement {
    pub(super) fn applies(&self, question: &AccessQuestion<'_>) -> bool {
        let AccessQuestion { action, resource, context } = *question;
        self.actions.fit(|pattern| pattern.fits_any_case(action, context))
            && self.resources.fit(|pattern| pattern.fits(resource, context))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}
