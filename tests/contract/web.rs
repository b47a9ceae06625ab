//! The desk's port: the page and its files, the calls that it makes, and who is turned away.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use crate::common::{Desk, LEAD, SECOND, program};
use copydesk::proto::v1 as pb;
use prost::Message;
use tonic::Code;

/// An answer over HTTP/1.1.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request with these headers and this body.
fn send(address: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!("{request} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    write!(stream, "{head}content-length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

const GRPC_WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

/// A message as gRPC frames it.
fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend((bytes.len() as u32).to_be_bytes());
    frame.extend(bytes);
    frame
}

/// Lists documents as the page does.
fn list(address: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = headers.iter().copied().chain([GRPC_WEB]).collect();
    let body = framed(&pb::ListDocumentsRequest::default());
    send(address, "POST /copydesk.v1.CorpusService/ListDocuments", &headers, &body)
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A server with a desk, and where that is.
async fn with_desk(options: &[&str]) -> (Desk, String, tempfile::TempDir) {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let options: Vec<&str> =
        ["--web", &address].into_iter().chain(options.iter().copied()).collect();
    let desk = Desk::with(folder.path(), &options).await;
    (desk, address, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_files_are_served_with_a_strict_policy() {
    let (_desk, address, _folder) = with_desk(&[]).await;
    let page = send(&address, "GET /", &[], b"");
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));

    let known = [("if-none-match", page.header("etag").unwrap())];
    let again = send(&address, "GET /", &known, b"");
    assert_eq!((again.status, again.body.len()), (304, 0));

    let text = page.text();
    let script = text.split('"').find(|part| part.ends_with(".js")).unwrap();
    let script = format!("GET {}", script.trim_start_matches('.'));
    let plain = send(&address, &script, &[], b"");
    assert_eq!(plain.status, 200);
    assert!(plain.header("cache-control").unwrap().contains("immutable"));
    assert!(plain.header("content-type").unwrap().starts_with("text/javascript"));
    let packed = send(&address, &script, &[("accept-encoding", "gzip, br")], b"");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    assert!(packed.body.len() < plain.body.len() / 2);

    let head = send(&address, "HEAD /", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for missing in ["/nothing", "/../Cargo.toml", "/assets/", "/index.html/"] {
        let answer = send(&address, &format!("GET {missing}"), &[], b"");
        assert_eq!(answer.status, 404, "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_calls_the_services_of_the_contract_and_nobody_elses_page_does() {
    let (mut desk, address, _folder) = with_desk(&[]).await;
    desk.put("a", &[LEAD, SECOND]).await;
    let answer = list(&address, &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let text = answer.text();
    assert!(text.contains("grpc-status:0") || text.contains("grpc-status: 0"), "{text}");

    // A form can be sent from any page, with types of its own.
    let body = framed(&pb::ListDocumentsRequest::default());
    let path = "POST /copydesk.v1.CorpusService/ListDocuments";
    for kind in ["text/plain", "application/grpc", "application/x-www-form-urlencoded"] {
        let answer = send(&address, path, &[("content-type", kind)], &body);
        assert_eq!(answer.status, 405, "{kind}");
    }
    // Before it sends another type, a browser asks.
    let preflight = [
        ("origin", "http://elsewhere.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer =
        send(&address, "OPTIONS /copydesk.v1.CorpusService/ListDocuments", &preflight, b"");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_anybody_can_have_is_not_answered() {
    let (_desk, address, _folder) = with_desk(&["--web-name", "desk.example"]).await;
    for (host, status) in [("localhost", 200), ("desk.example:80", 200), ("rebound.example", 421)] {
        assert_eq!(send(&address, "GET /", &[("host", host)], b"").status, status, "{host}");
        assert_eq!(list(&address, &[("host", host)]).status, status, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tokens_the_page_is_open_and_its_calls_are_not() {
    let made = program().args(["token", "new", "--right", "read", "--json"]).output().unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let tokens = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(tokens.path(), made["line"].as_str().unwrap()).unwrap();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let options = ["--web", &address, "--tokens", tokens.path().to_str().unwrap()];
    let (mut child, _) = crate::common::start(program(), folder.path(), &options).unwrap();
    // A token tells who asks, by whatever name.
    let host = ("host", "desk.example");
    assert_eq!(send(&address, "GET /", &[host], b"").status, 200);
    let refused = list(&address, &[host]);
    let code = refused.header("grpc-status").and_then(|code| code.parse().ok());
    assert_eq!(code.map(Code::from_i32), Some(Code::Unauthenticated), "{}", refused.head);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let answer = list(&address, &[host, ("authorization", &bearer)]);
    assert_eq!((answer.status, answer.header("grpc-status")), (200, None));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_desk_that_anybody_could_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ran = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--web", "0.0.0.0:0", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(!ran.status.success() && said.contains("--allow-anybody"), "{said}");
}
