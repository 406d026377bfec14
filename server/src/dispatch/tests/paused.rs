//! Paused time that waits for sockets.
//!
//! A runtime with paused time advances its clock when no task can run. It looks for ready sockets right before,
//! but then advances all the same, whether it found any or not: the nearest timer, such as a deadline, would come
//! due while an answer lies in a socket. So each time that the thread is about to park, it is sent round once
//! more, until nobody has moved a byte for [`ROUNDS`]: each round looks for ready sockets without advancing. Loopback
//! bytes have arrived when `write` returns, so a few rounds see whatever is on its way.
//!
//! Work on the blocking pool needs nothing of this: while any is under way, tokio does not advance the clock.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Instant;

/// From a byte moved by a runtime to the next one, the server needs two or three.
const ROUNDS: u32 = 12;

thread_local! {
    /// Rounds since somebody moved a byte; the runtime and all of its tasks have one thread.
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// A byte was sent or received: there may be more to come before time goes on.
pub(super) fn moved() {
    QUIET.set(0);
}

/// Runs a test with paused time.
pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let round = Arc::new(Notify::new());
    let again = Arc::clone(&round);
    let park = move || {
        let rounds = QUIET.get();
        QUIET.set(if rounds < ROUNDS { rounds + 1 } else { 0 });
        if rounds < ROUNDS {
            // A task that can run keeps the thread from parking.
            again.notify_one();
        }
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).on_thread_park(park).build().unwrap();
    runtime.spawn(async move {
        loop {
            round.notified().await;
        }
    });
    runtime.block_on(test)
}

#[test]
fn bytes_on_their_way_stop_the_clock() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            while let Ok(byte) = stream.read_u8().await {
                stream.write_u8(byte).await.unwrap();
            }
        });
        tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let start = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        for byte in 0..100 {
            stream.write_u8(byte).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), byte);
            moved();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}
