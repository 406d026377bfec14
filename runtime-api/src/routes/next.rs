//! `GET invocation/next`: waits for an event.

use std::sync::Arc;

use crate::http::peer::{Gone, Peer};
use crate::http::reply::ReplyBody;
use crate::render;
use crate::render::Reply;
use crate::session::SharedQueue;

/// When the client is gone, hyper drops this future, which then takes no event. With pipelined requests hyper
/// does not notice that; such a poll ends when the next event is offered to it.
pub(crate) async fn next(shared: &Arc<SharedQueue>, peer: &Peer) -> Result<Reply, Gone> {
    match shared.next(peer).await {
        Ok(Some((event, handover))) => {
            let mut reply = Reply::new(ReplyBody::watched(event.body.clone(), handover));
            *reply.headers_mut() = event.headers();
            Ok(reply)
        }
        Ok(None) => Err(Gone),
        Err(forbidden) => Ok(render::refusal(&forbidden.into())),
    }
}

#[cfg(test)]
mod tests;
