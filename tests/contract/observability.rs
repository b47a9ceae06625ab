//! What a server logs and traces: each request by its id, each step by a span, and nothing
//! of what was sent.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Desk, LEAD, OTHER, SECOND, document, ingest, program};
use copydesk::proto::v1 as pb;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

/// A server whose log goes to a file.
async fn logging(folder: &Path, options: &[&str]) -> Desk {
    let mut program = program();
    program.stderr(fs::File::create(folder.join("log")).unwrap());
    Desk::run(program, &folder.join("data"), options).await
}

/// The log once the server has ended.
async fn log_of(mut desk: Desk, folder: &Path) -> String {
    desk.terminate();
    assert!(desk.wait().await.success());
    fs::read_to_string(folder.join("log")).unwrap()
}

fn with_id<T>(message: T, id: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    request
}

fn id_of(metadata: &MetadataMap) -> String {
    metadata.get("x-request-id").unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_carries_the_id_of_its_request() {
    let mut desk = Desk::open().await;
    let corpus = &mut desk.client.corpus;
    let request = ingest(document("a", &[LEAD]));
    let answer = corpus.ingest_document(with_id(request, "desk-7/42")).await.unwrap();
    assert_eq!(id_of(answer.metadata()), "desk-7/42");
    let unknown = pb::GetDocumentRequest { document_id: "b".to_owned(), ..Default::default() };
    let status = corpus.get_document(with_id(unknown.clone(), "desk-8")).await.unwrap_err();
    assert_eq!((status.code(), id_of(status.metadata())), (Code::NotFound, "desk-8".to_owned()));
    let status = corpus.get_document(unknown).await.unwrap_err();
    assert_eq!(id_of(status.metadata()).len(), 32);
    let requests = [pb::IngestDocumentsRequest {
        ingest: Some(ingest(document("c", &[OTHER]))),
        ..Default::default()
    }];
    let stream = corpus.ingest_documents(with_id(tokio_stream::iter(requests), "desk-9"));
    assert_eq!(id_of(stream.await.unwrap().metadata()), "desk-9");
}

#[tokio::test]
async fn the_log_is_json_and_tells_the_request_of_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--log-format", "json", "--log", "copydesk=debug"];
    let mut desk = logging(folder.path(), &options).await;
    let request = ingest(document("a", &[LEAD]));
    desk.client.corpus.ingest_document(with_id(request, "desk-1")).await.unwrap();
    let unknown = pb::GetDocumentRequest { document_id: "b".to_owned(), ..Default::default() };
    desk.client.corpus.get_document(with_id(unknown, "desk-2")).await.unwrap_err();
    let log = log_of(desk, folder.path()).await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = |id: &str| {
        let is_its = |line: &&Value| line["spans"][0]["id"] == id && line["message"] == "answered";
        let line = lines.iter().find(is_its).unwrap_or_else(|| panic!("{id}: {log}"));
        assert!(line["milliseconds"].as_f64().unwrap() > 0.0);
        (line["spans"][0]["method"].clone(), line["spans"][0]["code"].clone())
    };
    assert_eq!(answered("desk-1"), ("CorpusService/IngestDocument".into(), "OK".into()));
    assert_eq!(answered("desk-2"), ("CorpusService/GetDocument".into(), "NOT_FOUND".into()));
}

