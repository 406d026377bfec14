//! Writes the output of an environment to its log stream line by line, and the platform's lines between them.

use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use lambd_model::clock;
use tokio::net::unix::pipe::Receiver;

use crate::logs::lines::Splitter;
use crate::logs::{LogEvent, LogStream};

/// Bytes that are read from the pipe at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes that are read from the pipe at most before the END line of an invocation; a process that floods the
/// pipe is not read any further.
const SETTLE_BYTES_MAX: usize = 1024 * 1024;
/// How long the end of an invocation, of an init or of an environment may wait for the log.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);
/// `X-Amz-Log-Result` contains the last 4 KB [fact:log-tail].
const TAIL_BYTES: usize = 4096;

/// The log of one environment.
#[derive(Debug)]
pub struct ProgramOutput {
    pipe: Receiver,
    splitter: Splitter,
    stream: LogStream,
    /// Events that were not given to the sink yet.
    pending: Vec<LogEvent>,
    /// Whether `pending` contains lines of the function, which wait while the function has logged too much.
    /// The platform's lines alone do not wait.
    holds_output: bool,
    tail: Option<String>,
    chunk: Vec<u8>,
}

impl ProgramOutput {
    /// Reads from the non-blocking `pipe` and writes to `stream`.
    pub fn new(pipe: OwnedFd, stream: LogStream) -> io::Result<Self> {
        Ok(Self {
            pipe: Receiver::from_owned_fd(pipe)?,
            splitter: Splitter::new(),
            stream,
            pending: Vec::new(),
            holds_output: false,
            tail: None,
            chunk: Vec::new(),
        })
    }

    /// Starts to record the last 4 KB for the caller, unless they are being recorded.
    pub fn record_tail(&mut self) {
        self.tail.get_or_insert_default();
    }

    /// Returns what was recorded since [`Self::record_tail`].
    pub fn take_tail(&mut self) -> Option<String> {
        self.tail.take()
    }

    /// Adds a line of the platform.
    pub fn line(&mut self, message: String) {
        self.push(message);
    }

    /// Moves output into the log for as long as it is polled; never ends. Cancel-safe: a line that was read
    /// is kept until the log has space for it.
    pub async fn pump(&mut self) -> Infallible {
        loop {
            self.flush().await;
            if self.pipe.readable().await.is_err() || self.read_chunk() == Some(0) {
                // Every writer has ended: only the exit of the process is left to wait for.
                std::future::pending::<Infallible>().await;
            }
        }
    }

    /// Reads what is in the pipe now, so that the next lines of the log come after it. A last line without a
    /// line break counts as a line.
    pub async fn settle(&mut self) {
        let mut taken = 0;
        while taken < SETTLE_BYTES_MAX {
            match self.read_chunk() {
                Some(read) if read > 0 => taken += read,
                _ => break,
            }
            self.flush().await;
        }
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.flush(|line| self.printed(line));
    }

    /// Reads once and splits into lines; `None` if there is nothing to read now.
    fn read_chunk(&mut self) -> Option<usize> {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.resize(CHUNK_BYTES, 0);
        let read = self.pipe.try_read(&mut chunk);
        if let Ok(read) = &read {
            let mut splitter = std::mem::take(&mut self.splitter);
            splitter.push(&chunk[..*read], |line| self.printed(line));
            self.splitter = splitter;
        }
        self.chunk = chunk;
        match read {
            Ok(read) => Some(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(0),
        }
    }

    /// Gives all events to the log; waits while this function has used up its share of the queue.
    /// Cancel-safe.
    pub async fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        if self.holds_output || !self.stream.try_write(&mut self.pending) {
            self.stream.write_pending(&mut self.pending).await;
        }
        self.holds_output = false;
    }

    /// Writes the last output of an environment that is not used any more: what it printed since its last
    /// invocation or before its end.
    pub async fn close(mut self) {
        let rest = async {
            self.settle().await;
            self.flush().await;
        };
        let _ = tokio::time::timeout(LOG_TIMEOUT, rest).await;
    }

    /// Writes the platform's last lines of an invocation or init after the output so far. Waits for a slow
    /// log, but only for a limited time: lines that are not accepted in time follow with the environment's
    /// next ones, or are lost with it.
    pub async fn conclude(&mut self, lines: impl IntoIterator<Item = String>) {
        let deadline = tokio::time::Instant::now() + LOG_TIMEOUT;
        let _ = tokio::time::timeout_at(deadline, self.settle()).await;
        lines.into_iter().for_each(|line| self.line(line));
        let _ = tokio::time::timeout_at(deadline, self.flush()).await;
    }

    fn printed(&mut self, line: String) {
        self.holds_output = true;
        self.push(line);
    }

    fn push(&mut self, message: String) {
        if let Some(tail) = &mut self.tail {
            tail.push_str(&message);
            tail.push('\n');
            if tail.len() > 2 * TAIL_BYTES {
                keep_end(tail);
            }
        }
        self.pending.push(LogEvent { time_ms: clock::now_ms(), message });
    }
}

/// Cuts a log to its last 4 KB, between two characters.
pub fn keep_end(log: &mut String) {
    let mut cut = log.len().saturating_sub(TAIL_BYTES);
    while !log.is_char_boundary(cut) {
        cut += 1;
    }
    log.drain(..cut);
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::time::{Instant, timeout};

    /// Fills the share of the queue that the group of this stream has.
    async fn flood(stream: &LogStream) {
        for bytes in [1000, 0] {
            let line = || vec![LogEvent { time_ms: 0, message: "x".repeat(bytes) }];
            while timeout(Duration::from_millis(50), stream.write(line())).await.is_ok() {}
        }
    }

    /// Nothing is lost: lines without space stay pending, in their order.
    #[tokio::test(start_paused = true)]
    async fn a_log_that_hangs_delays_the_end_for_a_limited_time() {
        let (sink, _unread) = crate::logs::unread();
        let (_writer, pipe) = tokio::net::unix::pipe::pipe().unwrap();
        let mut output =
            ProgramOutput::new(pipe.into_nonblocking_fd().unwrap(), sink.stream("g", "s")).unwrap();
        flood(&sink.stream("g", "other")).await;
        output.printed("printed".to_owned());
        let start = Instant::now();
        output.conclude(["END".to_owned()]).await;
        assert!((LOG_TIMEOUT..2 * LOG_TIMEOUT).contains(&start.elapsed()), "{:?}", start.elapsed());
        let pending: Vec<_> = output.pending.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(pending, ["printed", "END"]);
    }

    #[tokio::test]
    async fn lines_of_the_platform_do_not_wait_for_the_share_of_a_group() {
        let (sink, _unread) = crate::logs::unread();
        let (_writer, pipe) = tokio::net::unix::pipe::pipe().unwrap();
        let mut output =
            ProgramOutput::new(pipe.into_nonblocking_fd().unwrap(), sink.stream("g", "s")).unwrap();
        flood(&sink.stream("g", "other")).await;
        output.line("START".to_owned());
        output.flush().now_or_never().expect("no waiting");
        assert!(output.pending.is_empty());
    }

    #[test]
    fn the_tail_is_the_end_at_a_character() {
        let mut log = "☃".repeat(2000);
        keep_end(&mut log);
        assert_eq!(log.len(), 4095);
        let mut short = "abc".to_owned();
        keep_end(&mut short);
        assert_eq!(short, "abc");
    }
}
