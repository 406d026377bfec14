//! Facts of the table about an operation as a whole.

use crate::Operation;

/// A row of the table: an operation's facts.
pub(crate) struct OperationFacts {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) uri: &'static str,
    pub(crate) status: u16,
}

impl Operation {
    /// The name of the API reference.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The HTTP method.
    pub const fn method(self) -> &'static str {
        self.facts().method
    }

    /// The URI template: labels in braces, in some cases with a query that is part of the resource.
    pub const fn uri(self) -> &'static str {
        self.facts().uri
    }

    /// The HTTP status of success; Invoke, InvokeAsync and DeleteFunction may have another in their output.
    pub const fn success_status(self) -> u16 {
        self.facts().status
    }
}
