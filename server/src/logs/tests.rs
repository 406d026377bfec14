//! Events from the sink to the page that is read, with retention and floods.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use lambd_store::{Batch, Durability, MemStore};

use super::*;

const ACCOUNT: &str = "000000000000";
const GROUP: &str = "000000000000:us-east-1:/aws/lambda/hello";

fn event(time_ms: i64, message: impl Into<String>) -> LogEvent {
    LogEvent { time_ms, message: message.into() }
}

fn start(store: &Arc<dyn Store>) -> Logs {
    start_with(store, Retention::default())
}

fn start_with(store: &Arc<dyn Store>, retention: Retention) -> Logs {
    runtime().block_on(Logs::start(Arc::clone(store), ACCOUNT, retention)).unwrap()
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemStore::new())
}

/// Writes as the platform writes its own lines.
fn write_now(stream: &LogStream, event: LogEvent) {
    assert!(stream.try_write(&mut vec![event]));
}

/// One runtime for all tests: the writers' threads use it for as long as they live.
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    &RUNTIME
}

fn page(logs: &Logs, group: &str, from: Cursor, limit: usize) -> EventPage {
    runtime().block_on(logs.read(group, from, limit)).unwrap()
}

/// Reads every event of a group, page after page.
fn read_all(logs: &Logs, group: &str, limit: usize) -> Vec<StoredEvent> {
    let (mut all, mut cursor) = (Vec::new(), Cursor::START);
    loop {
        let page = page(logs, group, cursor, limit);
        if page.events.is_empty() {
            return all;
        }
        all.extend(page.events);
        cursor = page.next;
    }
}

fn messages(logs: &Logs, group: &str) -> Vec<String> {
    read_all(logs, group, 7).into_iter().map(|event| event.message).collect()
}

#[test]
fn events_are_read_in_the_order_in_which_they_were_accepted() {
    let store = memory();
    let logs = start(&store);
    runtime().block_on(async {
        let (a, b) = (logs.sink().stream(GROUP, "a"), logs.sink().stream(GROUP, "b"));
        let other = logs.sink().stream("000000000000:us-east-1:/aws/lambda/hello2", "a");
        for i in 0..50_i64 {
            write_now(&a, event(i, format!("START {i}")));
            let lines = (0..3).map(|line| event(1000 - i, format!("line {i} {line}"))).collect();
            b.write(lines).await;
            other.write(vec![event(i, "other")]).await;
            write_now(&a, event(i, format!("END {i}")));
        }
        logs.sink().flush().await;
    });
    let want = |i| {
        [
            format!("START {i}"),
            format!("line {i} 0"),
            format!("line {i} 1"),
            format!("line {i} 2"),
            format!("END {i}"),
        ]
    };
    assert_eq!(messages(&logs, GROUP), (0..50).flat_map(want).collect::<Vec<_>>());
    assert_eq!(messages(&logs, "000000000000:us-east-1:/aws/lambda/hello2").len(), 50);
    assert_eq!(
        read_all(&logs, GROUP, 100)[1],
        StoredEvent { time_ms: 1000, stream: "b".into(), message: "line 0 0".into() }
    );
    assert!(messages(&logs, "/aws/lambda/hell").is_empty());
}

#[test]
fn a_cursor_finds_what_came_later() {
    let store = memory();
    let logs = start(&store);
    let runtime = runtime();
    let stream = logs.sink().stream(GROUP, "s");
    let write = |message: &str| {
        runtime.block_on(async {
            stream.write(vec![event(0, message)]).await;
            logs.sink().flush().await;
        })
    };
    write("one");
    let first = page(&logs, GROUP, Cursor::START, 10);
    let empty = page(&logs, GROUP, first.next, 10);
    assert!(empty.events.is_empty());
    assert_eq!(empty.next, first.next);
    write("two");
    assert_eq!(page(&logs, GROUP, empty.next, 10).events[0].message, "two");
    let future = Cursor::since(first.next.time_ms() + 3_600_000);
    assert!(page(&logs, GROUP, future, 10).events.is_empty());
    assert_eq!(page(&logs, GROUP, Cursor::since(first.next.time_ms()), 10).events.len(), 2);
}

