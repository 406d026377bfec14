//! Code that the fuzz targets share: their first inputs, and reading bytes as an HTTP request.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::{Request, request::Parts};

/// Writes a target's first inputs to the folder `FUZZ_SEEDS`, if it is set. It is called before libFuzzer
/// reads that folder, so the inputs are code and no binary files are kept.
///
/// # Panics
/// If a file cannot be written.
pub fn seed(inputs: impl IntoIterator<Item = impl AsRef<[u8]>>) {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS") else { return };
    for (number, input) in inputs.into_iter().enumerate() {
        fs::write(Path::new(&folder).join(format!("seed-{number}")), input).expect("a seed is written");
    }
}

/// Reads `METHOD TARGET`, lines `name: value`, an empty line and a body. Lines end with ` ` alone, because
/// hyper's own checks of a head are not tested here. `None` if hyper would refuse the request.
pub fn request(bytes: &[u8]) -> Option<(Parts, Bytes)> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::builder().method(first.next()?).uri(first.next()?);
    let mut head_bytes = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        head_bytes += line.len();
        if line == b"\n" {
            break;
        }
    }
    for line in lines.take_while(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line.get(colon + 2..)?);
    }
    let (parts, ()) = request.body(()).ok()?.into_parts();
    Some((parts, Bytes::copy_from_slice(&bytes[head_bytes..])))
}

/// Makes the text that [`request`] reads.
pub fn text(head: &Parts, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{} {}\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    text.push(b'\n');
    text.extend(body);
    text
}
