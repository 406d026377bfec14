//! The answer of InvokeWithResponseStream: events in frames of `application/vnd.amazon.eventstream`
//! [fact:event-stream-frames].

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue as HttpValue};

use crate::generated::{Operation, output};
use crate::{Error, ErrorCode, Output as _};

/// Most bytes of a payload in one frame. Clients accept 16 MiB; smaller ones let them work on a part sooner.
const CHUNK_BYTES_MAX: usize = 65_536;

/// A complete answer: its members and the events that follow them.
#[derive(Debug)]
pub struct StreamedOutput {
    members: output::InvokeWithResponseStream,
    events: BytesMut,
}

impl StreamedOutput {
    /// An answer without events.
    pub fn new(members: output::InvokeWithResponseStream) -> Self {
        Self { members, events: BytesMut::new() }
    }

    /// Adds the function's response, as one or more `PayloadChunk`.
    ///
    /// # Errors
    /// ServiceException for a frame that cannot be written, which none of these sizes is.
    pub fn payload(mut self, mut payload: Bytes) -> Result<Self, Error> {
        while !payload.is_empty() {
            let chunk = payload.split_to(payload.len().min(CHUNK_BYTES_MAX));
            self.event("PayloadChunk", "application/octet-stream", chunk)?;
        }
        Ok(self)
    }

    /// Adds `InvokeComplete`, the last event: what went wrong, as code and details, and the log's tail in base64.
    ///
    /// # Errors
    /// As for [`Self::payload`].
    pub fn complete(mut self, error: Option<(&str, &str)>, log_result: Option<&str>) -> Result<Self, Error> {
        let members = [
            ("ErrorCode", error.map(|(code, _)| code)),
            ("ErrorDetails", error.map(|(_, details)| details)),
            ("LogResult", log_result),
        ];
        let members = members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
        let body = serde_json::Value::Object(members.collect()).to_string();
        self.event("InvokeComplete", "application/json", body.into())?;
        Ok(self)
    }

    /// Makes the HTTP answer.
    pub fn encode(self, operation: Operation) -> Response<Bytes> {
        let mut response = self.members.encode(operation);
        if !self.events.is_empty() {
            let kind = HttpValue::from_static("application/vnd.amazon.eventstream");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            *response.body_mut() = self.events.freeze();
        }
        response
    }

    fn event(&mut self, name: &'static str, content: &'static str, payload: Bytes) -> Result<(), Error> {
        let headers = [(":message-type", "event"), (":event-type", name), (":content-type", content)];
        let message = headers.into_iter().fold(Message::new(payload), |message, (name, value)| {
            message.add_header(Header::new(name, HeaderValue::String(value.into())))
        });
        write_message_to(&message, &mut self.events)
            .map_err(|_| Error::new(ErrorCode::ServiceException, "The answer could not be written."))
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;

    use super::*;

    /// Name, content type and payload of each event.
    fn events(answer: StreamedOutput) -> Vec<(String, String, Bytes)> {
        let response = answer.encode(Operation::InvokeWithResponseStream);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/vnd.amazon.eventstream");
        let (mut body, mut events) = (response.into_body(), Vec::new());
        while !body.is_empty() {
            let message = read_message_from(&mut body).unwrap();
            let header = |name: &str| {
                let found = message.headers().iter().find(|header| header.name().as_str() == name);
                found.unwrap().value().as_string().unwrap().as_str().to_owned()
            };
            assert_eq!(header(":message-type"), "event");
            events.push((header(":event-type"), header(":content-type"), message.payload().clone()));
        }
        events
    }

    #[test]
    fn a_response_is_chunks_and_an_end() {
        let payload = Bytes::from(vec![b'x'; CHUNK_BYTES_MAX + 1]);
        let answer = StreamedOutput::new(output::InvokeWithResponseStream::default());
        let events = events(answer.payload(payload.clone()).unwrap().complete(None, Some("bG9n")).unwrap());
        let [one, two, end] = &events[..] else { panic!("{} events", events.len()) };
        for chunk in [one, two] {
            assert_eq!((chunk.0.as_str(), chunk.1.as_str()), ("PayloadChunk", "application/octet-stream"));
        }
        assert_eq!([&one.2[..], &two.2[..]].concat(), payload);
        assert_eq!((end.0.as_str(), end.1.as_str()), ("InvokeComplete", "application/json"));
        assert_eq!(end.2, r#"{"LogResult":"bG9n"}"#);
    }

    #[test]
    fn an_error_is_told_by_the_end() {
        let answer = StreamedOutput::new(output::InvokeWithResponseStream::default());
        let events = events(answer.complete(Some(("Unhandled", r#"{"a":1}"#)), None).unwrap());
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].2, r#"{"ErrorCode":"Unhandled","ErrorDetails":"{\"a\":1}"}"#);
    }

    #[test]
    fn an_answer_without_events_has_no_body() {
        let members = output::InvokeWithResponseStream { status_code: Some(204), ..Default::default() };
        let response = StreamedOutput::new(members).encode(Operation::InvokeWithResponseStream);
        assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
        assert!(!response.headers().contains_key(CONTENT_TYPE));
    }
}
