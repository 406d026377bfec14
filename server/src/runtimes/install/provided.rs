//! `provided.*`: only an operating system; the package or a layer contains `bootstrap`.

use std::io::Write;
use std::path::Path;

use super::Plan;
use crate::runtimes::{Manifest, Root, RuntimeError, variables};

#[derive(Debug)]
pub(super) struct Provided {
    identifier: String,
}

impl Provided {
    pub(super) fn plan(identifier: &str) -> Self {
        Self { identifier: identifier.to_owned() }
    }
}

impl Plan for Provided {
    fn parts(&self) -> Vec<&str> {
        Vec::new()
    }

    fn make(&self, _dir: &Path, _out: &mut dyn Write) -> Result<Manifest, RuntimeError> {
        Ok(Manifest {
            identifier: self.identifier.clone(),
            root: Root::Host,
            interpreter: None,
            build: None,
            bootstrap: vec!["/var/task/bootstrap".into(), "/opt/bootstrap".into()],
            bind: [].into(),
            environment: variables::provided(),
        })
    }
}
