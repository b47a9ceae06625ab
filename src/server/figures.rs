//! What is counted for Prometheus: the names of all figures, and those that are looked up
//! from time to time or when they are asked for.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};

use crate::corpus::Corpus;

use super::gate::Gate;

/// How often the corpus is looked at. A look searches for a sample of its texts.
const SAMPLED: Duration = Duration::from_secs(15);

/// Upper bounds of the histograms, in seconds: a step of a question takes a tenth of a
/// millisecond, a document of very many passages half a minute.
const SECONDS: [f64; 17] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0,
];

/// Begins to count.
///
/// # Errors
///
/// If something in this process counts already.
pub(super) fn start() -> Result<PrometheusHandle, BuildError> {
    let histograms = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(histograms, &SECONDS)?;
    let handle = builder.install_recorder()?;
    describe();
    gauge!("copydesk_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // There from the start, so that the first failure is an increase.
    for work in ["freeze", "link", "merge"] {
        counter!("copydesk_index_failures_total", "work" => work).increment(0);
    }
    Ok(handle)
}

fn describe() {
    for (name, says) in [
        ("copydesk_build_info", "1, with the version of the program"),
        ("copydesk_ready", "1 while all requests are answered, else 0"),
        ("copydesk_disk_failed", "1 once the disk failed and nothing more is stored, else 0"),
        ("copydesk_requests_in_flight", "Calls that are under way, streams included"),
        ("copydesk_documents", "Documents in the corpus"),
        ("copydesk_passages", "Passages in the corpus"),
        ("copydesk_stories", "Stories in the corpus"),
        ("copydesk_index_vectors", "Vectors that can answer"),
        ("copydesk_index_dead_vectors", "Vectors that were removed and are still in files"),
        ("copydesk_index_segments", "Segments that vectors are in"),
        (
            "copydesk_index_coverage",
            "Share of sampled texts that a search for themselves finds, 0 to 1",
        ),
        ("copydesk_places_taken", "Blocking work under way, for questions and for ingest"),
        ("copydesk_places", "Blocking work that may be under way at once"),
        ("copydesk_watchers", "Standing questions"),
        ("copydesk_snapshot_time_seconds", "When the last snapshot was made, since 1970"),
    ] {
        describe_gauge!(name, says);
    }
    for (name, says) in [
        ("copydesk_embedding_queue_bytes", "Text that waits to be embedded"),
        ("copydesk_disk_bytes", "Size of the store and the index"),
        ("copydesk_disk_free_bytes", "Room on the disk of the data folder"),
        ("process_resident_memory_bytes", "Resident memory"),
        (
            "copydesk_client_bytes",
            "What is held for clients: half messages, and answers that they do not read",
        ),
    ] {
        describe_gauge!(name, Unit::Bytes, says);
    }
    for (name, says) in [
        ("copydesk_requests_total", "Calls that ended, by method and code"),
        ("copydesk_ingests_total", "Documents that came in, by what was done"),
        ("copydesk_verdicts_total", "Verdicts on documents that came in"),
        ("copydesk_texts_total", "Texts by where their vectors came from: a cache, or the model"),
        ("copydesk_index_failures_total", "Work on the index that failed and is tried again"),
    ] {
        describe_counter!(name, says);
    }
    for (name, says) in [
        ("copydesk_request_seconds", "Time of a call until its last answer"),
        ("copydesk_ingest_step_seconds", "Time of an ingest spent on a step"),
        ("copydesk_question_step_seconds", "Time of a question spent on a step"),
    ] {
        describe_histogram!(name, Unit::Seconds, says);
    }
}

/// Brings the figures of the corpus up to date, again and again.
pub(super) async fn sample(corpus: Corpus) {
    let mut ticks = interval(SAMPLED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match corpus.info().await {
            Ok(info) => {
                gauge!("copydesk_documents").set(info.totals.documents as f64);
                gauge!("copydesk_passages").set(info.totals.passages as f64);
                gauge!("copydesk_stories").set(info.totals.stories as f64);
                gauge!("copydesk_index_vectors").set(info.index.vectors as f64);
                gauge!("copydesk_index_dead_vectors").set(info.index.dead_vectors as f64);
                gauge!("copydesk_index_segments").set(info.index.segments as f64);
                gauge!("copydesk_index_coverage").set(f64::from(info.index.coverage));
                gauge!("copydesk_disk_bytes").set(info.disk_bytes as f64);
            }
            Err(error) => tracing::warn!(%error, "the figures for metrics could not be read"),
        }
    }
}

/// Brings those figures up to date that need no waiting.
pub(super) fn look(gate: &Gate, data: &Path) {
    gauge!("copydesk_ready").set(f64::from(u8::from(gate.why_not().is_none())));
    if let Some(bytes) = resident_bytes() {
        gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    if let Ok(disk) = rustix::fs::statvfs(data) {
        gauge!("copydesk_disk_free_bytes").set((disk.f_bavail * disk.f_frsize) as f64);
    }
    gauge!("copydesk_client_bytes").set(gate.held().bytes() as f64);
    let Some(corpus) = gate.corpus() else { return };
    gauge!("copydesk_disk_failed").set(f64::from(u8::from(corpus.has_failed_disk())));
    let load = corpus.load();
    for (lane, load) in [("question", load.questions), ("ingest", load.ingests)] {
        gauge!("copydesk_places_taken", "for" => lane).set(load.places_taken as f64);
        gauge!("copydesk_places", "for" => lane).set(load.places as f64);
        gauge!("copydesk_embedding_queue_bytes", "for" => lane).set(load.waiting_bytes as f64);
    }
    gauge!("copydesk_watchers").set(load.watchers as f64);
    let texts = [("index", load.known), ("recent", load.recent), ("model", load.embedded)];
    for (from, count) in texts {
        counter!("copydesk_texts_total", "from" => from).absolute(count);
    }
    let last = corpus.last_snapshot().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    gauge!("copydesk_snapshot_time_seconds").set(last.unwrap_or_default().as_secs_f64());
}

/// Resident memory, where the system tells it as Linux does.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1_024)
}
