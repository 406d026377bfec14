//! Generates Rust from the wire table (`model/lambda.tbl`), with the standard library only.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/table.rs"]
mod table;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let source = "model/lambda.tbl";
    println!("cargo::rerun-if-changed={source}");
    println!("cargo::rerun-if-changed=build");
    let text = std::fs::read_to_string(source)?;
    let table = table::Table::parse(&text)?;
    let target = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(target.join("lambda.rs"), emit::rust(&table)?)?;
    Ok(())
}
