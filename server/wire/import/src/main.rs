//! Imports the public service model of AWS Lambda into the wire table.
//!
//! `lambd-wire-import MODEL TABLE` reads the model (`service-2.json`, plain or gzipped, from botocore),
//! applies the [`corrections`], and writes the table from which `lambd-wire`'s build script generates Rust.
//! The table has facts only: names, bindings, bounds, patterns, enums and statuses.

mod corrections;
mod model;
mod table;

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let mut stderr = std::io::stderr();
    let [model, table] = arguments.as_slice() else {
        let _ = writeln!(stderr, "usage: lambd-wire-import MODEL TABLE");
        return ExitCode::from(2);
    };
    match import(Path::new(model), Path::new(table)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr, "lambd-wire-import: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn import(model: &Path, table: &Path) -> Result<()> {
    let text = read(model).with_context(|| format!("cannot read {}", model.display()))?;
    std::fs::write(table, convert(&text)?).with_context(|| format!("cannot write {}", table.display()))
}

fn convert(model: &[u8]) -> Result<String> {
    let mut model: model::Model = serde_json::from_slice(model).context("cannot parse the model")?;
    corrections::apply(&mut model).context("the model is not the one the corrections were written for")?;
    table::write(&model)
}

/// Reads a file and unpacks it if it is gzipped.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let packed = std::fs::read(path)?;
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If `LAMBD_SERVICE_MODEL` names the model's file, its import must be the committed table.
    #[test]
    fn the_committed_table_is_the_result_of_the_import() {
        let Some(path) = std::env::var_os("LAMBD_SERVICE_MODEL") else { return };
        let committed = include_str!("../../model/lambda.tbl");
        assert!(convert(&read(Path::new(&path)).unwrap()).unwrap() == committed, "import the model again");
    }

    #[test]
    fn a_model_that_differs_is_refused_with_the_difference() {
        let cases = [
            ("{", "cannot parse the model"),
            (r#"{"operations":{},"shapes":{}}"#, "shape Alias is gone"),
            (
                r#"{"operations":{},"shapes":{"Alias":{"type":"string","pattern":".*"}}}"#,
                "the pattern of Alias changed",
            ),
        ];
        for (model, want) in cases {
            let error = format!("{:#}", convert(model.as_bytes()).unwrap_err());
            assert!(error.contains(want), "{error}");
        }
    }
}
