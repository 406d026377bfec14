//! Settings of RocksDB for a small, mostly idle database: the whole server must stay under 40 MiB.

use crate::family::Family;
use rocksdb::{
    BlockBasedOptions, Cache, ChecksumType, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode,
    LogLevel, Options,
};

/// Cache of blocks read from disk, for all tables together. It is small because the registry keeps its
/// records in memory.
const BLOCK_CACHE_BYTES: usize = 4 << 20;
/// Memory for unflushed changes of one table.
const WRITE_BUFFER_BYTES: usize = 4 << 20;
/// Memory for unflushed changes of all tables together.
const WRITE_BUFFERS_BYTES: usize = 8 << 20;
/// Limit of the write-ahead log, which is replayed at each start: 16 MiB take about 50 ms.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// Descriptors of the database; more table files are opened only when needed.
const OPEN_FILES_MAX: i32 = 64;
/// Number of background jobs: one flush and one compaction at a time.
const BACKGROUND_JOBS: i32 = 2;
/// Size of RocksDB's info log, `db/LOG`.
const DIARY_BYTES_MAX: usize = 1 << 20;
const DIARY_FILES_MAX: usize = 2;

/// The settings of the database as a whole.
pub(crate) fn database() -> Options {
    let mut options = inspection();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(LOG_BYTES_MAX);
    options.set_max_background_jobs(BACKGROUND_JOBS);
    options
}

/// The settings for an inspection that must not change the database.
pub(crate) fn inspection() -> Options {
    let mut options = Options::default();
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Set here and not only in `database`: if a database was written with it and is inspected without it,
    // RocksDB 11.8 writes the changed setting through a null pointer.
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(DIARY_BYTES_MAX);
    options.set_keep_log_file_num(DIARY_FILES_MAX);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// Every table with its settings.
pub(crate) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    Family::all().map(|table| ColumnFamilyDescriptor::new(table.name(), family(&cache))).collect()
}

fn family(cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_checksum_type(ChecksumType::XXH3);
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(2);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}
