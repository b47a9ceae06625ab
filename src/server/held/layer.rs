use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::super::connections::Peer;
use super::Room;
use super::messages::Messages;

/// The size of an answer, which goes with it to where it is sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct AnswerBytes(pub usize);

/// A service that holds no more for clients than may be.
#[derive(Clone)]
pub(in crate::server) struct Hold<S>(pub S);

impl<S> Service<Request<Body>> for Hold<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(Peer { tcp, share }) = request.extensions_mut().remove() else {
            return Box::pin(self.0.call(request));
        };
        // There `Request::remote_addr` finds it.
        request.extensions_mut().insert(tcp);
        request.extensions_mut().insert(share.clone());
        let request = request.map(|body| Body::new(Messages::new(body, share.empty())));
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            let whole = answer.extensions().get().map(|AnswerBytes(bytes)| *bytes);
            Ok(match share.room(whole.unwrap_or(0)) {
                Ok(room) => {
                    answer.map(|body| Body::new(Answers { body, room, is_whole: whole.is_some() }))
                }
                Err(refusal) => Status::from(refusal).into_http(),
            })
        })
    }
}

/// The answers to a call, with room for what was not read of them.
struct Answers {
    body: Body,
    room: Room,
    /// Whether there is room for all of them; else, for what was taken to be sent last: more
    /// is only asked for when the client takes it.
    is_whole: bool,
}

impl http_body::Body for Answers {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if self.is_whole {
            return polled;
        }
        let frame = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, |data| data.len()),
            _ => 0,
        };
        match self.room.resize(frame) {
            Ok(()) => polled,
            Err(refusal) => {
                self.body = Body::empty();
                let mut trailers = HeaderMap::new();
                let said = Status::from(refusal).add_header(&mut trailers);
                Poll::Ready(Some(said.map(|()| Frame::trailers(trailers))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
