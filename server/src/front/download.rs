//! `GET /_lambd/code/SHA256`: the package behind a `Code.Location`. The signature in the query was checked.

use std::io::Read as _;
use std::sync::Arc;

use ::http::{HeaderValue, Method, header};
use axum::body::Body;
use axum::response::Response;
use lambd_wire::{Error, ErrorCode};

use crate::app::App;
use crate::packages::Sha256;

pub(super) async fn answer(app: &Arc<App>, method: &Method, sha256: &str) -> Result<Response, Error> {
    let absent = || Error::new(ErrorCode::ResourceNotFoundException, "There is no such package.");
    let sha256 = Sha256::from_hex(sha256).filter(|_| method == Method::GET).ok_or_else(absent)?;
    let packages = Arc::clone(&app.packages);
    let read = move || -> Option<Vec<u8>> {
        let (mut zip, mut file) = (Vec::new(), packages.open_zip(sha256).ok()?);
        file.read_to_end(&mut zip).ok()?;
        Some(zip)
    };
    let zip = tokio::task::spawn_blocking(read).await.ok().flatten().ok_or_else(absent)?;
    let mut response = Response::new(Body::from(zip));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    Ok(response)
}
