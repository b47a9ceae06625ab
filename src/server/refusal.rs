use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::corpus::{CorpusError, Which};
use crate::embed::{EmbedError, ModelError};
use crate::fetch::FetchError;
use crate::index::IndexError;
use crate::page::PageError;
use crate::proto::v1::{FieldViolation, IngestError};
use crate::store::{SnapshotError, StoreError};

use super::access::Right;

/// Who gives the reasons in error details.
const DOMAIN: &str = "copydesk";

/// When a client that was refused may try again, where nothing tells how long it takes.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Violations that a status tells, and characters of each part of one.
const MOST_VIOLATIONS: usize = 10;
const MOST_CHARACTERS: usize = 160;

/// Why a request is not answered. Becomes a gRPC status with details.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Fields that are wrong.
    Invalid(Invalid),
    /// The caller brings no token, and the server wants one.
    NoToken,
    /// The caller's token is none of the server's.
    UnknownToken,
    /// The caller's token is not enough for what is asked.
    Forbidden { needed: Right, held: Right },
    /// As many requests are worked on as may be.
    Overloaded { limit: usize, retry_after: Duration },
    /// The requests that are worked on hold as much as may be.
    Full { limit: usize, retry_after: Duration },
    /// As many streams of ingests are open as may be.
    TooManyStreams { limit: usize },
    /// As much is held for the connection as may be.
    Held,
    /// Pages are not fetched for clients here.
    FetchesNothing,
    /// As many pages are fetched as may be.
    TooManyFetches { limit: usize },
    /// A page cannot be had, or may not.
    NotFetched(FetchError),
    /// What was fetched is something else.
    NotAPage(PageError),
    /// The corpus is not open yet.
    Starting,
    /// The server is on its way out.
    Draining,
    /// The caller does not wait any longer.
    DeadlineExceeded,
    /// The answer is larger than a message may be.
    AnswerTooLarge,
    /// The caller took no answer for so long.
    NotRead(Duration),
    /// The corpus could not do it.
    Corpus(CorpusError),
}

/// The fields of a request that are wrong, at least one, and why.
#[derive(Debug, Default)]
pub(super) struct Invalid {
    violations: Vec<(String, String)>,
    reason: Option<&'static str>,
}

impl Invalid {
    /// Notes what is wrong with a field. Of very many, the first few are told: statuses
    /// travel in headers, which clients bound.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push((shortened(field.into()), shortened(description.into())));
        }
    }

    /// Names the reason for machines, instead of the general one.
    pub fn because(&mut self, reason: &'static str) {
        self.reason.get_or_insert(reason);
    }

    /// `Ok` if nothing is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Refusal> {
        if self.violations.is_empty() { Ok(value) } else { Err(Refusal::Invalid(self)) }
    }
}

