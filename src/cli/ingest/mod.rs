mod ready;
mod report;

use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use futures::{Stream, StreamExt};
use indicatif::ProgressBar;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::args::IngestArgs;
use super::failure::Failure;
use super::input::{InputError, Item, Reading, Source, read_found, sources};
use super::{progress, stop};
use crate::client::Client;
use crate::fetch::{Fetched, Fetcher, Found, Named, Validators, without_secret};
use crate::proto::v1 as pb;

use ready::{Making, Ready};
use report::{Failed, Report};

/// Articles that are read ahead, and requests that wait to be sent.
const AHEAD: usize = 32;

/// Bytes of a request besides its document.
const ENVELOPE: usize = 1_024;

/// What became of an input on its way to the server.
enum Step {
    Sent { name: String, bytes: u64, unfetched: Option<InputError> },
    Known { answer: pb::IngestDocumentsResponse, bytes: u64 },
    Failed { failed: Box<Failed>, bytes: u64 },
}

/// Takes in what `args` name. The code is 1 if anything failed, 130 if it was interrupted.
pub async fn ingest(
    mut client: Client,
    args: IngestArgs,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let stop = stop::on_signal()?;
    let largest = largest_document(&mut client).await?;
    let (sources, unreadable) = sources(&args);
    // How much there is is not known before it is fetched.
    let fetches = args.follow_links || sources.iter().any(Source::is_address);
    let bar = match fetches {
        true => progress::articles("ingesting"),
        false => progress::bytes(sources.iter().map(Source::bytes).sum(), "ingesting"),
    };
    let found = Some(bar.clone()).filter(|_| fetches);
    let mut report = Report::new(as_json, bar, fetches);
    for error in unreadable {
        report.failed(Failed::unreadable("", &error))?;
    }
    let fetcher = Fetcher::new(args.fetch.options());
    let follow_links = args.follow_links;
    let reader = Reader { fetcher: fetcher.clone(), largest, follow_links, found };
    let (items, thread) = reader.read(sources, stop.clone());
    let making = Making { client: client.clone(), fetcher, largest, asks_first: !args.dry_run };
    let ready = making.ready(items);
    take_in(client, args, ready, &stop, &mut report).await?;
    // If it was interrupted, it may wait for input that never comes.
    if !stop.is_cancelled() && thread.join().is_err() {
        return Err(Failure::Other(
            "reading the input failed; what came before it was taken in".to_owned(),
        ));
    }
    report.finish(stop.is_cancelled())
}

/// Bytes of a document that the server takes.
pub async fn largest_document(client: &mut Client) -> Result<usize, Failure> {
    let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await?.into_inner();
    let largest = info.limits.map_or(0, |limits| limits.max_message_bytes);
    Ok(usize::try_from(largest).unwrap_or(0).saturating_sub(ENVELOPE))
}

/// Reads sources on a thread of their own.
struct Reader {
    fetcher: Fetcher,
    largest: usize,
    follow_links: bool,
    /// Gets longer by each article, where it counts them.
    found: Option<ProgressBar>,
}

impl Reader {
    fn read(
        self,
        sources: Vec<Source>,
        stop: CancellationToken,
    ) -> (mpsc::Receiver<Item>, JoinHandle<()>) {
        let (sender, items) = mpsc::channel(AHEAD);
        let runtime = Handle::current();
        let thread = thread::spawn(move || {
            let found = self.found.clone();
            let mut take = |item| {
                if let Some(found) = &found {
                    found.inc_length(1);
                }
                !stop.is_cancelled() && sender.blocking_send(item).is_ok()
            };
            let mut reading = Reading::new(self.largest, &mut take);
            reading.follow_links = self.follow_links;
            for source in sources {
                match source {
                    Source::Address(url) => {
                        let fetching = self.fetch(&url);
                        match runtime.block_on(stop.run_until_cancelled(fetching)) {
                            Some(Ok(found)) => read_found(&url, found, &mut reading),
                            Some(Err(error)) => {
                                reading.pass(without_secret(&url).to_string(), Err(error));
                            }
                            None => return,
                        }
                    }
                    source => source.read(&mut reading),
                }
            }
        });
        (items, thread)
    }

    async fn fetch(&self, url: &Url) -> Result<Found, InputError> {
        let named = Named::ByOperator;
        let fetched = self.fetcher.get(url, named, &Validators::default()).await;
        let found = fetched.and_then(Fetched::found);
        let name = || without_secret(url).to_string();
        found.map_err(|source| InputError::NotFetched { name: name(), source })
    }
}

/// Sends articles and takes answers, both at once. What was sent is answered, even if no more
/// is sent.
async fn take_in(
    mut client: Client,
    args: IngestArgs,
    ready: impl Stream<Item = Ready> + Send + 'static,
    stop: &CancellationToken,
    report: &mut Report,
) -> Result<(), Failure> {
    let (requests, outgoing) = mpsc::channel(AHEAD);
    // What was sent, in order: answers come in the same one.
    let (sent, mut expected) = mpsc::unbounded_channel::<Step>();
    let mut ready = Box::pin(ready.take_until(stop.clone().cancelled_owned()));
    let sending = tokio::spawn(async move {
        while let Some(ready) = ready.next().await {
            let step = match ready {
                Ready::Failed { failed, bytes } => Step::Failed { failed, bytes },
                Ready::Known { answer, bytes } => Step::Known { answer, bytes },
                Ready::Document { name, document, bytes, unfetched } => {
                    let request = request(&args, name.clone(), *document);
                    match requests.send(request).await {
                        Ok(()) => Step::Sent { name, bytes, unfetched },
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
        let bytes = match step {
            Step::Failed { failed, bytes } => {
                report.failed(*failed)?;
                bytes
            }
            Step::Known { answer, bytes } => {
                report.answered(answer)?;
                bytes
            }
            Step::Sent { name, bytes, unfetched } => {
                let answer = match &mut answers {
                    Some(answers) if ended.is_none() => answers.message().await,
                    _ => Ok(None),
                };
                match answer {
                    Ok(Some(answer)) => {
                        report.unfetched(unfetched, &answer);
                        report.answered(answer)?;
                    }
                    Ok(None) => {
                        let reason = ended.get_or_insert_with(|| "it gave no reason".to_owned());
                        report.failed(Failed::unanswered(name, reason))?;
                    }
                    Err(status) => {
                        let reason = ended.insert(status.message().to_owned());
                        report.failed(Failed::unanswered(name, reason))?;
                    }
                }
                bytes
            }
        };
        report.progress(bytes);
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