#[test]
fn a_restart_continues_after_the_stored_events() {
    let store = memory();
    for round in 0..3 {
        let logs = start(&store);
        let stream = logs.sink().stream(GROUP, "s");
        for i in 0..10 {
            write_now(&stream, event(0, format!("{round} {i}")));
        }
        logs.stop();
        assert_eq!(messages(&logs, GROUP).len(), 10 * (round + 1), "stop writes waiting events");
        write_now(&stream, event(0, "after the end"));
        let want = (0..=round).flat_map(|round| (0..10).map(move |i| format!("{round} {i}")));
        assert_eq!(messages(&logs, GROUP), want.collect::<Vec<_>>());
    }
}

#[test]
fn long_messages_and_names_are_cut() {
    let store = memory();
    let logs = start(&store);
    let group = "g".repeat(5000);
    let stream = logs.sink().stream(&group, &"s".repeat(5000));
    runtime().block_on(stream.write(vec![event(0, "m".repeat(1 << 20)), event(0, "next")]));
    logs.stop();
    let events = read_all(&logs, &group, 10);
    assert_eq!(events.iter().map(|event| event.message.len()).collect::<Vec<_>>(), [MESSAGE_BYTES_MAX, 4]);
    assert_eq!(events[0].stream.len(), 512);
}

#[test]
fn the_oldest_events_are_removed() {
    let store = memory();
    let retention = Retention { group_bytes_max: 160_000, ..Retention::default() };
    let logs = start_with(&store, retention);
    let runtime = runtime();
    let stream = logs.sink().stream(GROUP, "s");
    for i in 0..60 {
        let lines = (0..100).map(|line| event(0, format!("{i:03} {line:096}"))).collect();
        runtime.block_on(async {
            stream.write(lines).await;
            logs.sink().flush().await;
        });
    }
    let quiet = logs.sink().stream("/aws/lambda/quiet", "s");
    write_now(&quiet, event(0, "kept"));
    logs.stop();
    let left = messages(&logs, GROUP);
    let bytes: usize = left.iter().map(String::len).sum();
    assert!((100_000..=160_000).contains(&bytes), "{bytes}");
    assert!(left.is_sorted() && left.last().unwrap().starts_with("059"));
    assert_eq!(messages(&logs, "/aws/lambda/quiet"), ["kept"]);
    // A later start with a shorter retention removes the rest by age.
    std::thread::sleep(Duration::from_millis(5));
    let retention = Retention { age_max: Duration::from_millis(1), ..retention };
    let logs = start_with(&store, retention);
    runtime.block_on(logs.sink().flush());
    assert!(runtime.block_on(store.range(Table::Logs, &Range::all())).unwrap().is_empty());
}

