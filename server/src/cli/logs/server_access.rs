//! Finds the server to ask and the keys to use: first in environment variables, then in the data directory.

use std::path::Path;
use std::{env, fs};

use anyhow::Context as _;
use lambd_auth::{Credentials, Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cli::ServerArgs;
use crate::cli::serve::data_dir::{CREDENTIALS, ENDPOINT};

/// Characters that are not encoded in a path or a query: the unreserved ones, and those of ARNs.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b'$');

/// The address of a server, and keys that it accepts.
#[derive(Debug)]
pub(super) struct ServerAccess {
    /// Scheme and authority of the server.
    pub(super) endpoint: String,
    pub(super) credentials: Credentials,
    pub(super) region: String,
}

impl ServerAccess {
    pub(super) fn find(server: ServerArgs) -> anyhow::Result<Self> {
        let config = server.load()?;
        Self::of(&config.data_dir, &config.region, |name| env::var(name).ok().filter(|v| !v.is_empty()))
    }

    /// As [`Self::find`], with a function that reads environment variables.
    pub(super) fn of(
        data_dir: &Path,
        region: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let endpoint = match variable("AWS_ENDPOINT_URL_LAMBDA").or_else(|| variable("AWS_ENDPOINT_URL")) {
            Some(endpoint) => endpoint,
            None => read_endpoint(data_dir)?,
        };
        let pair = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let credentials = match (pair, variable("AWS_SHARED_CREDENTIALS_FILE")) {
            ((Some(access_key_id), Some(secret)), _) => {
                Credentials { access_key_id, secret_access_key: Secret::new(secret) }
            }
            (_, Some(file)) => Credentials::load(Path::new(&file), &profile)?,
            _ => Credentials::load(&data_dir.join(CREDENTIALS), &profile)?,
        };
        let named = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        Ok(Self {
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            credentials,
            region: named.unwrap_or_else(|| region.to_owned()),
        })
    }
}

/// Reads the file that `lambd serve` writes.
fn read_endpoint(data_dir: &Path) -> anyhow::Result<String> {
    let path = data_dir.join(ENDPOINT);
    fs::read_to_string(&path).with_context(|| {
        format!(
            "no server was started in {}; name its folder with --data-dir, or set AWS_ENDPOINT_URL: cannot read {}",
            data_dir.display(),
            path.display()
        )
    })
}

/// Encodes a text for a path or a query.
pub(super) fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}
