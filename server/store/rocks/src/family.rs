//! Column families. Their names are part of the stored format.

use lambd_store::Table;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Family(&'static str);

/// Facts about the data directory itself, such as its format.
pub(crate) const META: Family = Family("meta");
/// The due queue; the module `due` describes its keys.
pub(crate) const EVENTS: Family = Family("events");

impl Family {
    pub(crate) const fn of(table: Table) -> Self {
        Self(table.name())
    }

    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// Every family of this program, except RocksDB's default one.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [META, EVENTS].into_iter().chain(Table::ALL.map(Self::of))
    }
}
