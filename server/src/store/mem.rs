use super::{Batch, CommitError, Direction, Durability, Range, Row, Store, StoreError, Table, batch::Op};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store in memory that forgets everything when dropped: for tests.
#[derive(Debug, Default)]
pub struct MemStore {
    tables: Mutex<[Rows; Table::ALL.len()]>,
}

impl MemStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, [Rows; Table::ALL.len()]> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bounds(range: &Range) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let start = range.first().map_or(Bound::Unbounded, Bound::Included);
    (start, range.last().map_or(Bound::Unbounded, Bound::Excluded))
}

/// `BTreeMap::range` panics where the start lies behind the end.
fn is_empty(start: Option<&[u8]>, end: Option<&[u8]>) -> bool {
    matches!((start, end), (Some(start), Some(end)) if start >= end)
}

impl Store for MemStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock()[table as usize].get(key).cloned())
    }

    fn range(&self, table: Table, range: &Range) -> Result<Vec<Row>, StoreError> {
        if is_empty(range.first().as_deref(), range.last().as_deref()) {
            return Ok(Vec::new());
        }
        let tables = self.lock();
        let rows = tables[table as usize].range(bounds(range));
        let rows = rows.map(|(key, value)| Ok::<Row, Infallible>((key.clone(), value.clone())));
        let taken = match range.direction {
            Direction::Forward => range.take(rows),
            Direction::Reverse => range.take(rows.rev()),
        };
        Ok(taken.unwrap_or_else(|never| match never {}))
    }

    fn commit(&self, batch: Batch, _: Durability) -> Result<(), CommitError> {
        batch.validate()?;
        let mut tables = self.lock();
        for expectation in &batch.expectations {
            let rows = &tables[expectation.table as usize];
            expectation.check(rows.get(&expectation.key).map(Vec::as_slice))?;
        }
        for op in batch.ops {
            match op {
                Op::Put { table, key, value } => {
                    tables[table as usize].insert(key, value);
                }
                Op::Delete { table, key } => {
                    tables[table as usize].remove(&key);
                }
                Op::DeleteRange { table, start, end } => {
                    tables[table as usize].retain(|key, _| !(start <= *key && *key < end));
                }
            }
        }
        Ok(())
    }
}
