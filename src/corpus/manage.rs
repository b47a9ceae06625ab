use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::article::DocumentId;
use crate::embed::{EmbedStats, ModelInfo};
use crate::index::{Compacted, IndexStatus};
use crate::store::{
    self, DocumentKey, EditorWord, Filter, Snapshot, SnapshotName, StoredDocument, StoredPassage,
    StoryKey, Totals,
};
use crate::verdict::Verdict;

use super::answers::{Detail, VerdictAnswer};
use super::query::now;
use super::settle::stored_verdict;
use super::{Corpus, CorpusError, NextModel, Parts, QUESTIONS_PER_WORKER};

/// Stories of deleted documents that are looked at whether they still hang together; where more
/// are concerned, what is old goes as a whole.
const LOOKED_AT: usize = 64;

/// A stored document with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentAnswer {
    /// The document, without its body.
    pub document: StoredDocument,
    /// Its passages in reading order.
    pub passages: Vec<StoredPassage>,
    /// The verdict as it was when it came in.
    pub verdict: VerdictAnswer,
}

/// Some of the documents that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Latest ingested first.
    pub documents: Vec<StoredDocument>,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<i64>,
}

/// A document as it could be ingested again.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The document, without its body.
    pub document: StoredDocument,
    /// Its body, furniture included.
    pub paragraphs: Vec<String>,
}

/// The state of a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusInfo {
    /// The model that answers.
    pub model: Arc<ModelInfo>,
    /// How much it holds.
    pub totals: Totals,
    /// The state of its index.
    pub index: IndexStatus,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// What was embedded since the start.
    pub embedding: EmbedStats,
    /// Texts since the start whose vectors were in the index already.
    pub known_texts: u64,
    /// The model that the corpus is being changed to.
    pub next_model: Option<NextModel>,
    /// Share of the snapshot that is made, 0 to 1, while one is.
    pub copied_share: Option<f32>,
}

/// What a corpus is at just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// For questions.
    pub questions: LaneLoad,
    /// For what comes in.
    pub ingests: LaneLoad,
    /// Standing questions.
    pub watchers: usize,
    /// Texts since the start whose vectors were in the index already.
    pub known: u64,
    /// Texts that were asked about recently.
    pub recent: u64,
    /// Texts that the model was run on.
    pub embedded: u64,
}

/// What is done and waits in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLoad {
    /// Places for work that blocks.
    pub places: usize,
    /// Those that are taken.
    pub places_taken: usize,
    /// Bytes of text that wait to be embedded.
    pub waiting_bytes: usize,
}

impl Corpus {
    /// What it is at just now. Waits for nothing.
    pub fn load(&self) -> Load {
        let parts = self.parts();
        let stats = parts.embedder.stats();
        let workers = self.desk.options.workers;
        let lane = |places: usize, free: usize, waiting_bytes| LaneLoad {
            places,
            places_taken: places.saturating_sub(free),
            waiting_bytes,
        };
        let free = self.desk.questions.available_permits();
        Load {
            questions: lane(workers * QUESTIONS_PER_WORKER, free, stats.waiting_questions),
            ingests: lane(workers, self.desk.work.available_permits(), stats.waiting_ingests),
            watchers: self.desk.watchers.count(),
            known: parts.known.load(Ordering::Relaxed),
            recent: stats.recent,
            embedded: stats.embedded,
        }
    }

    /// When the last snapshot was made of which there is one.
    pub fn last_snapshot(&self) -> Option<SystemTime> {
        store::last_snapshot(&self.snapshots())
    }

    fn snapshots(&self) -> PathBuf {
        let asked = self.desk.options.snapshots.clone();
        asked.unwrap_or_else(|| self.parts().store.folder().join("snapshots"))
    }

