//! Makes messages from the bytes that a runtime writes.

use super::{MESSAGE_BYTES_MAX, keys};

/// Splits a stream of bytes into lines; each is one message.
///
/// - A newline ends a line and is not part of the message; nor is a carriage return before it. Other carriage
///   returns are kept, because programs use them to join lines to one record.
/// - An empty line is an empty message.
/// - A line longer than [`MESSAGE_BYTES_MAX`] becomes several messages.
/// - Bytes that are not UTF-8 are replaced by U+FFFD.
///
/// Keeps at most one incomplete line.
#[derive(Debug, Default)]
pub struct Splitter {
    partial: Vec<u8>,
}

impl Splitter {
    /// A splitter without any input.
    #[must_use]
    pub const fn new() -> Self {
        Self { partial: Vec::new() }
    }

    /// Takes the next bytes and returns every message that they complete.
    pub fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(String)) {
        while let Some(at) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(at);
            bytes = rest.get(1..).unwrap_or_default();
            self.extend(line, &mut emit);
            if self.partial.last() == Some(&b'\r') {
                self.partial.pop();
            }
            emit(message(std::mem::take(&mut self.partial)));
        }
        self.extend(bytes, &mut emit);
    }

    /// Returns the incomplete line, if any, at the end of an invocation or of the process.
    pub fn flush(&mut self, emit: impl FnOnce(String)) {
        if !self.partial.is_empty() {
            emit(message(std::mem::take(&mut self.partial)));
        }
    }

    /// Adds to the incomplete line, and returns its beginning while it is too long.
    fn extend(&mut self, mut bytes: &[u8], emit: &mut impl FnMut(String)) {
        while self.partial.len() + bytes.len() > MESSAGE_BYTES_MAX {
            let (front, rest) = bytes.split_at(MESSAGE_BYTES_MAX - self.partial.len());
            self.partial.extend_from_slice(front);
            let cut = self.partial.split_off(whole(&self.partial));
            emit(message(std::mem::replace(&mut self.partial, cut)));
            bytes = rest;
        }
        self.partial.extend_from_slice(bytes);
    }
}

/// Number of bytes before a character at the end that is not complete yet.
fn whole(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        // Only the last character can be incomplete.
        Some(chunk) if is_start(chunk.invalid()) => bytes.len() - chunk.invalid().len(),
        _ => bytes.len(),
    }
}

/// Whether further bytes could make this a character.
fn is_start(invalid: &[u8]) -> bool {
    !invalid.is_empty() && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
}

fn message(line: Vec<u8>) -> String {
    match String::from_utf8(line) {
        Ok(line) => line,
        Err(error) => {
            let lossy = String::from_utf8_lossy(error.as_bytes());
            keys::cut(&lossy, MESSAGE_BYTES_MAX).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(input: &[u8], chunk: usize) -> Vec<String> {
        let (mut splitter, mut lines) = (Splitter::new(), Vec::new());
        for bytes in input.chunks(chunk) {
            splitter.push(bytes, |line| lines.push(line));
        }
        splitter.flush(|line| lines.push(line));
        assert!(splitter.partial.is_empty());
        lines
    }

    #[test]
    fn bytes_become_lines_however_they_arrive() {
        let cases: [(&[u8], &[&str]); 11] = [
            (b"", &[]),
            (b"a", &["a"]),
            (b"a\n", &["a"]),
            (b"a\nb", &["a", "b"]),
            (b"\n\na\n\n", &["", "", "a", ""]),
            (b"a\r\nb\r\n", &["a", "b"]),
            (b"a\rb\rc\n", &["a\rb\rc"]),
            (b"a\r", &["a\r"]),
            ("é ☃ 🦀\n".as_bytes(), &["é ☃ 🦀"]),
            (b"\xff\xfe\xc3\n\xc3", &["\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}"]),
            (b"a\0b\x1b[1m\n", &["a\0b\x1b[1m"]),
        ];
        for (input, want) in cases {
            for chunk in 1..=input.len().max(1) {
                assert_eq!(split(input, chunk), want, "{input:?} by {chunk}");
            }
        }
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let line = format!("x{}", "é".repeat(MESSAGE_BYTES_MAX));
        for chunk in [1000, MESSAGE_BYTES_MAX, line.len() + 1] {
            let parts = split(format!("{line}\nnext").as_bytes(), chunk);
            assert_eq!(parts.len(), 4, "{chunk}");
            assert_eq!(parts[0].len(), MESSAGE_BYTES_MAX - 1);
            assert_eq!(parts[..3].concat(), line);
            assert_eq!(parts[3], "next");
        }
        let exact = "x".repeat(MESSAGE_BYTES_MAX);
        assert_eq!(split(format!("{exact}\n").as_bytes(), 4096), [exact]);
    }

    #[test]
    fn endless_bytes_that_are_not_utf_8_use_bounded_memory() {
        let mut splitter = Splitter::new();
        let mut bytes = 0;
        for _ in 0..100 {
            splitter.push(&[0xff; 65_536], |line| {
                assert!(line.len() <= MESSAGE_BYTES_MAX);
                bytes += line.len();
            });
            assert!(splitter.partial.capacity() <= 2 * MESSAGE_BYTES_MAX);
        }
        assert!(bytes > 0);
    }
}
