//! What operators' tools ask over HTTP: figures, and whether the server lives and is ready.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common::operators::{ask, free_address, value_of};
use crate::common::{Desk, LEAD, OTHER, SECOND, document, ingest, program};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use regex::Regex;

/// Waits until the figures hold all these lines.
async fn until(address: &str, expected: &[&str]) -> String {
    let mut figures = String::new();
    for _ in 0..600 {
        figures = ask(address, "/metrics").1;
        if expected.iter().all(|line| figures.lines().any(|other| other == *line)) {
            return figures;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let missing = expected.iter().find(|line| !figures.lines().any(|other| other == **line));
    panic!("{missing:?} is missing: {figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corpus_and_its_requests_are_in_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[OTHER, SECOND]).await;
    desk.kill();
    let admin = free_address();
    let mut desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("copy", &[LEAD, SECOND]).await;
    desk.copies_of("something else altogether").await;
    desk.copies_of("something else altogether").await;
    desk.get("unknown", pb::VerdictView::Unspecified).await.unwrap_err();
    let request = pb::CreateSnapshotRequest { snapshot_name: "s".to_owned() };
    desk.client.admin.create_snapshot(request).await.unwrap();
    let figures = until(
        &admin,
        &[
            "copydesk_ready 1",
            "copydesk_documents 3",
            "copydesk_passages 6",
            "copydesk_index_vectors 3",
            "copydesk_index_segments 1",
            "copydesk_index_coverage 1",
            "copydesk_requests_in_flight 0",
            r#"copydesk_requests_total{method="CorpusService/IngestDocument",code="OK"} 2"#,
            r#"copydesk_requests_total{method="CorpusService/GetDocument",code="NOT_FOUND"} 1"#,
            r#"copydesk_request_seconds_count{method="CorpusService/IngestDocument"} 2"#,
            r#"copydesk_ingests_total{outcome="created"} 1"#,
            r#"copydesk_ingests_total{outcome="unchanged"} 1"#,
            r#"copydesk_verdicts_total{verdict="exact_duplicate"} 1"#,
            r#"copydesk_ingest_step_seconds_count{step="store"} 2"#,
            r#"copydesk_texts_total{from="model"} 1"#,
            r#"copydesk_texts_total{from="recent"} 1"#,
            r#"copydesk_texts_total{from="index"} 2"#,
            r#"copydesk_places{for="question"} 4"#,
            r#"copydesk_embedding_queue_bytes{for="ingest"} 0"#,
            r#"copydesk_index_failures_total{work="merge"} 0"#,
            "copydesk_disk_failed 0",
            "copydesk_client_bytes 0",
        ],
    )
    .await;
    let value = |name: &str| value_of(&figures, name).unwrap();
    assert!(value("process_resident_memory_bytes") > 10e6);
    assert!(value("copydesk_disk_free_bytes") > 0.0);
    let now = jiff::Timestamp::now().as_second() as f64;
    assert!((now - value("copydesk_snapshot_time_seconds")).abs() < 3_600.0);
}

/// Names of figures in a text, without the endings of histograms.
fn names_in(text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(r"\b(copydesk|process)_[a-z_]+\b").unwrap();
    let names = pattern.find_iter(text).map(|name| {
        let base =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.as_str().strip_suffix(end));
        base.unwrap_or(name.as_str()).to_owned()
    });
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_alerts_name_what_the_server_exposes() {
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let mut desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.copies_of(LEAD).await;
    let figures = until(&admin, &["copydesk_documents 1"]).await;
    let exposed: BTreeSet<String> = figures
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .collect();
    for line in figures.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(figures.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops");
    let dashboard = fs::read_to_string(ops.join("grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let shown = names_in(&dashboard.to_string());
    let alerts = fs::read_to_string(ops.join("alerts.yaml")).unwrap();
    for name in shown.iter().chain(&names_in(&alerts)) {
        assert!(exposed.contains(name), "nothing exposes {name}");
    }
    let hidden: Vec<_> = exposed.iter().filter(|name| !shown.contains(*name)).collect();
    assert!(hidden.is_empty(), "the dashboard does not show {hidden:?}");
    // Labels and their values, too.
    for pair in [r#"code="RESOURCE_EXHAUSTED""#, r#"step="turn""#] {
        assert!(alerts.contains(pair));
    }
    assert!(figures.contains(r#"copydesk_ingest_step_seconds_bucket{step="turn",le=""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_lives_before_it_is_ready_and_while_it_drains() {
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let mut child = program()
        // Every worker loads the model: long enough to ask in the meantime.
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "8", "--admin", &admin, "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.find(|line| line.starts_with("listening on ")).unwrap();
    let early = (ask(&admin, "/livez"), ask(&admin, "/readyz"));
    assert!(ask(&admin, "/metrics").1.contains("copydesk_ready 0"));
    let address = lines.find_map(|line| Some(line.strip_prefix("ready on ")?.to_owned())).unwrap();
    let ready = ask(&admin, "/readyz");
    // A stream that goes on holds the server while it drains.
    let mut client = Client::connect(&address).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = client.corpus.ingest_documents(requests).await.unwrap().into_inner();
    let request = |id: &str| pb::IngestDocumentsRequest {
        ingest: Some(ingest(document(id, &[&LEAD.repeat(500)]))),
        ..Default::default()
    };
    for id in ["a", "b", "c", "d", "e", "f"] {
        sender.send(request(id)).await.unwrap();
    }
    assert!(answers.message().await.unwrap().is_some());
    terminate(child.id());
    let draining = loop {
        let (code, why) = ask(&admin, "/readyz");
        if code != 200 {
            break (code, why, ask(&admin, "/livez").0);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    while answers.message().await.is_ok_and(|answer| answer.is_some()) {}
    assert!(child.wait().unwrap().success());
    assert_eq!(early, ((200, "ok".to_owned()), (503, "starting".to_owned())));
    assert_eq!(ready, (200, "ok".to_owned()));
    assert_eq!(draining, (503, "draining".to_owned(), 200));
}

fn terminate(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_still_answers_its_operators() {
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    let long: Vec<String> = (0..200).map(|part| format!("Part {part}. {OTHER}")).collect();
    let mut calls = Vec::new();
    for number in 0..400 {
        let (mut client, long) = (desk.client.clone(), long.clone());
        calls.push(tokio::spawn(async move {
            let texts: Vec<String> = long.iter().map(|text| format!("{number}: {text}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            client.corpus.ingest_document(ingest(document(&format!("d{number}"), &texts))).await
        }));
    }
    let refused = r#"copydesk_requests_total{method="CorpusService/IngestDocument",code="RESOURCE_EXHAUSTED"}"#;
    let full = [
        refused,
        "copydesk_requests_in_flight",
        r#"copydesk_places_taken{for="ingest"}"#,
        r#"copydesk_embedding_queue_bytes{for="ingest"}"#,
    ];
    loop {
        let (code, figures) = ask(&admin, "/metrics");
        assert_eq!(code, 200);
        if full.iter().all(|name| value_of(&figures, name).is_some_and(|value| value > 0.0)) {
            break;
        }
        assert!(calls.iter().any(|call| !call.is_finished()), "{figures}");
    }
    assert_eq!((ask(&admin, "/livez").0, ask(&admin, "/readyz").0), (200, 200));
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--admin", &address, "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--admin") && said.contains(&address), "{said}");
}
