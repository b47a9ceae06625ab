//! Figures about the corpus for Prometheus, over HTTP, on a port and a thread of their own.

use std::net::SocketAddr;
use std::time::Duration;

use metrics::{Unit, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use tokio::time::{MissedTickBehavior, interval};

use crate::corpus::Corpus;

/// How often the corpus is looked at. A look searches for a sample of its texts.
const SAMPLED: Duration = Duration::from_secs(15);

/// Answers `GET /metrics` on `address` for as long as the process lives.
///
/// # Errors
///
/// If the address cannot be listened on.
pub fn listen(address: SocketAddr) -> Result<(), BuildError> {
    // Outside of a runtime, the exporter makes a thread and a runtime of its own, so that it
    // answers whatever the server is at.
    let installing =
        std::thread::spawn(move || PrometheusBuilder::new().with_http_listener(address).install());
    installing.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))?;
    describe_gauge!("copydesk_documents", "Documents in the corpus");
    describe_gauge!("copydesk_passages", "Passages in the corpus");
    describe_gauge!("copydesk_index_vectors", "Vectors that can answer");
    describe_gauge!("copydesk_index_segments", "Segments that they are in");
    describe_gauge!(
        "copydesk_index_coverage",
        "Share of sampled texts that a search for themselves finds, 0 to 1"
    );
    describe_gauge!("copydesk_disk_bytes", Unit::Bytes, "Size of the data folder");
    describe_histogram!(
        "copydesk_ingest_step_seconds",
        Unit::Seconds,
        "Time of an ingest spent on a step: read, search, compare, judge"
    );
    Ok(())
}

/// Brings the figures up to date, again and again.
pub async fn sample(corpus: Corpus) {
    let mut ticks = interval(SAMPLED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match corpus.info().await {
            Ok(info) => {
                gauge!("copydesk_documents").set(info.totals.documents as f64);
                gauge!("copydesk_passages").set(info.totals.passages as f64);
                gauge!("copydesk_index_vectors").set(info.index.vectors as f64);
                gauge!("copydesk_index_segments").set(info.index.segments as f64);
                gauge!("copydesk_index_coverage").set(f64::from(info.index.coverage));
                gauge!("copydesk_disk_bytes").set(info.disk_bytes as f64);
            }
            Err(error) => tracing::warn!(%error, "the figures for metrics could not be read"),
        }
    }
}
