use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};

use super::Room;

/// Bytes before each message: whether it is compressed, and its length ("gRPC over HTTP2",
/// Length-Prefixed-Message).
const PREFIX: usize = 5;

/// What comes in of a call. Of a message that is not complete, what is there is held, however
/// long the rest takes.
pub(super) struct Messages {
    body: Body,
    last: Partial,
    room: Room,
}

impl Messages {
    pub fn new(body: Body, room: Room) -> Self {
        Self { body, last: Partial::default(), room }
    }
}

impl http_body::Body for Messages {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.last.take(data);
            let held = self.last.held;
            if let Err(refusal) = self.room.resize(held) {
                self.body = Body::empty();
                return Poll::Ready(Some(Err(refusal.into())));
            }
        }
        // As the transport has it, what ended in between is not known; it is not our failure.
        let aborted = |error: Status| match error.code() {
            Code::Unknown => Status::aborted("the connection ended in the middle of a message"),
            _ => error,
        };
        Poll::Ready(frame.map(|frame| frame.map_err(aborted)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The message that is not complete yet.
#[derive(Default)]
struct Partial {
    prefix: Vec<u8>,
    /// Bytes of it that are there.
    held: usize,
    /// Bytes of it that are not.
    missing: usize,
}

impl Partial {
    /// Goes on by what came in.
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = match PREFIX - self.prefix.len() {
                0 => self.missing,
                wanted => wanted,
            };
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.prefix.len() < PREFIX {
                self.prefix.extend(part);
                if let [_, length @ ..] = self.prefix.as_slice()
                    && let Ok(length) = length.try_into()
                {
                    self.missing = u32::from_be_bytes(length) as usize;
                }
            } else {
                self.held += part.len();
                self.missing -= part.len();
            }
            if self.prefix.len() == PREFIX && self.missing == 0 {
                *self = Self::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Partial;
    use proptest::prelude::*;

    fn message(length: usize) -> Vec<u8> {
        let prefix = u32::try_from(length).unwrap().to_be_bytes();
        [&[0], &prefix[..], &vec![7; length]].concat()
    }

    proptest! {
        #[test]
        fn only_of_the_last_message_is_anything_held(
            lengths in prop::collection::vec(0_usize..40, 0..5),
            last in 0_usize..40,
            cut in 0_usize..45,
            chunk in 1_usize..20,
        ) {
            let mut stream: Vec<u8> = lengths.into_iter().flat_map(message).collect();
            let part = message(last);
            let cut = cut.min(part.len());
            stream.extend(&part[..cut]);
            let mut partial = Partial::default();
            stream.chunks(chunk).for_each(|bytes| partial.take(bytes));
            let is_complete = cut == part.len();
            prop_assert_eq!(partial.held, if is_complete { 0 } else { cut.saturating_sub(5) });
        }
    }
}