impl From<CorpusError> for Refusal {
    fn from(error: CorpusError) -> Self {
        Self::Corpus(error)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(invalid) => invalid.into(),
            Refusal::NoToken => {
                let message = "this server takes calls with a token only; send one as \
                    `authorization: Bearer TOKEN`";
                detailed(Code::Unauthenticated, message.to_owned(), "NO_TOKEN", None)
            }
            Refusal::UnknownToken => {
                let message = "the token is none that this server knows; ask its operator for one";
                detailed(Code::Unauthenticated, message.to_owned(), "UNKNOWN_TOKEN", None)
            }
            Refusal::Forbidden { needed, held } => {
                let message = format!(
                    "this takes a token with the right \"{}\", and yours has \"{}\"",
                    needed.as_str(),
                    held.as_str()
                );
                detailed(Code::PermissionDenied, message, "TOO_FEW_RIGHTS", None)
            }
            Refusal::Overloaded { limit, retry_after } => {
                let message = format!("{limit} requests are being worked on already; try again");
                detailed(Code::ResourceExhausted, message, "OVERLOADED", Some(retry_after))
            }
            Refusal::Full { limit, retry_after } => {
                let message = format!("requests of {limit} bytes are worked on already; try again");
                detailed(Code::ResourceExhausted, message, "OVERLOADED", Some(retry_after))
            }
            Refusal::TooManyStreams { limit } => {
                let message =
                    format!("{limit} streams of ingests are open already; end one, or try again");
                detailed(Code::ResourceExhausted, message, "OVERLOADED", Some(RETRY_AFTER))
            }
            Refusal::Held => {
                let message = "as much is held for this connection as there is room for; read \
                    what was answered, complete what was begun, and try again";
                detailed(Code::ResourceExhausted, message.to_owned(), "UNREAD", Some(RETRY_AFTER))
            }
            Refusal::FetchesNothing => {
                let message = "this server fetches no pages; give the article's text or page, or \
                    have its operator start it with --fetch";
                detailed(Code::Unimplemented, message.to_owned(), "FETCHES_NOTHING", None)
            }
            Refusal::TooManyFetches { limit } => {
                let message = format!("{limit} pages are being fetched already; try again");
                detailed(Code::ResourceExhausted, message, "OVERLOADED", Some(RETRY_AFTER))
            }
            Refusal::NotFetched(error) => not_fetched(&error),
            Refusal::NotAPage(error) => {
                let mut invalid = Invalid::default();
                invalid.add("url", format!("leads to what {error}"));
                invalid.because("NOT_A_PAGE");
                invalid.into()
            }
            Refusal::Starting => {
                let message = "the corpus is not ready yet; try again".to_owned();
                detailed(Code::Unavailable, message, "STARTING", Some(RETRY_AFTER))
            }
            Refusal::Draining => {
                let message =
                    "the server is shutting down; try again elsewhere or later".to_owned();
                detailed(Code::Unavailable, message, "DRAINING", Some(RETRY_AFTER))
            }
            Refusal::DeadlineExceeded => {
                let message = "the deadline passed before the answer was ready".to_owned();
                detailed(Code::DeadlineExceeded, message, "DEADLINE_EXCEEDED", None)
            }
            Refusal::AnswerTooLarge => {
                let message = "the answer is larger than 4 MiB; ask for less at once".to_owned();
                detailed(Code::ResourceExhausted, message, "ANSWER_TOO_LARGE", None)
            }
            Refusal::NotRead(waited) => {
                let message = format!("no answer was read for {waited:?}; read on, or ask again");
                detailed(Code::ResourceExhausted, message, "FELL_BEHIND", Some(RETRY_AFTER))
            }
            Refusal::Corpus(error) => error.into(),
        }
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let described = |(field, description): &(String, String)| format!("{field} {description}");
        let message: Vec<String> = invalid.violations.iter().map(described).collect();
        let mut details = ErrorDetails::new();
        details.set_error_info(invalid.reason.unwrap_or("INVALID_FIELD"), DOMAIN, []);
        for (field, description) in invalid.violations {
            details.add_bad_request_violation(field, description);
        }
        Status::with_error_details(Code::InvalidArgument, message.join("; "), details)
    }
}

