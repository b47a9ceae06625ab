//! The steps of the two ways through the system, as they are measured and traced.

use std::future::Future;
use std::time::Instant;

use metrics::{Histogram, histogram};
use tracing::{Instrument, Span, info_span};

use crate::embed::Lane;

/// Does a step of an ingest.
pub(super) fn timed<T>(step: &'static str, work: impl FnOnce() -> T) -> T {
    timed_in(Lane::Ingest, step, work)
}

/// Does a step of a question.
pub(super) fn timed_question<T>(step: &'static str, work: impl FnOnce() -> T) -> T {
    timed_in(Lane::Question, step, work)
}

/// Does a step: it counts how long that takes, and gives it a span.
fn timed_in<T>(lane: Lane, step: &'static str, work: impl FnOnce() -> T) -> T {
    let (span, seconds) = observed(lane, step);
    let started = Instant::now();
    let done = span.in_scope(work);
    seconds.record(started.elapsed());
    done
}

/// The same for a step that waits.
pub(super) async fn timed_wait<T>(
    lane: Lane,
    step: &'static str,
    work: impl Future<Output = T>,
) -> T {
    let (span, seconds) = observed(lane, step);
    let started = Instant::now();
    let done = work.instrument(span).await;
    seconds.record(started.elapsed());
    done
}

fn observed(lane: Lane, step: &'static str) -> (Span, Histogram) {
    // The name of a span is that of its place in the program; who exports it takes the other.
    match lane {
        Lane::Ingest => (
            info_span!("ingest", otel.name = step),
            histogram!("copydesk_ingest_step_seconds", "step" => step),
        ),
        Lane::Question => (
            info_span!("question", otel.name = step),
            histogram!("copydesk_question_step_seconds", "step" => step),
        ),
    }
}
