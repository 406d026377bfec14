//! A test suite for every implementation of [`Store`]. The tests of each include it by its path, so that no
//! program has it. It uses only what the trait promises.
//!
//! `contract!(open)` makes a test of each case; `open` returns an empty store and a value that must live as
//! long.

mod feed;
mod model;
mod queue;
mod rows;
mod sizes;
mod versions;

pub(crate) use {feed::*, model::*, queue::*, rows::*, sizes::*, versions::*};

use std::sync::Arc;

use lambd_store::*;

macro_rules! contract {
    ($open:expr) => {
        contract! {
            $open,
            rows_are_put_read_and_deleted, ranges_have_bounds_direction_and_limits, pages_cover_everything,
            deleted_ranges_end_before_their_end, tables_without_versions_hold_rows_too, sizes_are_limited,
            names_are_limited, deleted_ranges_are_limited, expectations_decide_the_whole_batch,
            versions_never_come_again, compare_and_set_loses_nothing, only_versioned_tables_have_expectations,
            entries_come_when_they_are_due, claimed_entries_are_hidden_until_the_lease_ends,
            acknowledged_entries_are_gone, released_entries_come_later_with_their_new_part,
            extended_leases_end_later, lost_leases_are_refused, entries_and_rows_change_together,
            one_entry_is_changed_once, entries_are_not_doubled, queues_are_separate_and_listed,
            depth_counts_what_waits, no_entry_is_claimed_twice, random_operations_agree_with_the_model,
            feeds_have_every_change_in_order, slow_subscribers_must_read_again, feeds_end_with_the_store,
        }
    };
    ($open:expr, $($case:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (store, _alive) = $open();
                suite::$case(store).await;
            }
        )*
    };
}

type Shared = Arc<dyn Store>;

const F: Table = Table::Functions;

async fn commit(store: &dyn Store, batch: Batch) -> Result<RowVersion, CommitError> {
    store.commit(batch, Durability::Synced).await
}

async fn value(store: &dyn Store, key: &str) -> Option<String> {
    let row = store.get(F, key.as_bytes()).await.unwrap();
    row.map(|row| String::from_utf8(row.value).unwrap())
}
