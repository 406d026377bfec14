//! `lambd logs`: reads a function's log events from the running server and prints them.

mod server_access;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use lambd_auth::Signer;
use serde::Deserialize;
use tokio::time::sleep;

use self::server_access::{ServerAccess, encoded};
use super::ServerArgs;
use crate::gateway::LOGS_PATH;
use crate::http::call;

/// How long `--follow` waits before it asks for new events.
const POLL: Duration = Duration::from_secs(1);
/// Number of events in one request.
const PAGE_EVENTS: u32 = 1000;

/// The arguments of `lambd logs`.
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    /// The function's name
    pub function: String,
    /// Wait for new events, until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// The server to ask, unless environment variables name another one.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// An answer of the server.
#[derive(Debug, Deserialize)]
struct LogPage {
    events: Vec<LogEvent>,
    /// Position at which the next page begins.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LogEvent {
    message: String,
}

/// An error of the API; its text has one of two spellings.
#[derive(Debug, Default, Deserialize)]
struct ApiError {
    #[serde(alias = "Message")]
    message: String,
}

/// Prints all events and, with `--follow`, also new ones until it is interrupted.
///
/// # Errors
/// No server is found, the server refuses, or standard output cannot be written.
pub fn run(args: LogsArgs) -> anyhow::Result<()> {
    let server = ServerAccess::find(args.server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut out = io::stdout();
    runtime.block_on(async {
        tokio::select! {
            done = print(&server, &args.function, args.follow, &mut out) => done,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    })
}

async fn print(
    server: &ServerAccess,
    function: &str,
    follow: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut cursor = None;
    loop {
        let page = fetch(server, function, cursor.as_deref()).await?;
        for event in &page.events {
            out.write_all(event.message.as_bytes())?;
            if !event.message.ends_with('\n') {
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
        let moved = page.cursor.is_some() && page.cursor != cursor;
        cursor = page.cursor.or(cursor);
        // An empty page, or a cursor that did not move, means that there are no more events now.
        match (!page.events.is_empty() && moved, follow) {
            (true, _) => {}
            (false, true) => sleep(POLL).await,
            (false, false) => return Ok(()),
        }
    }
}

async fn fetch(server: &ServerAccess, function: &str, after: Option<&str>) -> anyhow::Result<LogPage> {
    let after = after.map(|cursor| format!("&after={}", encoded(cursor))).unwrap_or_default();
    let origin = &server.endpoint;
    let uri = format!("{origin}{LOGS_PATH}{}?limit={PAGE_EVENTS}{after}", encoded(function));
    let request = Request::get(&uri).body(()).with_context(|| format!("`{origin}` is not an address"))?;
    let mut head = request.into_parts().0;
    Signer::new(&server.credentials, &server.region).sign(&mut head, b"")?;
    let answer = call(head, Bytes::new()).await?;
    let status = answer.status();
    if status != StatusCode::OK {
        let error: ApiError = serde_json::from_slice(answer.body()).unwrap_or_default();
        let code = answer.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok());
        bail!("{} ({})", error.message, code.unwrap_or_else(|| status.as_str()));
    }
    serde_json::from_slice(answer.body()).context("the server's answer is not a page of log events")
}

#[cfg(test)]
mod tests;
