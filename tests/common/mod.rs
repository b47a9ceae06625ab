//! A real server for a test: the program itself, over a temporary corpus.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: every test file uses a part of it"
)]

pub mod ledger;
pub mod operators;
pub mod reports;
pub mod web;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use tempfile::TempDir;
use tonic::Status;
use tonic_types::StatusExt;

pub const LEAD: &str = "The central bank raised its key interest rate by half a percentage point \
    to 5.5 pct on Monday, its third increase this year.";
pub const SECOND: &str = "Governor Jane Doe told reporters in the capital that inflation had \
    proved more stubborn than the bank expected when it met in March.";
pub const THIRD: &str = "Shares in commercial lenders fell sharply after the announcement, while \
    the currency gained almost one pct against the dollar.";
pub const OTHER: &str = "Fishermen in the northern harbour have been on strike over new catch \
    quotas since last week, and talks with the ministry broke down on Friday.";

/// The program, run by a test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.env_remove("COPYDESK_SERVER").env_remove("COPYDESK_TOKEN").stdin(Stdio::null());
    command
}

/// A server that is ready, and ends with the test.
pub struct Desk {
    child: Child,
    pub address: String,
    pub client: Client,
    folder: Option<TempDir>,
}

impl Desk {
    /// Over an empty corpus.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mut desk = Self::over(&path).await;
        desk.folder = Some(folder);
        desk
    }

    /// Over the corpus in `folder`, which stays when the server ends.
    pub async fn over(folder: &Path) -> Self {
        Self::with(folder, &[]).await
    }

    /// Over the corpus in `folder`, with these options.
    pub async fn with(folder: &Path, options: &[&str]) -> Self {
        Self::run(program(), folder, options).await
    }

    /// Likewise, by a command that runs the program.
    pub async fn run(program: Command, folder: &Path, options: &[&str]) -> Self {
        let started = Self::try_run(program, folder, options).await;
        started.expect("the server ended before it was ready")
    }

    /// Likewise; `None` if it ends before it is ready.
    pub async fn try_run(program: Command, folder: &Path, options: &[&str]) -> Option<Self> {
        let (child, address) = start(program, folder, options)?;
        let client = Client::connect(&address).await.ok()?;
        Some(Self { child, address, client, folder: None })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the server to end.
    pub fn terminate(&self) {
        assert!(self.signal("-TERM"));
    }

    /// Sends a signal. False if the server is gone.
    pub fn signal(&self, signal: &str) -> bool {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status();
        sent.unwrap().success()
    }

    /// Waits until the server has ended, for a minute at most.
    pub async fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "the server does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn ingest(
        &mut self,
        request: pb::IngestDocumentRequest,
    ) -> Result<pb::IngestDocumentResponse, Status> {
        Ok(self.client.corpus.ingest_document(request).await?.into_inner())
    }

    /// Takes in a document of paragraphs, and expects that to work.
    pub async fn put(&mut self, id: &str, paragraphs: &[&str]) -> pb::IngestDocumentResponse {
        self.ingest(ingest(document(id, paragraphs))).await.unwrap()
    }

    pub async fn get(
        &mut self,
        id: &str,
        view: pb::VerdictView,
    ) -> Result<pb::GetDocumentResponse, Status> {
        let request = pb::GetDocumentRequest { document_id: id.to_owned(), view: view.into() };
        Ok(self.client.corpus.get_document(request).await?.into_inner())
    }

    pub async fn delete(&mut self, id: &str) -> Result<pb::DeleteDocumentResponse, Status> {
        let request = pb::DeleteDocumentRequest { document_id: id.to_owned() };
        Ok(self.client.corpus.delete_document(request).await?.into_inner())
    }

    pub async fn duplicates(
        &mut self,
        request: pb::FindDuplicatesRequest,
    ) -> Result<pb::FindDuplicatesResponse, Status> {
        Ok(self.client.similarity.find_duplicates(request).await?.into_inner())
    }

    pub async fn related(
        &mut self,
        request: pb::FindRelatedPassagesRequest,
    ) -> Result<pb::FindRelatedPassagesResponse, Status> {
        Ok(self.client.similarity.find_related_passages(request).await?.into_inner())
    }

    pub async fn info(&mut self) -> pb::GetServerInfoResponse {
        let request = pb::GetServerInfoRequest {};
        self.client.admin.get_server_info(request).await.unwrap().into_inner()
    }

    /// Ids of the passages that say what `text` says.
    pub async fn copies_of(&mut self, text: &str) -> Vec<String> {
        let query = pb::find_duplicates_request::Query::Text(text.to_owned());
        let request =
            pb::FindDuplicatesRequest { query: Some(query), limit: 1_000, ..Default::default() };
        let matches = self.duplicates(request).await.unwrap().matches;
        matches.into_iter().map(|found| found.passage.unwrap().passage_id).collect()
    }

    /// Ids of the passages that are related to `text`, best first.
    pub async fn related_to(&mut self, text: &str) -> Vec<String> {
        let query = pb::find_related_passages_request::Query::Text(text.to_owned());
        let request = pb::FindRelatedPassagesRequest { query: Some(query), ..Default::default() };
        let passages = self.related(request).await.unwrap().passages;
        passages.into_iter().map(|found| found.passage.unwrap().passage_id).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server and waits until it is ready, or has ended.
pub fn start(mut program: Command, folder: &Path, options: &[&str]) -> Option<(Child, String)> {
    let mut child = program
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--data"])
        .arg(folder)
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    match lines.find_map(|line| Some(line.strip_prefix("ready on ")?.to_owned())) {
        Some(address) => Some((child, address)),
        None => {
            let _ = child.kill();
            child.wait().unwrap();
            None
        }
    }
}

pub fn document(id: &str, paragraphs: &[&str]) -> pb::Document {
    let paragraphs = paragraphs.iter().map(|paragraph| (*paragraph).to_owned()).collect();
    pb::Document {
        document_id: id.to_owned(),
        paragraphs: Some(pb::ParagraphList { paragraphs }),
        ..Default::default()
    }
}

pub fn ingest(document: pb::Document) -> pb::IngestDocumentRequest {
    pb::IngestDocumentRequest { document: Some(document), ..Default::default() }
}

pub fn day(day: &str) -> Option<prost_types::Timestamp> {
    let time: jiff::Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
    Some(prost_types::Timestamp { seconds: time.as_second(), nanos: 0 })
}

pub fn verdict_of(response: &pb::IngestDocumentResponse) -> pb::Verdict {
    response.verdict.as_ref().unwrap().verdict()
}

/// The fields that a refusal names.
pub fn violations(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations =
        details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// The five articles by the stems of their files.
pub fn seeds() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    let stem = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|file| (stem(file), std::fs::read_to_string(file).unwrap())).collect()
}
