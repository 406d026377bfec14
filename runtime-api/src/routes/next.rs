//! GET next: the waiting poll gets the event.

use std::sync::Arc;

use crate::render::{self, Answer};
use crate::session::Shared;

pub(super) async fn answer(shared: &Arc<Shared>) -> Answer {
    let event = match shared.poll_event() {
        Ok(Some(event)) => Ok(event),
        Ok(None) => shared.next_event().await,
        Err(refusal) => Err(refusal),
    };
    match event {
        Ok(event) => render::event(&event),
        Err(refusal) => render::refused(refusal),
    }
}
