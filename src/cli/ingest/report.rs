use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::ProgressBar;
use tonic::Code;

use crate::cli::failure::Failure;
use crate::cli::input::InputError;
use crate::cli::output::{counted, json, line, table, verdict};
use crate::cli::stop::INTERRUPTED;
use crate::proto::v1 as pb;
use crate::proto::v1::ingest_documents_response::Outcome;

/// An input that did not get as far as the server.
pub struct Failed {
    name: String,
    message: String,
    error: pb::IngestError,
}

impl Failed {
    pub fn unreadable(name: &str, error: &InputError) -> Self {
        Self::new(name.to_owned(), error.to_string(), "UNREADABLE", Code::InvalidArgument)
    }

    pub fn unsent(name: String) -> Self {
        Self::unanswered(name, "it takes no more")
    }

    pub fn unanswered(name: String, reason: &str) -> Self {
        let message = format!(
            "{name}: not answered, the server ended the stream ({reason}); run the same again"
        );
        Self::new(name, message, "UNANSWERED", Code::Unavailable)
    }

    pub fn too_large(name: &str, largest: usize) -> Self {
        let message = format!("{name} is larger than the {largest} bytes that the server takes");
        Self::new(name.to_owned(), message, "DOCUMENT_TOO_LARGE", Code::InvalidArgument)
    }

    fn new(name: String, message: String, reason: &str, code: Code) -> Self {
        let error = pb::IngestError {
            code: code.into(),
            message: message.clone(),
            reason: reason.to_owned(),
            ..pb::IngestError::default()
        };
        Self { name, message, error }
    }
}

/// What became of the articles so far.
pub struct Report {
    as_json: bool,
    bar: ProgressBar,
    /// Whether the bar counts articles, not bytes.
    counts_articles: bool,
    started: Instant,
    /// Documents by what was done and what they are.
    taken: BTreeMap<(&'static str, &'static str), usize>,
    /// Pages that are not there, of articles that are.
    unfetched: Vec<InputError>,
    failures: Vec<String>,
}

impl Report {
    pub fn new(as_json: bool, bar: ProgressBar, counts_articles: bool) -> Self {
        let (taken, unfetched, failures) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { as_json, bar, counts_articles, started: Instant::now(), taken, unfetched, failures }
    }

    /// Notes why an article that was taken in is not the page that it stands for, if so.
    pub fn unfetched(&mut self, why: Option<InputError>, answer: &pb::IngestDocumentsResponse) {
        if matches!(answer.outcome, Some(Outcome::Result(_))) {
            self.unfetched.extend(why);
        }
    }

    /// Moves the bar past an article that took `bytes` of input.
    pub fn progress(&self, bytes: u64) {
        self.bar.inc(if self.counts_articles { 1 } else { bytes });
    }

    pub fn answered(&mut self, answer: pb::IngestDocumentsResponse) -> Result<(), Failure> {
        if self.as_json {
            json("IngestDocumentsResponse", &answer)?;
        }
        match answer.outcome {
            Some(Outcome::Result(result)) => {
                let found = result.verdict.map_or("unknown", |found| verdict(found.verdict));
                *self.taken.entry((outcome(result.outcome), found)).or_default() += 1;
                self.tell_rate();
            }
            Some(Outcome::Error(error)) => {
                self.failures.push(format!("{}: {}", answer.request_id, error.message));
            }
            None => self.failures.push(format!("{}: the server gave no answer", answer.request_id)),
        }
        Ok(())
    }

    pub fn failed(&mut self, failed: Failed) -> Result<(), Failure> {
        self.failures.push(failed.message);
        if self.as_json {
            let outcome = Some(Outcome::Error(failed.error));
            json(
                "IngestDocumentsResponse",
                &pb::IngestDocumentsResponse { request_id: failed.name, outcome },
            )?;
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.taken.values().sum()
    }

    fn rate(&self) -> f64 {
        self.count() as f64 / self.started.elapsed().as_secs_f64().max(1e-3)
    }

    fn tell_rate(&self) {
        self.bar.set_message(format!("{} articles, {:.0}/s", self.count(), self.rate()));
    }

    /// Shows the summary and lists what failed.
    pub fn finish(self, is_interrupted: bool) -> Result<ExitCode, Failure> {
        self.bar.finish_and_clear();
        if !self.as_json {
            let mut summary = table(["articles", "verdict", "what was done"]);
            for ((outcome, verdict), count) in &self.taken {
                summary.add_row([count.to_string().as_str(), verdict, outcome]);
            }
            line(&summary)?;
            let seconds = self.started.elapsed().as_secs_f64();
            line(format_args!(
                "{} in {seconds:.1} s, {:.1}/s",
                counted(self.count(), "article", "articles"),
                self.rate()
            ))?;
        }
        for error in &self.unfetched {
            eprintln!("without its page: {error}");
        }
        for failure in &self.failures {
            eprintln!("failed: {failure}");
        }
        if !self.unfetched.is_empty() {
            eprintln!(
                "copydesk: {} taken in with the text of the feed, without {}",
                counted(self.unfetched.len(), "article was", "articles were"),
                if self.unfetched.len() == 1 { "its page" } else { "their pages" }
            );
        }
        if !self.failures.is_empty() {
            eprintln!(
                "copydesk: {} of {} articles failed",
                self.failures.len(),
                self.failures.len() + self.count()
            );
        }
        if is_interrupted {
            eprintln!("copydesk: interrupted; run the same again to go on");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Ok(if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What was done with an article, in words.
pub fn outcome(outcome: i32) -> &'static str {
    match pb::IngestOutcome::try_from(outcome) {
        Ok(pb::IngestOutcome::Created) => "stored",
        Ok(pb::IngestOutcome::Replaced) => "replaced",
        Ok(pb::IngestOutcome::MetadataUpdated) => "metadata replaced",
        Ok(pb::IngestOutcome::Unchanged) => "known already",
        Ok(pb::IngestOutcome::Skipped) => "counted only",
        Ok(pb::IngestOutcome::Validated) => "judged only",
        Ok(pb::IngestOutcome::Unspecified) | Err(_) => "unknown",
    }
}
