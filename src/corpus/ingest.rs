use std::collections::HashMap;
use std::sync::Arc;

use metrics::counter;

use crate::article::{Article, DocumentId, Incoming};
use crate::embed::{Lane, Role, Windows};
use crate::index::{Mark, Scope};
use crate::related::Subject;
use crate::store::DocumentKey;
use crate::text::ContentHash;
use crate::verdict::{Report, Verdict};

use super::answers::{Detail, VerdictAnswer};
use super::candidates::{Compared, Nearest};
use super::query::{now, primary};
use super::reading::read;
use super::steps::timed;
use super::subjects::subject_of;
use super::{Corpus, CorpusError, Parts, Retention};

/// A document that comes in, and what to do with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingest {
    /// The document.
    pub document: Incoming,
    /// Judge it, store nothing.
    pub validate_only: bool,
    /// Count a duplicate with an unknown id on its canonical document, keep nothing
    /// else of it.
    pub skip_duplicates: bool,
    /// How much of the verdict to answer.
    pub detail: Detail,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// Its id.
    pub id: DocumentId,
    /// The verdict on it.
    pub verdict: VerdictAnswer,
    /// What was done.
    pub outcome: Outcome,
    /// Of the document as it is stored now; 0 if it is not.
    pub revision: i64,
}

/// What an ingest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Stored under a new id.
    Created,
    /// Another body under a known id.
    Replaced,
    /// The same body, other metadata.
    MetadataUpdated,
    /// Nothing to do.
    Unchanged,
    /// A duplicate that was only counted.
    Skipped,
    /// Judged only.
    Validated,
}

/// A document that is read, embedded and compared with all that was there then, but
/// not settled. Preparing several at once is safe; settling puts them in order.
pub struct Prepared {
    pub(super) article: Article,
    pub(super) options: Options,
    /// `None` if its id and body were known: then there is nothing to compare.
    pub(super) ready: Option<Ready>,
}

#[derive(Clone, Copy)]
pub(super) struct Options {
    pub validate_only: bool,
    pub skip_duplicates: bool,
    pub detail: Detail,
}

/// What was found for a document up to a moment.
pub(super) struct Ready {
    /// Of the parts that it was compared by.
    pub generation: u64,
    pub report: Report,
    pub vectors: HashMap<ContentHash, Windows>,
    pub mark: Mark,
    /// The last body that was stored when it was compared.
    pub sequence: i64,
    pub nearest: Nearest,
    pub compared: Compared,
    /// What it is about, and stored documents that may be about the same.
    pub subject: Arc<Subject>,
    pub related: Vec<DocumentKey>,
    pub lexical_only: bool,
}

impl Corpus {
    /// Takes a document in: reads, embeds, judges and stores it. When this returns OK
    /// it is on disk and found by the next question.
    ///
    /// # Errors
    ///
    /// If it holds no text, or if embedding or storing it fails; then nothing of it is
    /// stored.
    pub async fn ingest(&self, ingest: Ingest) -> Result<Ingested, CorpusError> {
        let prepared = self.prepare(ingest).await?;
        self.settle(prepared).await
    }

    /// The part of an ingest that documents can go through side by side.
    ///
    /// # Errors
    ///
    /// If the document holds no text or cannot be embedded.
    pub async fn prepare(&self, ingest: Ingest) -> Result<Prepared, CorpusError> {
        let Ingest { document, validate_only, skip_duplicates, detail } = ingest;
        let options = Options { validate_only, skip_duplicates, detail };
        let desk = Arc::clone(&self.desk);
        let (article, is_known) = self
            .blocking_on(&self.parts(), Lane::Ingest, move |parts| {
                let article = read(&desk.limits, document)?;
                kept(&desk.options.retention, &article)?;
                let stored = parts.store.reader()?.view().document(&article.id)?;
                let is_known = stored.is_some_and(|stored| stored.body_hash == article.body_hash);
                Ok((article, is_known))
            })
            .await?;
        let ready = match is_known {
            true => None,
            false => Some(self.compare(&article).await?),
        };
        Ok(Prepared { article, options, ready })
    }

    async fn compare(&self, article: &Article) -> Result<Ready, CorpusError> {
        let parts = self.parts();
        let texts = article.reporting().map(|passage| (passage.hash, passage.text.clone()));
        let vectors = self.vectors_of(&parts, texts.collect(), Lane::Ingest, Role::Passage).await?;
        let lexical_only = parts.is_lexical_only(&primary(&article.metadata));
        let article = article.clone();
        self.blocking_on(&parts, Lane::Ingest, move |parts| {
            // Before anything is read: what comes in meanwhile is looked at when the
            // document is settled.
            let mark = parts.index.mark();
            let reader = parts.store.reader()?;
            let view = reader.view();
            let sequence = view.sequence()?;
            let own = view.document(&article.id)?.map(|stored| stored.key);
            let report = timed("read", || parts.report_of(view, &article, &vectors))?;
            let nearest = timed("search", || parts.nearest(view, &report, &vectors, Scope::All))?;
            // What is compared now need not be compared when the document is settled.
            let mut compared = Compared::default();
            timed("compare", || parts.evidence(view, &report, &nearest, &mut compared, None))?;
            let subject = Arc::new(subject_of(&article, &report));
            let related = timed("relate", || {
                let related = parts.likely_related(view, &subject, &nearest, own)?;
                parts.read_ahead(view, &related)?;
                Ok::<_, CorpusError>(related)
            })?;
            Ok(Ready {
                generation: parts.generation,
                report,
                vectors,
                mark,
                sequence,
                nearest,
                compared,
                subject,
                related,
                lexical_only,
            })
        })
        .await
    }

    /// Settles the verdict on a document and stores it, one document at a time, in the
    /// order of the calls.
    ///
    /// # Errors
    ///
    /// If storing it fails; then nothing of it is stored.
    pub async fn settle(&self, mut prepared: Prepared) -> Result<Ingested, CorpusError> {
        loop {
            let (settled, unsettled) = {
                let desk = Arc::clone(&self.desk);
                let settle = move |parts: &Parts| {
                    Ok((parts.settle(&mut prepared, &desk.watchers)?, prepared))
                };
                self.in_turn(settle).await?
            };
            if let Some(ingested) = settled {
                count(&ingested);
                return Ok(ingested);
            }
            // It was stored when it was prepared, and is not any more; or the model was
            // another one.
            prepared = unsettled;
            prepared.ready = Some(self.compare(&prepared.article).await?);
        }
    }
}

fn count(ingested: &Ingested) {
    let outcome = match ingested.outcome {
        Outcome::Created => "created",
        Outcome::Replaced => "replaced",
        Outcome::MetadataUpdated => "metadata_updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Skipped => "skipped",
        Outcome::Validated => "validated",
    };
    counter!("copydesk_ingests_total", "outcome" => outcome).increment(1);
    let verdict = match ingested.verdict.verdict {
        Verdict::New => "new",
        Verdict::ExactDuplicate => "exact_duplicate",
        Verdict::NearDuplicate => "near_duplicate",
        Verdict::Update => "update",
    };
    counter!("copydesk_verdicts_total", "verdict" => verdict).increment(1);
}

/// Refuses what would be deleted at once.
fn kept(retention: &Retention, article: &Article) -> Result<(), CorpusError> {
    let Some(published_at) = article.metadata.published_at else { return Ok(()) };
    match retention.earliest(&article.metadata.source, now()) {
        Some(earliest) if published_at < earliest => {
            Err(CorpusError::TooOld { published_at, earliest })
        }
        _ => Ok(()),
    }
}