impl From<CorpusError> for Status {
    fn from(error: CorpusError) -> Self {
        let message = error.to_string();
        match error {
            CorpusError::NotRemembered { .. } => {
                detailed(Code::OutOfRange, message, "NOT_REMEMBERED", None)
            }
            CorpusError::TooManyWatchers(_) => {
                detailed(Code::ResourceExhausted, message, "TOO_MANY_WATCHERS", Some(RETRY_AFTER))
            }
            CorpusError::FellBehind(_) => {
                detailed(Code::ResourceExhausted, message, "FELL_BEHIND", Some(RETRY_AFTER))
            }
            CorpusError::ModelChanged => {
                detailed(Code::Unavailable, message, "MODEL_CHANGED", Some(RETRY_AFTER))
            }
            CorpusError::UnknownStory(_) => {
                detailed(Code::NotFound, message, "STORY_NOT_FOUND", None)
            }
            CorpusError::UnknownDocument(_) => {
                detailed(Code::NotFound, message, "UNKNOWN_DOCUMENT", None)
            }
            CorpusError::UnknownPassage(_) => {
                detailed(Code::NotFound, message, "UNKNOWN_PASSAGE", None)
            }
            CorpusError::Page { which, error } => page(which, &error).into(),
            // Validation names the field before the corpus gets to see it.
            CorpusError::Empty(_) => detailed(Code::InvalidArgument, message, "EMPTY", None),
            CorpusError::Store(StoreError::DiskFull) => {
                detailed(Code::ResourceExhausted, message, "DISK_FULL", Some(10 * RETRY_AFTER))
            }
            CorpusError::Store(StoreError::Failed { .. }) => {
                detailed(Code::Unavailable, message, "DISK_FAILED", None)
            }
            CorpusError::Embed(EmbedError::Model(ModelError::BadVector { .. })) => {
                detailed(Code::InvalidArgument, message, "BAD_VECTOR", None)
            }
            CorpusError::Embed(EmbedError::Busy { retry_after, .. }) => {
                detailed(Code::ResourceExhausted, message, "OVERLOADED", Some(retry_after))
            }
            CorpusError::Embed(EmbedError::Closed) => {
                detailed(Code::Unavailable, message, "DRAINING", Some(RETRY_AFTER))
            }
            CorpusError::Model(_) => {
                let mut invalid = Invalid::default();
                invalid.add("model", message);
                invalid.into()
            }
            CorpusError::TooOld { .. } => {
                detailed(Code::FailedPrecondition, message, "PAST_RETENTION", None)
            }
            CorpusError::Changing(_) => {
                detailed(Code::FailedPrecondition, message, "CHANGING_MODEL", None)
            }
            CorpusError::Snapshot(SnapshotError::Exists(_)) => {
                detailed(Code::AlreadyExists, message, "SNAPSHOT_EXISTS", None)
            }
            CorpusError::Snapshot(SnapshotError::UnderWay) => {
                detailed(Code::FailedPrecondition, message, "SNAPSHOT_UNDER_WAY", None)
            }
            CorpusError::Snapshot(SnapshotError::Store(StoreError::DiskFull)) => {
                detailed(Code::ResourceExhausted, message, "DISK_FULL", Some(10 * RETRY_AFTER))
            }
            CorpusError::Index(IndexError::Io { ref source, .. })
            | CorpusError::Snapshot(SnapshotError::Io { ref source, .. })
                if source.kind() == std::io::ErrorKind::StorageFull =>
            {
                detailed(Code::ResourceExhausted, message, "DISK_FULL", Some(10 * RETRY_AFTER))
            }
            CorpusError::Embed(_)
            | CorpusError::Store(_)
            | CorpusError::Snapshot(_)
            | CorpusError::Index(_)
            | CorpusError::Lexical(_)
            | CorpusError::Panicked => {
                tracing::error!(error = %message, "a request failed");
                detailed(Code::Internal, message, "INTERNAL", None)
            }
        }
    }
}

/// What is wrong with a page, in terms of the request that holds it.
fn page(which: Which, error: &PageError) -> Invalid {
    let document = match which {
        Which::Only => "document",
        Which::Left => "left_document",
        Which::Right => "right_document",
    };
    let (field, reason) = match error {
        PageError::NotAPage(_) => ("content_type", "NOT_A_PAGE"),
        PageError::NoArticle => ("html", "EMPTY"),
        PageError::TooManyNodes(_)
        | PageError::TooDeep(_)
        | PageError::TooManyParagraphs(_)
        | PageError::TooLong(_) => ("html", "DOCUMENT_TOO_LARGE"),
        PageError::TooSlow(_) | PageError::Unreadable => ("html", "UNREADABLE_PAGE"),
    };
    let mut invalid = Invalid::default();
    invalid.add(format!("{document}.{field}"), error.to_string());
    invalid.because(reason);
    invalid
}

