//! Changes the keys of an older lambd's groups from `region:group` to `account:region:group`.
//!
//! The events of a group move page by page, and its segments last: they show what is still to be moved, so
//! that the next start continues a move that was interrupted.

use std::sync::Arc;

use lambd_model::arn::is_account;
use lambd_store::{Batch, CommitError, Durability, Range, Row, Store, Table};

use super::keys::{self, Cursor};

/// Whether a group's key has no account, which would be twelve digits before the region.
pub(super) fn is_old(group: &str) -> bool {
    !is_account(group.split(':').next().unwrap_or_default())
}

/// Moves these groups to the account.
pub(super) async fn migrate(
    store: &dyn Store,
    account: &str,
    groups: &[Arc<str>],
) -> Result<(), CommitError> {
    tracing::info!(groups = groups.len(), "rewriting the logs of an older lambd");
    for group in groups {
        rename(store, group, &format!("{account}:{group}")).await?;
    }
    Ok(())
}

async fn rename(store: &dyn Store, old: &str, new: &str) -> Result<(), CommitError> {
    let events = Range::new(keys::behind(old, Cursor::START), keys::end(old));
    move_rows(store, &events, |position| keys::event(new, position)).await?;
    move_rows(store, &Range::prefix(&keys::segments(old)), |position| keys::segment(new, position)).await
}

/// Reads the first page each time, because rows that were moved are no longer in the range.
async fn move_rows(
    store: &dyn Store,
    range: &Range,
    key: impl Fn(Cursor) -> Vec<u8>,
) -> Result<(), CommitError> {
    loop {
        let rows = store.range(Table::Logs, range).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for Row { key: old, value, .. } in rows {
            if let Some(position) = keys::position(&old) {
                batch.add_put(Table::Logs, key(position), value);
            }
            batch.add_delete(Table::Logs, old);
        }
        store.commit(batch, Durability::Buffered).await?;
    }
}
