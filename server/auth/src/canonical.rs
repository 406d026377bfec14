//! The canonical request, written directly into a hash, so that no copy of it is built in memory.
//!
//! Source: IAM User Guide, "Create a canonical request", for services other than S3: the path is normalised,
//! and each of its segments, which is percent-encoded already, is encoded once more.

use std::borrow::Cow;

use http::HeaderMap;
use sha2::{Digest, Sha256};

/// Receives canonical bytes: a hash, or a text in tests.
pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The parts of a request that its signature covers, except the body.
#[derive(Debug)]
pub(super) struct Canonical<'a> {
    pub(super) method: &'a str,
    /// The path as it is in the request line.
    pub(super) path: &'a str,
    /// Whether the path is signed as it is, as S3 has it; other services normalise and encode it again.
    pub(super) is_plain: bool,
    /// The query as it is in the request line; a parameter `X-Amz-Signature` is omitted.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// Used for the `host` header of a request that has none (HTTP/2).
    pub(super) authority: &'a str,
    /// Names of the signed headers, lower case, sorted.
    pub(super) signed: &'a [&'a str],
}

impl Canonical<'_> {
    /// Writes everything before the hash of the payload, including the line break.
    pub(super) fn write(&self, out: &mut impl Sink) {
        out.put(self.method.as_bytes());
        out.put(b"\n");
        match self.is_plain {
            true => out.put(self.path.as_bytes()),
            false => write_path(out, self.path),
        }
        out.put(b"\n");
        write_query(out, self.query);
        out.put(b"\n");
        for name in self.signed {
            out.put(name.as_bytes());
            out.put(b":");
            self.write_values(out, name);
            out.put(b"\n");
        }
        out.put(b"\n");
        for (at, name) in self.signed.iter().enumerate() {
            if at > 0 {
                out.put(b";");
            }
            out.put(name.as_bytes());
        }
        out.put(b"\n");
    }

    fn write_values(&self, out: &mut impl Sink, name: &str) {
        let mut values = self.headers.get_all(name).iter().peekable();
        if values.peek().is_none() && name == "host" {
            return out.put(self.authority.as_bytes());
        }
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.put(b",");
            }
            write_folded(out, value.as_bytes());
        }
    }
}

/// Writes a header value without blanks at its ends, and each inner run of blanks as one space.
fn write_folded(out: &mut impl Sink, value: &[u8]) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.put(b" ");
        }
        out.put(word);
    }
}

fn write_path(out: &mut impl Sink, path: &str) {
    let plain = path.starts_with('/') && !path.contains("//") && !path.contains("/.");
    let path = if plain { Cow::Borrowed(path) } else { Cow::Owned(normalised(path)) };
    write_encoded(out, path.as_bytes(), |byte| is_unreserved(byte) || byte == b'/');
}

/// Removes dot segments (RFC 3986, section 5.2.4) and repeated slashes.
fn normalised(path: &str) -> String {
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let last = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{last}", kept.join("/"))
}

/// Parameters in canonical encoding, sorted by name and then by value.
fn write_query(out: &mut impl Sink, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<_> = parameters(query)
        .map(|(name, value)| (recoded(name), recoded(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.put(b"&");
        }
        out.put(name.as_bytes());
        out.put(b"=");
        out.put(value.as_bytes());
    }
}

/// The parameters of a query as they were sent, without empty ones.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Clients encode in different ways: decodes, then encodes in the canonical way; `+` is a space.
fn recoded(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(is_unreserved) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len() + 16);
    write_encoded(&mut out, &decoded(raw), is_unreserved);
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// Decodes a part of a query; a `%` without two hexadecimal digits after it is kept.
pub(super) fn decoded(raw: &str) -> Vec<u8> {
    let spaced = raw.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).collect()
}

/// Encodes a text for use in a query.
pub(super) fn encoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 16);
    write_encoded(&mut out, text.as_bytes(), is_unreserved);
    String::from_utf8(out).unwrap_or_default()
}

fn write_encoded(out: &mut impl Sink, bytes: &[u8], keep: impl Fn(u8) -> bool) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = rest.iter().position(|byte| !keep(*byte)).unwrap_or(rest.len());
        let (kept, more) = rest.split_at(run);
        if !kept.is_empty() {
            out.put(kept);
        }
        let Some((byte, more)) = more.split_first() else { return };
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        out.put(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        rest = more;
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paths_are_normalised_and_encoded_again() {
        for (path, expect) in [
            ("/", "/"),
            ("", "/"),
            ("*", "/%2A"),
            ("/2015-03-31/functions/", "/2015-03-31/functions/"),
            ("/f/arn%3Aaws%3Alambda", "/f/arn%253Aaws%253Alambda"),
            ("/f/arn:aws:lambda", "/f/arn%3Aaws%3Alambda"),
            ("/f/$LATEST", "/f/%24LATEST"),
            ("//a///b//", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("/a/..", "/"),
            ("/a/b/../", "/a/"),
            ("/.a/..b/c.", "/.a/..b/c."),
            ("/%2e%2E/x", "/%252e%252E/x"),
            ("/~a_b-c.d", "/~a_b-c.d"),
        ] {
            assert_eq!(text(|out| write_path(out, path)), expect, "{path}");
        }
    }

    #[test]
    fn parameters_are_recoded_and_sorted() {
        for (query, expect) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&A=3", "A=3&a=1&a=2"),
            ("flag", "flag="),
            ("flag=", "flag="),
            ("&&a=1&", "a=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y", "a=x%20y"),
            ("a=x%2By", "a=x%2By"),
            ("a=%7e%41%2f", "a=~A%2F"),
            ("a=%zz%2", "a=%25zz%252"),
            ("tagKeys=%C3%A9&tagKeys=a%20b", "tagKeys=%C3%A9&tagKeys=a%20b"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("X-Amz-Signature=00&X-Amz-Date=1", "X-Amz-Date=1"),
        ] {
            assert_eq!(text(|out| write_query(out, query)), expect, "{query}");
        }
    }

    #[test]
    fn blanks_in_header_values_are_folded() {
        for (value, expect) in [("a", "a"), ("  a  b\t c ", "a b c"), ("", ""), ("   ", ""), ("a,b", "a,b")] {
            assert_eq!(text(|out| write_folded(out, value.as_bytes())), expect, "{value:?}");
        }
    }
}
