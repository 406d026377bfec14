//! The tables of the store.

/// A table of the store. A new table is a variant here, a line in [`Table::ALL`], one in [`Table::name`] and
/// one in [`Table::is_versioned`]; it appears in existing data directories at their next opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Functions and all that belongs to one: versions, aliases, concurrency, tags, policies.
    Functions,
    /// What belongs to no single function: the account's settings, layers, event source mappings.
    Account,
    /// Log events.
    Logs,
}

impl Table {
    /// Every table, each at the place that it has as a number.
    pub const ALL: [Self; 3] = [Self::Functions, Self::Account, Self::Logs];

    /// The name under which the table is stored. Never changes: it is part of the stored format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Account => "account",
            Self::Logs => "logs",
        }
    }

    /// Whether the rows have versions, and with them expectations and a feed of changes. Never changes.
    ///
    /// [`Table::Logs`] has one writer that never compares, and batches of thousands of rows: it saves the
    /// bookkeeping, and all its rows have [`RowVersion::NONE`](crate::RowVersion::NONE).
    #[must_use]
    pub const fn is_versioned(self) -> bool {
        match self {
            Self::Functions | Self::Account => true,
            Self::Logs => false,
        }
    }
}
