//! `POST init/error`: the runtime cannot start.

use std::sync::Arc;

use http::HeaderMap;
use hyper::body::Incoming;

use super::headers;
use crate::http::body::{ReadError, read};
use crate::http::metered::Held;
use crate::limits::ERROR_BODY_MAX_BYTES;
use crate::render::Reply;
use crate::session::SharedQueue;
use crate::{InitError, Transition, render};

pub(crate) async fn init_error(shared: &SharedQueue, head: &HeaderMap, body: &mut Incoming) -> Reply {
    let state = shared.lock().state();
    if let Err(forbidden) = state.on(Transition::InitError) {
        return render::refusal(&forbidden.into());
    }
    let held = Held::nothing(Arc::clone(shared.budget()));
    let data = match read(body, ERROR_BODY_MAX_BYTES, Some(held)).await {
        Ok(whole) => whole.data,
        Err(ReadError::TooLarge { .. } | ReadError::NoRoom) => {
            return render::too_large(ERROR_BODY_MAX_BYTES);
        }
        Err(ReadError::Truncated) => return render::truncated(),
    };
    let (error_type, raw_error_type) = headers::error_type(head);
    let error =
        InitError { content_type: headers::content_type(head), body: data, error_type, raw_error_type };
    // Checked again: of two posts that arrive together only one is accepted.
    match shared.fail_init(error) {
        Ok(()) => render::accepted(),
        Err(forbidden) => render::refusal(&forbidden.into()),
    }
}

#[cfg(test)]
mod tests;
