//! More than the server can carry: what it accepts it does, the rest is refused at once with the
//! time to try again, and questions are answered all the while.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;
#[path = "../bench/common/open_loop.rs"]
mod open_loop;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Desk, LEAD, OTHER, document, ingest};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use open_loop::at_rate;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Documents a second, far more than one worker can embed, and for how long.
const RATE: f64 = 500.0;
const TIME: Duration = Duration::from_secs(6);

/// Connections that they come by: one alone would be held back by its transport.
const CONNECTIONS: usize = 8;

/// Bytes that the server may need besides what it needs without load: what requests may hold,
/// and as much for each again for what they are made into.
const MEMORY: u64 = 3 * (32 << 20);

fn large(number: usize) -> pb::IngestDocumentRequest {
    let paragraphs: Vec<String> =
        (0..6).map(|part| format!("Report {number}, part {part}: {OTHER} {number}")).collect();
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    ingest(document(&format!("d{number}"), &paragraphs))
}

/// The most memory that a process had, in bytes.
fn highest_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

#[tokio::test(flavor = "multi_thread")]
async fn under_too_much_load_what_is_accepted_is_done_and_questions_are_answered() {
    let mut desk = Desk::open().await;
    desk.put("known", &[LEAD]).await;
    desk.copies_of(LEAD).await;
    let memory = highest_memory(desk.pid());
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(&desk.address).await.unwrap());
    }
    let (taken, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let load = at_rate(RATE, TIME, |number| {
        let (mut client, taken) = (clients[number % CONNECTIONS].clone(), Arc::clone(&taken));
        async move {
            client.corpus.ingest_document(large(number)).await?;
            taken.lock().unwrap().push(format!("d{number}"));
            Ok(())
        }
    });
    let questions = async {
        let mut asked = 0;
        while !is_over.load(Ordering::Relaxed) {
            assert!(desk.copies_of(LEAD).await.contains(&"known#0".to_owned()));
            asked += 1;
        }
        asked
    };
    let load = async {
        let tally = load.await;
        is_over.store(true, Ordering::Relaxed);
        tally
    };
    let (tally, asked) = tokio::join!(load, questions);
    println!("{tally}{asked} questions");
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert!(!tally.answered.is_empty() && !tally.refused.is_empty() && asked > 0);
    // A refusal does not wait for what was accepted.
    let middle = |times: &[Duration]| times[times.len() / 2];
    assert!(middle(&tally.refused) < middle(&tally.answered), "{tally}");
    let grown = highest_memory(desk.pid()) - memory;
    assert!(grown < MEMORY, "{grown} bytes");

    // All that was accepted is there, and the next one has its place.
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    assert_eq!(taken.len(), tally.answered.len());
    for document_ids in taken.chunks(500).map(<[String]>::to_vec) {
        let request = pb::BatchGetDocumentsRequest { document_ids };
        let found = desk.client.corpus.batch_get_documents(request).await.unwrap().into_inner();
        assert_eq!(found.unknown_document_ids, [""; 0]);
    }
    desk.put("after", &[OTHER]).await;
}

/// Questions for a thousand answers cost more than such for ten: fewer of them fit.
#[tokio::test(flavor = "multi_thread")]
async fn what_costs_much_is_refused_before_what_costs_little() {
    let desk = Desk::open().await;
    let limits = desk.client.clone().admin.get_server_info(pb::GetServerInfoRequest {}).await;
    let limits = limits.unwrap().into_inner().limits.unwrap();
    let ask = |limit: i32| {
        let mut client = desk.client.clone();
        let text = format!("{OTHER} {}", fastrand::u64(..));
        let query = Some(pb::find_duplicates_request::Query::Text(text));
        let request = pb::FindDuplicatesRequest { query, limit, ..Default::default() };
        async move { client.similarity.find_duplicates(request).await.map(|_| ()) }
    };
    let count = limits.max_concurrent_requests as usize / 4;
    let cheap = futures::future::join_all((0..count).map(|_| ask(1))).await;
    assert!(cheap.iter().all(Result::is_ok), "{cheap:?}");
    let dear = futures::future::join_all((0..count).map(|_| ask(limits.max_limit))).await;
    let refused: Vec<&Status> = dear.iter().filter_map(|asked| asked.as_ref().err()).collect();
    assert!(!refused.is_empty() && refused.len() < count);
    for status in refused {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
        assert!(details.retry_info().unwrap().retry_delay.is_some());
    }
}
