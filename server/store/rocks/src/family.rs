//! Column families. Their names are part of the format.

use lambd_store::Table;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Family(&'static str);

/// Facts about the data directory itself: its format.
pub(crate) const META: Family = Family("meta");
/// The due queue; the module `due` has its keys.
pub(crate) const EVENTS: Family = Family("events");

impl Family {
    pub(crate) const fn of(table: Table) -> Self {
        Self(table.name())
    }

    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// Every family that this program knows, but for RocksDB's own.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [META, EVENTS].into_iter().chain(Table::ALL.map(Self::of))
    }
}
