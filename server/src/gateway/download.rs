//! `GET /_lambd/code/SHA256`: the package at a `Code.Location`, after the signature in the query was checked.

use std::sync::Arc;

use ::http::{HeaderValue, Method, header};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use lambd_auth::Identity;
use lambd_model::Sha256;
use lambd_wire::{Error, ErrorCode};
use tokio::io::AsyncReadExt as _;

use crate::app::App;

/// Bytes that one download has in memory at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Addresses are signed with the server's own keys. All other keys are refused here, even if their owners know a
/// hash: they may be another account's, or have a policy.
pub(super) async fn answer(
    app: &Arc<App>,
    identity: &Identity,
    method: &Method,
    sha256: &str,
) -> Result<Response, Error> {
    let absent = || Error::new(ErrorCode::ResourceNotFoundException, "There is no such package.");
    if app.checks_signatures && *identity.access_key_id != *app.credentials.access_key_id {
        return Err(absent());
    }
    let sha256 = Sha256::from_hex(sha256).filter(|_| method == Method::GET).ok_or_else(absent)?;
    let packages = Arc::clone(&app.packages);
    let zip = tokio::task::spawn_blocking(move || packages.open_zip(sha256)).await;
    let zip = zip.ok().and_then(Result::ok).ok_or_else(absent)?;
    let size = zip.metadata().map_err(|_| absent())?.len();
    let chunks = stream::try_unfold(tokio::fs::File::from_std(zip), |mut zip| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = zip.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), zip)))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    Ok(response)
}
