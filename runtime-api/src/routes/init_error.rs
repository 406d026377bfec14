//! POST init/error: accepted once, and only before the first poll.

use std::sync::Arc;

use ::http::HeaderMap;
use hyper::body::Incoming;

use super::body::{self, Read};
use super::error_type;
use crate::render::{self, Answer, Refusal};
use crate::session::{InitError, Shared};

pub(super) async fn answer(shared: &Arc<Shared>, headers: &HeaderMap, body: Incoming) -> Answer {
    if let Err(refusal) = shared.check_init_error() {
        return body::refuse(body, refusal).await;
    }
    let body = match body::read(body).await {
        Read::Whole(body, _) => body,
        Read::TooLarge => return render::refused(Refusal::TooLarge),
        Read::Truncated => return render::refused(Refusal::Truncated),
    };
    match shared.init_error(InitError { body, error_type: error_type(headers) }) {
        Ok(()) => render::accepted(),
        Err(refusal) => render::refused(refusal),
    }
}