/// Why a page was not fetched: what is wrong with its address, its host, or with it.
fn not_fetched(error: &FetchError) -> Status {
    let (code, reason, remedy) = match error {
        FetchError::Scheme | FetchError::Port(_) => {
            (Code::InvalidArgument, "INVALID_FIELD", "give another address")
        }
        FetchError::Private => (
            Code::InvalidArgument,
            "PRIVATE_NETWORK",
            "the server's operator can allow a network (--fetch-network)",
        ),
        FetchError::TooLarge(_) => {
            (Code::InvalidArgument, "DOCUMENT_TOO_LARGE", "give the article's text")
        }
        FetchError::Robots => {
            (Code::FailedPrecondition, "ROBOTS", "open the page yourself, and give its text")
        }
        FetchError::Status { status: 404 | 410, .. } => {
            (Code::NotFound, "PAGE_NOT_FOUND", "look at the address again")
        }
        FetchError::Slow(_) => (Code::DeadlineExceeded, "HOST_SLOW", "try again"),
        FetchError::Unreachable(_) => {
            (Code::Unavailable, "HOST_UNREACHABLE", "look at the address, or try again")
        }
        error if error.is_passing() => (Code::Unavailable, "HOST_BUSY", "try again later"),
        _ => {
            (Code::FailedPrecondition, "HOST_REFUSED", "open the page yourself, and give its text")
        }
    };
    let problem = match error {
        FetchError::Private => "leads into a private network".to_owned(),
        error => format!("cannot be fetched: {error}"),
    };
    let description = format!("{}; {remedy}", shortened(problem));
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, []);
    details.add_bad_request_violation("url", &description);
    if let Some(after) = error.retry_after() {
        details.set_retry_info(Some(after));
    }
    Status::with_error_details(code, format!("url {description}"), details)
}

fn detailed(code: Code, message: String, reason: &str, retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, []);
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(code, message, details)
}

/// A status as one document of a stream gets it.
pub(super) fn ingest_error(status: &Status) -> IngestError {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
    let violations = violations.unwrap_or_default().iter().map(|violation| FieldViolation {
        field: violation.field.clone(),
        description: violation.description.clone(),
    });
    let retry = details.retry_info().and_then(|info| info.retry_delay);
    IngestError {
        code: status.code() as i32,
        message: status.message().to_owned(),
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        violations: violations.collect(),
        retry_delay: retry.and_then(|delay| prost_types::Duration::try_from(delay).ok()),
    }
}

/// What the transport said of a message that it would not decode, or could not, as we say it.
/// What already has details is our own word.
pub(super) fn undecodable(status: Status) -> Status {
    match status.code() {
        _ if !status.details().is_empty() => status,
        // As gRPC has it, this is our failure; it is bad input. Our own have details.
        Code::Internal => {
            let mut invalid = Invalid::default();
            let problem = format!("is none of this call ({}); send one", status.message());
            invalid.add("message", problem);
            invalid.because("MALFORMED_MESSAGE");
            invalid.into()
        }
        Code::OutOfRange => {
            let message = format!("{}; send less in one message", status.message());
            detailed(Code::ResourceExhausted, message, "MESSAGE_TOO_LARGE", None)
        }
        _ => status,
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
        text.truncate(end);
        text.push('\u{2026}');
    }
    text
}

/// Bytes that an answer may have.
pub(super) const ANSWER_BYTES: usize = (4 << 20) - 1_024;

/// Keeps as many of `items` as fit into one answer. Returns whether all did.
pub(super) fn fit<T: Message>(items: &mut Vec<T>, taken: usize) -> bool {
    let mut bytes = taken;
    let fitting = items
        .iter()
        .take_while(|item| {
            // Tag and length of a repeated field take a few bytes each.
            bytes += item.encoded_len() + 8;
            bytes <= ANSWER_BYTES
        })
        .count();
    let all = fitting == items.len();
    items.truncate(fitting);
    all
}

/// Keeps as many of `ids` as fit into half of an answer. Returns whether all did.
pub(super) fn fit_ids(ids: &mut Vec<String>) -> bool {
    let mut bytes = 0;
    let fitting = ids
        .iter()
        .take_while(|id| {
            bytes += id.len() + 8;
            bytes <= ANSWER_BYTES / 2
        })
        .count();
    let all = fitting == ids.len();
    ids.truncate(fitting);
    all
}
