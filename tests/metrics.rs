//! Figures for Prometheus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use common::{Desk, LEAD, OTHER, SECOND, program};

fn figures(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_and_its_index_are_in_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[OTHER, SECOND]).await;
    desk.kill();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let _desk = Desk::with(folder.path(), &["--metrics", &free]).await;
    let expected = [
        "copydesk_documents 2",
        "copydesk_passages 4",
        "copydesk_index_vectors 3",
        "copydesk_index_segments 1",
        "copydesk_index_coverage 1",
    ];
    let mut answer = String::new();
    for _ in 0..100 {
        answer = figures(&free);
        if expected.iter().all(|line| answer.lines().any(|other| other == *line)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{answer}");
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", &address, "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--metrics") && said.contains(&address), "{said}");
}
