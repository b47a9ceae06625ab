//! The desk: a web page, all of it in this binary, and the calls that it makes in gRPC-web.

mod assets;
mod hosts;

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tonic::body::Body;
use tower::{Layer, Service};

pub(super) use hosts::Hosts;

/// What calls of the contract begin their content type with. No form and no page of another
/// origin can send it without asking first, which nothing here answers.
const GRPC_WEB: &[u8] = b"application/grpc-web";

/// Where the desk is served.
#[derive(Debug, Clone)]
pub struct WebOptions {
    /// Where to listen. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Names, besides addresses and `localhost`, by which a server that asks for no tokens may
    /// be called.
    pub names: Vec<String>,
}

/// Before all services: answers for the page, and lets its calls through.
#[derive(Clone)]
pub(super) struct Desk {
    hosts: Arc<Hosts>,
}

impl Desk {
    pub fn new(hosts: Hosts) -> Self {
        Self { hosts: Arc::new(hosts) }
    }
}

impl<S> Layer<S> for Desk {
    type Service = DeskService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeskService { inner, hosts: Arc::clone(&self.hosts) }
    }
}

/// The page, in front of the services.
#[derive(Clone)]
pub(super) struct DeskService<S> {
    inner: S,
    hosts: Arc<Hosts>,
}

impl<S> Service<Request<Body>> for DeskService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = if !self.hosts.allow(&request) {
            plain(StatusCode::MISDIRECTED_REQUEST, hosts::REFUSED)
        } else if matches!(*request.method(), Method::GET | Method::HEAD) {
            assets::answer(&request)
        } else if is_call(&request) {
            return Either::Left(self.inner.call(request));
        } else {
            let mut refused =
                plain(StatusCode::METHOD_NOT_ALLOWED, "the desk answers GET and gRPC-web");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            refused
        };
        Either::Right(ready(Ok(answer)))
    }
}

fn is_call<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    *request.method() == Method::POST && kind.is_some_and(|kind| kind.starts_with(GRPC_WEB))
}

/// An answer of one line.
fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::new(axum::body::Body::from(text)));
    *answer.status_mut() = status;
    assets::protect(answer.headers_mut());
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
