use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use indicatif::ProgressBar;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use super::args::IngestArgs;
use super::failure::Failure;
use super::input::{InputError, Item, Source, sources};
use super::output::{json, line, table, verdict};
use super::progress;
use crate::client::Client;
use crate::proto::v1 as pb;
use crate::proto::v1::ingest_documents_response::Outcome;

/// Articles that are read ahead, and requests that wait to be sent.
const AHEAD: usize = 32;

/// Bytes of a request besides its document.
const ENVELOPE: usize = 1_024;

/// What became of an input on its way to the server.
enum Step {
    Sent { name: String, bytes: u64 },
    Failed { failed: Box<Failed>, bytes: u64 },
}

/// An input that did not get as far as the server.
struct Failed {
    name: String,
    message: String,
    error: pb::IngestError,
}

/// Takes in what `args` name. The code is 1 if anything failed.
pub async fn ingest(
    mut client: Client,
    args: IngestArgs,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await?.into_inner();
    let largest = info.limits.map_or(0, |limits| limits.max_message_bytes);
    let largest = usize::try_from(largest).unwrap_or(0).saturating_sub(ENVELOPE);
    let (sources, unreadable) = sources(&args);
    let bar = progress::bytes(sources.iter().map(Source::bytes).sum(), "ingesting");
    let mut report = Report::new(as_json, bar);
    for error in unreadable {
        report.failed(Failed::unreadable("", &error))?;
    }
    let items = read(sources);
    take_in(client, args, items, largest, &mut report).await?;
    report.finish()
}

/// Reads the sources on a thread of their own.
fn read(sources: Vec<Source>) -> mpsc::Receiver<Item> {
    let (sender, items) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        for source in sources {
            source.read(|item| sender.blocking_send(item).is_ok());
        }
    });
    items
}

/// Sends articles and takes answers, both at once.
async fn take_in(
    mut client: Client,
    args: IngestArgs,
    mut items: mpsc::Receiver<Item>,
    largest: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let (requests, outgoing) = mpsc::channel(AHEAD);
    // What was sent, in order: answers come in the same one.
    let (sent, mut expected) = mpsc::unbounded_channel::<Step>();
    let sending = tokio::spawn(async move {
        while let Some(Item { name, document, bytes }) = items.recv().await {
            let document = document.map_err(|error| Box::new(Failed::unreadable(&name, &error)));
            let document = document.and_then(|document| match document.encoded_len() > largest {
                true => Err(Box::new(Failed::too_large(&name, largest))),
                false => Ok(document),
            });
            let step = match document {
                Err(failed) => Step::Failed { failed, bytes },
                Ok(document) => {
                    let request = request(&args, name.clone(), *document);
                    match requests.send(request).await {
                        Ok(()) => Step::Sent { name, bytes },
                        Err(_) => Step::Failed { failed: Box::new(Failed::unsent(name)), bytes },
                    }
                }
            };
            if sent.send(step).is_err() {
                return;
            }
        }
    });
    // Why nothing more is answered, once that is so.
    let mut ended: Option<String> = None;
    let mut answers = match client.corpus.ingest_documents(ReceiverStream::new(outgoing)).await {
        Ok(answers) => Some(answers.into_inner()),
        Err(status) => {
            ended = Some(status.message().to_owned());
            None
        }
    };
    while let Some(step) = expected.recv().await {
        match step {
            Step::Failed { failed, bytes } => {
                report.failed(*failed)?;
                report.bar.inc(bytes);
            }
            Step::Sent { name, bytes } => {
                let answer = match &mut answers {
                    Some(answers) if ended.is_none() => answers.message().await,
                    _ => Ok(None),
                };
                match answer {
                    Ok(Some(answer)) => report.answered(answer)?,
                    Ok(None) => {
                        let reason = ended.get_or_insert_with(|| "it gave no reason".to_owned());
                        report.failed(Failed::unanswered(name, reason))?;
                    }
                    Err(status) => {
                        let reason = ended.insert(status.message().to_owned());
                        report.failed(Failed::unanswered(name, reason))?;
                    }
                }
                report.bar.inc(bytes);
            }
        }
    }
    sending.await.map_err(|error| Failure::Other(error.to_string()))
}

fn request(
    args: &IngestArgs,
    name: String,
    mut document: pb::Document,
) -> pb::IngestDocumentsRequest {
    if document.source.is_empty() {
        document.source = args.source.clone().unwrap_or_default();
    }
    document.labels.extend(args.labels.iter().cloned());
    let policy = match args.skip_duplicates {
        true => pb::DuplicatePolicy::Skip,
        false => pb::DuplicatePolicy::Unspecified,
    };
    pb::IngestDocumentsRequest {
        ingest: Some(pb::IngestDocumentRequest {
            document: Some(document),
            validate_only: args.dry_run,
            duplicate_policy: policy.into(),
            view: pb::VerdictView::Unspecified.into(),
        }),
        request_id: name,
    }
}

impl Failed {
    fn unreadable(name: &str, error: &InputError) -> Self {
        Self::new(name.to_owned(), error.to_string(), "UNREADABLE", Code::InvalidArgument)
    }

    fn unsent(name: String) -> Self {
        Self::unanswered(name, "it takes no more")
    }

    fn unanswered(name: String, reason: &str) -> Self {
        let message = format!(
            "{name}: not answered, the server ended the stream ({reason}); run the same again"
        );
        Self::new(name, message, "UNANSWERED", Code::Unavailable)
    }

    fn too_large(name: &str, largest: usize) -> Self {
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
struct Report {
    as_json: bool,
    bar: ProgressBar,
    started: Instant,
    /// Documents by what was done and what they are.
    taken: BTreeMap<(&'static str, &'static str), usize>,
    failures: Vec<String>,
}

impl Report {
    fn new(as_json: bool, bar: ProgressBar) -> Self {
        Self { as_json, bar, started: Instant::now(), taken: BTreeMap::new(), failures: Vec::new() }
    }

    fn answered(&mut self, answer: pb::IngestDocumentsResponse) -> Result<(), Failure> {
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

    fn failed(&mut self, failed: Failed) -> Result<(), Failure> {
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
    fn finish(self) -> Result<ExitCode, Failure> {
        self.bar.finish_and_clear();
        if !self.as_json {
            let mut summary = table(["articles", "verdict", "what was done"]);
            for ((outcome, verdict), count) in &self.taken {
                summary.add_row([count.to_string().as_str(), verdict, outcome]);
            }
            line(&summary)?;
            let seconds = self.started.elapsed().as_secs_f64();
            line(format_args!(
                "{} articles in {seconds:.1} s, {:.1}/s",
                self.count(),
                self.rate()
            ))?;
        }
        for failure in &self.failures {
            eprintln!("failed: {failure}");
        }
        if self.failures.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!(
            "copydesk: {} of {} articles failed",
            self.failures.len(),
            self.failures.len() + self.count()
        );
        Ok(ExitCode::FAILURE)
    }
}

fn outcome(outcome: i32) -> &'static str {
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