/// A flood waits only for itself: the queue has no more of it than its share; other groups do not wait.
#[test]
fn a_flood_waits_and_other_groups_do_not() {
    const FLOOD_BYTES: usize = 20 << 20;
    let store = memory();
    let logs = start(&store);
    let said = runtime().block_on(async {
        let loud = logs.sink().stream("/aws/lambda/loud", "s");
        let over = Arc::new(AtomicBool::new(false));
        let flood = tokio::spawn({
            let over = Arc::clone(&over);
            async move {
                for i in 0..FLOOD_BYTES / 64 / 1024 {
                    loud.write((0..64).map(|_| event(0, format!("{i:01024}"))).collect()).await;
                }
                over.store(true, Ordering::Release);
            }
        });
        let quiet = logs.sink().stream("/aws/lambda/quiet", "s");
        let mut said = 0;
        while !over.load(Ordering::Acquire) {
            quiet.write(vec![event(0, format!("quiet {said}"))]).await;
            said += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        flood.await.unwrap();
        logs.sink().flush().await;
        said
    });
    let want: Vec<String> = (0..said).map(|i| format!("quiet {i}")).collect();
    assert_eq!(messages(&logs, "/aws/lambda/quiet"), want);
    assert!(said > 1);
    let loud: usize = read_all(&logs, "/aws/lambda/loud", 1000).iter().map(|event| event.message.len()).sum();
    assert_eq!(loud, FLOOD_BYTES);
}

/// The queue is not read here, so that its content can be counted. More groups flood than the queue has
/// shares for; a quiet group and the platform still have space.
#[test]
fn the_queue_is_bounded_and_loud_groups_do_not_fill_it_for_others() {
    let (sink, receiver) = queue::new();
    runtime().block_on(async {
        for group in 0..12 {
            let stream = sink.stream(&format!("group {group}"), "s");
            let mut flood: Vec<_> = (0..1000).map(|_| event(0, "x".repeat(1024))).collect();
            let handed_in = tokio::time::timeout(Duration::from_millis(20), stream.write_pending(&mut flood));
            assert!(handed_in.await.is_err(), "a megabyte does not fit into the share of a group");
            assert!(!flood.is_empty());
        }
        let quiet = sink.stream("quiet", "s");
        let lines = (0..20).map(|_| event(0, "x".repeat(1024))).collect();
        quiet.write(lines).now_or_never().expect("a quiet group does not wait");
        let platform = sink.stream("group 1", "platform");
        let mut report = vec![event(0, "END"), event(0, "REPORT")];
        assert!(platform.try_write(&mut report) && report.is_empty());
        let line = || vec![event(0, "x".repeat(1024))];
        let accepted = (0..10_000).take_while(|_| platform.try_write(&mut line())).count();
        assert!((1000..3000).contains(&accepted), "{accepted}");
        let mut late = line();
        assert!(!platform.try_write(&mut late));
        assert_eq!(late.len(), 1, "events without space stay pending");
    });
    let portions = receiver.try_iter().filter_map(|message| match message {
        queue::Message::Events(portion) => Some(portion),
        _ => None,
    });
    let bytes: usize = portions.map(|portion| portion.events.iter().map(queue::cost).sum::<usize>()).sum();
    assert!((4 << 20..7 << 20).contains(&bytes), "{bytes}");
}

/// Logs of an older lambd, with and without other groups whose names begin in the same way.
#[test]
fn groups_without_an_account_are_given_one() {
    let store = memory();
    let olds = ["us-east-1:/aws/lambda/hello", "us-east-1:/aws/lambda/hello2", "eu-west-1:mine"];
    let mut batch = Batch::new();
    let mut position = Cursor::START;
    for group in olds {
        for n in 0..3000_u64 {
            position = position.next(1_000_000 + n);
            let event = keys::encode("s", &event(0, format!("{group} {n}")));
            batch.add_put(Table::Logs, keys::event(group, position), event);
            if n % 1000 == 0 {
                batch.add_put(Table::Logs, keys::segment(group, position), 7_u64.to_be_bytes().to_vec());
            }
        }
    }
    runtime().block_on(store.commit(batch, Durability::Synced)).unwrap();
    let segments =
        || runtime().block_on(store.range(Table::Logs, &Range::prefix(keys::SEGMENTS))).unwrap().len();
    let before = segments();
    for _ in 0..2 {
        let (_sink, receiver) = queue::new();
        let load = writer::Writer::load(Arc::clone(&store), ACCOUNT, Retention::default(), receiver);
        drop(runtime().block_on(load).unwrap());
        assert_eq!(segments(), before);
    }
    // Written at the present time: after the stored events.
    let logs = start_with(&store, Retention { age_max: Duration::MAX, ..Retention::default() });
    for group in olds {
        let want: Vec<_> = (0..3000).map(|n| format!("{group} {n}")).collect();
        assert_eq!(messages(&logs, &format!("{ACCOUNT}:{group}")), want);
        assert!(messages(&logs, group).is_empty());
    }
}
