//! The tables of the store.

/// A table of the store. To add one, add a variant here and a line in [`Table::ALL`], [`Table::name`] and
/// [`Table::is_versioned`]; existing data directories get it when they are next opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Functions and what belongs to a single one: versions, aliases, concurrency, tags, policies.
    Functions,
    /// What does not belong to a single function: the account's settings, layers, event source mappings.
    Account,
    /// Log events.
    Logs,
}

impl Table {
    /// Every table, at the index that is its number.
    pub const ALL: [Self; 3] = [Self::Functions, Self::Account, Self::Logs];

    /// The name under which the table is stored. It never changes, because it is part of the stored format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Account => "account",
            Self::Logs => "logs",
        }
    }

    /// Whether the rows have versions, and so expectations and a feed of changes. It never changes for a
    /// table.
    ///
    /// [`Table::Logs`] has none: its one writer never compares, and its batches have thousands of rows. All
    /// its rows have [`RowVersion::NONE`](crate::RowVersion::NONE).
    #[must_use]
    pub const fn is_versioned(self) -> bool {
        match self {
            Self::Functions | Self::Account => true,
            Self::Logs => false,
        }
    }
}
