//! What is counted, logged and traced of every call, whatever it asks for.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use metrics::{counter, gauge, histogram};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use prost_reflect::DescriptorPool;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::proto::DESCRIPTORS;

/// Carries the id of a request, in its metadata and in that of the answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes that an id may have. What is longer gets one of ours.
const MOST_BYTES: usize = 128;

/// Observes the calls to a service.
#[derive(Clone)]
pub(super) struct Observe;

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observed(inner)
    }
}

/// A service whose calls are observed.
#[derive(Clone)]
pub(super) struct Observed<S>(S);

impl<S> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let id = request_id(request.headers());
        let mut call = Call::begin(&request, &id);
        let answering = call.span.in_scope(|| self.0.call(request)).instrument(call.span.clone());
        async move {
            let mut response = answering.await?;
            response.headers_mut().insert(REQUEST_ID, id);
            call.note(response.headers());
            Ok(response.map(|body| Body::new(Answer { body, call })))
        }
        .boxed()
    }
}

/// The id that a caller gave, if it is one to write down, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |id: &&HeaderValue| {
        (1..=MOST_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(is_plain).cloned().unwrap_or_else(|| {
        let new = format!("{:032x}", fastrand::u128(..));
        HeaderValue::from_str(&new).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// A call that is under way. It ends when this is dropped.
struct Call {
    method: &'static str,
    span: Span,
    begun: Instant,
    /// What it was answered with; `None` until then.
    code: Option<Code>,
}

impl Call {
    fn begin(request: &Request<Body>, id: &HeaderValue) -> Self {
        let method = method_of(request.uri().path());
        let id = id.to_str().unwrap_or_default();
        let span = info_span!(
            "request",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = field::Empty,
            id,
            method,
            code = field::Empty,
        );
        let caller = TraceContextPropagator::new().extract(&Headers(request.headers()));
        // Without somebody to export to, spans have no parents elsewhere.
        let _ = span.set_parent(caller);
        gauge!("copydesk_requests_in_flight").increment(1.0);
        Self { method, span, begun: Instant::now(), code: None }
    }

    /// Takes the code from headers or trailers, if they have one.
    fn note(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = Some(status.code());
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waited for the end.
        let code = self.code.unwrap_or(Code::Cancelled);
        let (name, took) = (name_of(code), self.begun.elapsed());
        gauge!("copydesk_requests_in_flight").decrement(1.0);
        counter!("copydesk_requests_total", "method" => self.method, "code" => name).increment(1);
        histogram!("copydesk_request_seconds", "method" => self.method).record(took);
        self.span.record("code", name);
        let milliseconds = took.as_secs_f64() * 1e3;
        let _in_span = self.span.enter();
        match code {
            Code::Unknown | Code::Internal | Code::DataLoss => {
                self.span.record("otel.status_code", "ERROR");
                tracing::warn!(milliseconds, "a request failed");
            }
            _ => tracing::debug!(milliseconds, "answered"),
        }
    }
}

/// The body of an answer, which ends with the code.
struct Answer {
    body: Body,
    call: Call,
}

impl http_body::Body for Answer {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let span = self.call.span.clone();
        let polled = span.in_scope(|| Pin::new(&mut self.body).poll_frame(context));
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.note(trailers);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The method that a path names, as metrics call it: those that are not ours are one.
fn method_of(path: &str) -> &'static str {
    static METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap_or_default();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|m| format!("{}/{}", m.parent_service().name(), m.name())).collect()
    });
    let ours = path.strip_prefix("/copydesk.v1.").and_then(|method| METHODS.get(method));
    ours.map_or("other", String::as_str)
}

/// A code as metrics and logs call it.
fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Where the trace of a caller is found (W3C Trace Context).
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{method_of, request_id};
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn ids_of_callers_are_kept_if_they_can_be_written_down() {
        let given = |id: &[u8]| {
            let value = HeaderValue::from_bytes(id).unwrap();
            request_id(&HeaderMap::from_iter([(super::REQUEST_ID, value)]))
        };
        assert_eq!(given(b"desk-7/42"), "desk-7/42");
        for odd in [b"".as_slice(), b"two words", b"caf\xe9", &[b'a'; 129]] {
            assert_eq!(given(odd).len(), 32, "{odd:?}");
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }

    #[test]
    fn only_methods_of_the_contract_have_names() {
        let path = "/copydesk.v1.CorpusService/IngestDocument";
        assert_eq!(method_of(path), "CorpusService/IngestDocument");
        for other in ["/copydesk.v1.CorpusService/Nonsense", "/grpc.health.v1.Health/Check", ""] {
            assert_eq!(method_of(other), "other");
        }
    }
}
