//! Paused time and sockets.
//!
//! Before tokio advances a paused clock, it polls its sockets once. If this, or the blocking pool, wakes a
//! task, the clock is not advanced; nor while the blocking pool works. Bytes to loopback have arrived when
//! `write` returns. So no timer expires while an answer is on its way between two tasks of a runtime with one
//! thread: time passes only when all of them wait for time.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Runs a test with paused time.
pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap().block_on(test)
}

/// All other tests depend on this.
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
        let ticks = tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let calls = tokio::spawn(async move {
            let start = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            for byte in 0..100 {
                stream.write_u8(byte).await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), byte);
                tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
            }
            start.elapsed()
        });
        assert_eq!(calls.await.unwrap(), Duration::ZERO);
        ticks.abort();
    });
}
