use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::rights::needed;
use super::tokens::{Digest, Tokens};
use super::{Refusal, Right};

/// How a token is sent (RFC 6750); the scheme in any case (RFC 9110, section 11.1).
const SCHEME: &str = "bearer ";

/// Before all services: finds out what a caller may do, turns away who may not do what
/// they ask for, and leaves the right with the request for what depends on its content.
/// Answers go out through it, too, as long as the caller has its token.
#[derive(Clone)]
pub(in crate::server) struct Guard<S> {
    inner: S,
    /// Who is let in; without tokens, anybody may do anything.
    tokens: Option<watch::Receiver<Tokens>>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, tokens: Option<watch::Receiver<Tokens>>) -> Self {
        Self { inner, tokens }
    }

    /// Who asks, where it matters: a call that is open needs no token.
    fn pass(&self, request: &Request<Body>) -> Result<Option<Pass>, Refusal> {
        let Some((tokens, needed)) = self.tokens.clone().zip(needed(request.uri().path())) else {
            return Ok(None);
        };
        let digest = Digest::of(token(request.headers()).ok_or(Refusal::NoToken)?);
        let held = tokens.borrow().right(&digest).ok_or(Refusal::UnknownToken)?;
        held.check(needed)?;
        Ok(Some(Pass { tokens, digest, held }))
    }
}

/// The token that a request brings.
fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME.as_bytes()).then(|| token.trim_ascii())
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let pass = match self.pass(&request) {
            Ok(pass) => pass,
            Err(refusal) => {
                let refused = Status::from(refusal).into_http();
                return Box::pin(std::future::ready(Ok(refused)));
            }
        };
        // What nothing behind this sees, nothing can log.
        request.headers_mut().remove(AUTHORIZATION);
        request.extensions_mut().insert(pass.as_ref().map_or(Right::Admin, |pass| pass.held));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| Body::new(Answers { body, pass })))
        })
    }
}

/// What a call was let through with.
struct Pass {
    tokens: watch::Receiver<Tokens>,
    digest: Digest,
    held: Right,
}

impl Pass {
    /// Whether the token was taken away since, or has another right.
    fn is_revoked(&mut self) -> bool {
        // It fails only when the server ends.
        self.tokens.has_changed().unwrap_or(false)
            && self.tokens.borrow_and_update().right(&self.digest) != Some(self.held)
    }
}

/// The answers of a call, which end where its token is taken away: a stream can be open
/// for weeks.
struct Answers {
    body: Body,
    pass: Option<Pass>,
}

impl http_body::Body for Answers {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        if !self.pass.as_mut().is_some_and(Pass::is_revoked) {
            return Pin::new(&mut self.body).poll_frame(context);
        }
        // Nothing more is worked on for this caller.
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        let said = Status::from(Refusal::UnknownToken).add_header(&mut trailers);
        Poll::Ready(Some(said.map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::token;
    use http::HeaderMap;
    use http::header::AUTHORIZATION;

    #[test]
    fn a_token_is_read_as_the_scheme_writes_it() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(token(&headers), expected.map(str::as_bytes), "{value}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