#[tokio::test]
async fn even_the_finest_log_holds_no_text_and_no_token() {
    const SECRETS: [&str; 5] =
        ["Zanzibarian", "Quetzalcoatl", "Xylophonist", "tok3n", "Wolframite"];
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let options = ["--log-format", format, "--log", "trace", "--segment-rows", "64"];
        let mut desk = logging(folder.path(), &options).await;
        let body = format!("The {} minister met the {} delegation.", SECRETS[0], SECRETS[1]);
        let titled = pb::Document {
            title: format!("{} wins prize", SECRETS[2]),
            ..document("a", &[&body, SECOND])
        };
        let mut request = Request::new(ingest(titled.clone()));
        let token = format!("Bearer {}", SECRETS[3]);
        request.metadata_mut().insert("authorization", token.parse().unwrap());
        desk.client.corpus.ingest_document(request).await.unwrap();
        let requests = tokio_stream::iter([pb::IngestDocumentsRequest {
            ingest: Some(ingest(pb::Document { document_id: "b".to_owned(), ..titled })),
            ..Default::default()
        }]);
        let mut answers = desk.client.corpus.ingest_documents(requests).await.unwrap().into_inner();
        while answers.message().await.unwrap().is_some() {}
        let question = format!("is {} mined there", SECRETS[4]);
        desk.copies_of(&question).await;
        desk.related_to(&question).await;
        desk.ingest(ingest(pb::Document { language: SECRETS[0].to_owned(), ..document("c", &[]) }))
            .await
            .unwrap_err();
        let log = log_of(desk, folder.path()).await;
        assert!(log.lines().count() > 100, "{log}");
        for secret in SECRETS {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{format}");
        }
    }
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            assert!(attributes.iter().any(|attribute| attribute.key == "service.name"));
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.lock().unwrap().extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The names of the spans beneath a span.
fn beneath(spans: &[Span], top: &Span) -> BTreeSet<String> {
    let parents: HashMap<&[u8], &[u8]> = spans
        .iter()
        .map(|span| (span.span_id.as_slice(), span.parent_span_id.as_slice()))
        .collect();
    let is_beneath = |span: &&Span| {
        let mut at = span.parent_span_id.as_slice();
        while at != top.span_id {
            match parents.get(at) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        true
    };
    spans.iter().filter(is_beneath).map(|span| span.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_requests_and_their_steps_go_to_the_collector() {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = TraceServiceServer::new(collector.clone());
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(folder.path(), &["--otlp", &address]).await;
    desk.put("a", &[LEAD, SECOND]).await;
    let mut request = with_id(ingest(document("b", &[LEAD, OTHER])), "desk-1");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    desk.client.corpus.ingest_document(request).await.unwrap();
    let requests = tokio_stream::iter([pb::IngestDocumentsRequest {
        ingest: Some(ingest(document("c", &[OTHER, SECOND]))),
        ..Default::default()
    }]);
    let mut answers = desk.client.corpus.ingest_documents(requests).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    desk.related_to("what the central bank does next").await;
    desk.copies_of(LEAD).await;
    desk.terminate();
    assert!(desk.wait().await.success());

    let spans = collector.0.lock().unwrap().clone();
    let steps_of = |method: &str, expected: &[&str]| {
        let tops = spans.iter().filter(|span| span.name == method);
        let top = tops.max_by_key(|span| span.start_time_unix_nano);
        let beneath = beneath(&spans, top.unwrap_or_else(|| panic!("no span of {method}")));
        for step in expected {
            assert!(beneath.contains(*step), "{method} has no {step}: {beneath:?}");
        }
    };
    let ways_in =
        ["wait", "embed", "read", "search", "compare", "relate", "turn", "store", "judge", "file"];
    steps_of("CorpusService/IngestDocument", &ways_in);
    steps_of("CorpusService/IngestDocuments", &ways_in);
    steps_of(
        "SimilarityService/FindRelatedPassages",
        &["wait", "embed", "vectors", "words", "fusion", "answer"],
    );
    steps_of("SimilarityService/FindDuplicates", &["wait", "duplicates"]);
    // The trace of a caller goes on.
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let of_caller = spans.iter().find(|span| hex(&span.parent_span_id) == "b7ad6b7169203331");
    assert_eq!(hex(&of_caller.unwrap().trace_id), trace);
    let text = format!("{spans:?}");
    assert!(text.contains("desk-1") && !text.contains("central bank"), "{text}");
}

#[tokio::test]
async fn a_collector_that_is_away_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(folder.path(), &["--otlp", "http://127.0.0.1:9"]).await;
    desk.put("a", &[LEAD]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(desk.copies_of(LEAD).await, ["a#0"]);
    desk.terminate();
    assert!(desk.wait().await.success());
}

#[test]
fn settings_of_logs_that_are_wrong_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (options, expected) in [
        (["--log", "copydesk=loud"], "--log"),
        (["--log-format", "xml"], "--log-format"),
        (["--otlp", "https://collector:4317"], "--otlp"),
        (["--otlp", "collector:nowhere"], "--otlp"),
    ] {
        let output = program().args(["serve", "--data"]).arg(&data).args(options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!data.exists());
    }
}