    /// A document with its passages and verdict.
    ///
    /// # Errors
    ///
    /// If it is not stored.
    pub async fn document(
        &self,
        id: DocumentId,
        detail: Detail,
    ) -> Result<DocumentAnswer, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let document = view.document(&id)?;
            let document = document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
            Ok(DocumentAnswer {
                passages: view.passages(document.key)?,
                verdict: stored_verdict(view, &document, detail)?,
                document,
            })
        })
        .await
    }

    /// Documents in the order of `ids`, and the ids that are unknown.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn documents(
        &self,
        ids: Vec<DocumentId>,
    ) -> Result<(Vec<StoredDocument>, Vec<DocumentId>), CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let (mut documents, mut unknown) = (Vec::new(), Vec::new());
            for id in ids {
                match reader.view().document(&id)? {
                    Some(document) => documents.push(document),
                    None => unknown.push(id),
                }
            }
            Ok((documents, unknown))
        })
        .await
    }

    /// A page of the documents that `filter` lets through, latest ingested first.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn list(
        &self,
        filter: Filter,
        after: Option<i64>,
        size: usize,
    ) -> Result<Page, CorpusError> {
        self.blocking(move |parts| {
            let mut documents = parts.store.reader()?.view().list(&filter, after, size + 1)?;
            let has_more = documents.len() > size;
            documents.truncate(size);
            let next = documents.last().filter(|_| has_more).map(|last| last.sequence);
            Ok(Page { documents, next })
        })
        .await
    }

    /// The keys of all documents that `filter` lets through, for [`Self::export`].
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn keys(&self, filter: Filter) -> Result<Vec<DocumentKey>, CorpusError> {
        self.blocking(move |parts| Ok(parts.store.reader()?.view().keys(&filter)?)).await
    }

    /// These documents with their bodies, as they are now; those that were deleted
    /// are left out.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn export(&self, keys: Vec<DocumentKey>) -> Result<Vec<Exported>, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let documents = view.documents(&keys.iter().copied().collect())?;
            let mut exported = Vec::new();
            for document in keys.iter().filter_map(|key| documents.get(key)) {
                let paragraphs = view.paragraphs(document.key)?.into_iter();
                exported.push(Exported {
                    document: document.clone(),
                    paragraphs: paragraphs.map(|paragraph| paragraph.text).collect(),
                });
            }
            Ok(exported)
        })
        .await
    }

    /// Keeps what an editor says of a document and an earlier one, and of their stories, and
    /// puts it where that makes it belong. Returns the document as it stands then.
    ///
    /// # Errors
    ///
    /// If one of them is not stored.
    pub async fn set_verdict(
        &self,
        id: DocumentId,
        other: DocumentId,
        verdict: Verdict,
        same_story: Option<bool>,
    ) -> Result<StoredDocument, CorpusError> {
        self.in_turn(move |parts| {
            parts.store.write(|writer| {
                let known = |id: &DocumentId| {
                    let document = writer.view().document(id)?;
                    document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))
                };
                let (document, other) = (known(&id)?, known(&other)?);
                writer.set_editor_word(&EditorWord {
                    document: document.key,
                    other: other.key,
                    verdict,
                })?;
                parts.obey(writer, &document, &other, verdict)?;
                parts.obey_story(writer, document.key, other.key, same_story, now())?;
                known(&id)
            })
        })
        .await
    }

    /// Deletes a document. Returns when that was.
    ///
    /// # Errors
    ///
    /// If it is not stored.
    pub async fn delete(&self, id: DocumentId) -> Result<Timestamp, CorpusError> {
        self.in_turn(move |parts| {
            let document = parts.store.reader()?.view().document(&id)?;
            let document = document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
            parts.delete(&[document.key])?;
            Ok(now())
        })
        .await
    }

    /// Deletes all documents that `filter` lets through, or only counts them.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn delete_all(&self, filter: Filter, count_only: bool) -> Result<i64, CorpusError> {
        if count_only {
            let count = move |parts: &Parts| Ok(parts.store.reader()?.view().count(&filter)?);
            return self.blocking(count).await;
        }
        self.in_turn(move |parts| {
            let keys = parts.store.reader()?.view().keys(&filter)?;
            parts.delete(&keys)?;
            Ok(keys.len() as i64)
        })
        .await
    }

    /// Merges the segments of the index, drops what was deleted, and gives its space back,
    /// in the background: it goes on if the caller leaves.
    ///
    /// # Errors
    ///
    /// If files cannot be written; then everything is as before.
    pub async fn compact(&self) -> Result<Compacted, CorpusError> {
        let parts = self.parts();
        let compacting = tokio::task::spawn_blocking(move || {
            let before = parts.store.disk_bytes();
            let compacted = parts.index.compact()?;
            parts.store.reclaim()?;
            let reclaimed = before as i64 - parts.store.disk_bytes() as i64;
            Ok(Compacted { reclaimed_bytes: compacted.reclaimed_bytes + reclaimed, ..compacted })
        });
        compacting.await.unwrap_or(Err(CorpusError::Panicked))
    }

    /// Copies the corpus as it is now into the folder of snapshots, under a name. It goes on if
    /// the caller leaves.
    ///
    /// # Errors
    ///
    /// If there is a snapshot of that name, another one is being made, or files cannot be
    /// written; then nothing of that name is there.
    pub async fn snapshot(&self, name: SnapshotName) -> Result<Snapshot, CorpusError> {
        let store = self.parts().store.clone();
        let folder = self.snapshots();
        let share = Arc::clone(&self.desk.copying);
        let tell = move |copied| *share.lock().unwrap_or_else(PoisonError::into_inner) = copied;
        let copying = tokio::task::spawn_blocking(move || {
            let made = store.snapshot(&folder, &name, &|share| tell(Some(share)));
            tell(None);
            made
        });
        Ok(copying.await.map_err(|_| CorpusError::Panicked)??)
    }

    /// The state of the corpus.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn info(&self) -> Result<CorpusInfo, CorpusError> {
        let change = self.change();
        let copied = *self.desk.copying.lock().unwrap_or_else(PoisonError::into_inner);
        self.blocking(move |parts| {
            let totals = parts.store.reader()?.view().totals()?;
            let next_model = change.progress(totals.contents)?;
            let index = parts.index.status();
            Ok(CorpusInfo {
                model: Arc::clone(parts.embedder.model()),
                totals,
                next_model,
                disk_bytes: parts.store.disk_bytes() + index.disk_bytes,
                index,
                embedding: parts.embedder.stats(),
                known_texts: parts.known.load(Ordering::Relaxed),
                copied_share: copied,
            })
        })
        .await
    }
}

impl Parts {
    /// Deletes documents in one transaction. Where one led its family, the next one does.
    pub fn delete(&self, keys: &[DocumentKey]) -> Result<(), CorpusError> {
        if keys.is_empty() {
            return Ok(());
        }
        let contents = self.store.write(|writer| {
            let documents = writer.view().documents(&keys.iter().copied().collect())?;
            let families: HashSet<i64> = documents.values().map(|d| d.family).collect();
            let mut led = Vec::new();
            for family in families {
                led.push((family, writer.view().canonical(family)?));
            }
            let stories: HashSet<StoryKey> = documents.values().map(|d| d.story).collect();
            let contents = writer.delete(keys)?;
            for (family, leader) in led {
                self.regroup(writer, family, leader, None)?;
            }
            for story in &stories {
                writer.story_changed(*story, now())?;
                if stories.len() <= LOOKED_AT {
                    self.regroup_story(writer, *story, now())?;
                }
            }
            Ok::<_, CorpusError>(contents)
        })?;
        self.passages_gone(&contents);
        self.shelf.take(keys);
        self.lexicon.remove_documents(keys);
        keys.iter().for_each(|key| self.fingerprints.take(key.0));
        Ok(())
    }
}
