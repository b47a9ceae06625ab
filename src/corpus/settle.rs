use std::collections::HashSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::article::{Article, PassageKind};
use crate::index::Scope;
use crate::store::{
    DocumentKey, NewDocument, PassageKey, StoreError, StoredDocument, View, Writer, Written,
};
use crate::verdict::{
    Candidate, Comparable, DocumentVerdict, PassageMatch, Verdict, compare, judge_document,
    judge_passage,
};

use super::answers::{Detail, Unfilled, VerdictAnswer, answer};
use super::ingest::{Compared, Ingested, Outcome, Prepared};
use super::query::now;
use super::{CorpusError, Parts};

impl Parts {
    /// `None` if the document has to be compared first.
    pub fn settle(&self, prepared: &Prepared) -> Result<Option<Ingested>, CorpusError> {
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if prepared.options.validate_only {
            let reader = self.store.reader()?;
            return self.validate(reader.view(), prepared);
        }
        let settled = self.store.write(|writer| self.store_document(writer, prepared))?;
        let Some((ingested, written)) = settled else {
            return Ok(None);
        };
        if let (Some(written), Some(compared)) = (written, &prepared.compared) {
            for (content, hash) in written.added {
                if let Some(windows) = compared.vectors.get(&hash) {
                    self.index.add(content, windows);
                }
            }
            if ingested.outcome == Outcome::Replaced {
                self.passages_gone(&written.removed);
            }
        }
        Ok(Some(ingested))
    }

    /// Judges only.
    fn validate(
        &self,
        view: View<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Ingested>, CorpusError> {
        let article = &prepared.article;
        let existing = view.document(&article.id)?;
        let revision = existing.as_ref().map_or(0, |existing| existing.revision);
        let verdict = match &existing {
            Some(existing) if existing.body_hash == article.body_hash => {
                stored_verdict(view, existing, prepared.options.detail)?
            }
            _ => {
                let Some(compared) = &prepared.compared else { return Ok(None) };
                let settled = self.judge(view, article, compared, existing.as_ref())?;
                settled.answer(view, article, self, prepared.options.detail)?
            }
        };
        Ok(Some(Ingested {
            id: article.id.clone(),
            verdict,
            outcome: Outcome::Validated,
            revision,
        }))
    }

    fn store_document(
        &self,
        writer: &Writer<'_>,
        prepared: &Prepared,
    ) -> Result<Option<(Ingested, Option<Written>)>, CorpusError> {
        let article = &prepared.article;
        let view = writer.view();
        let done = |verdict, outcome, revision, written| {
            Ok(Some((Ingested { id: article.id.clone(), verdict, outcome, revision }, written)))
        };
        let existing = view.document(&article.id)?;
        if let Some(existing) =
            existing.as_ref().filter(|known| known.body_hash == article.body_hash)
        {
            let outcome = match existing.metadata == article.metadata {
                true => Outcome::Unchanged,
                false => {
                    let published_at =
                        article.metadata.published_at.unwrap_or(existing.published_at);
                    writer.set_metadata(existing.key, &article.metadata, published_at)?;
                    Outcome::MetadataUpdated
                }
            };
            let verdict = stored_verdict(view, existing, prepared.options.detail)?;
            return done(verdict, outcome, existing.revision, None);
        }
        let Some(compared) = &prepared.compared else { return Ok(None) };
        let settled = self.judge(view, article, compared, existing.as_ref())?;
        let is_copy =
            matches!(settled.judged.verdict, Verdict::ExactDuplicate | Verdict::NearDuplicate);
        if let (None, true, true, Some(of)) =
            (&existing, is_copy, prepared.options.skip_duplicates, settled.judged.of)
        {
            writer.count_skipped(settled.leader.as_ref().map_or(of, |leader| leader.key))?;
            let verdict = settled.answer(view, article, self, prepared.options.detail)?;
            return done(verdict, Outcome::Skipped, 0, None);
        }
        let (outcome, written) =
            self.write(writer, article, compared, existing.as_ref(), &settled)?;
        let stored = view.document(&article.id)?;
        let stored = stored.ok_or(StoreError::Damaged("no document just stored"))?;
        let verdict = stored_verdict(view, &stored, prepared.options.detail)?;
        done(verdict, outcome, written.revision, Some(written))
    }

    fn write(
        &self,
        writer: &Writer<'_>,
        article: &Article,
        compared: &Compared,
        existing: Option<&StoredDocument>,
        settled: &Settled,
    ) -> Result<(Outcome, Written), CorpusError> {
        let new = NewDocument {
            article,
            vectors: &compared.vectors,
            words: settled.words,
            published_at: settled.published_at,
            ingested_at: settled.ingested_at,
            verdict: &settled.judged,
            family: settled.family,
        };
        let (outcome, written) = match existing {
            None => (Outcome::Created, writer.insert(&new)?),
            Some(existing) => (Outcome::Replaced, writer.replace(existing.key, &new)?),
        };
        // One that is published earlier takes the lead of its family; what led before
        // is a copy or version of it from now on.
        if let Some(leader) = &settled.leader
            && leader.key != written.key
            && writer.view().canonical(written.family)? == Some(written.key)
        {
            let relation = beside(writer.view(), leader, written.key)?;
            writer.set_relation(leader.key, relation)?;
        }
        Ok((outcome, written))
    }

    /// The passages among those that were found which have been deleted since.
    fn gone_since(
        &self,
        view: View<'_>,
        compared: &Compared,
    ) -> Result<HashSet<PassageKey>, CorpusError> {
        let mut found: HashSet<PassageKey> = HashSet::new();
        if compared.removals != self.removals.load(Ordering::Acquire) {
            found.extend(compared.found.iter().map(|found| found.passage.key));
            let still_there = view.passages_by_key(&found)?;
            found.retain(|key| !still_there.contains_key(key));
        }
        Ok(found)
    }

    /// Compares with what was stored since the document was prepared, and judges.
    fn judge(
        &self,
        view: View<'_>,
        article: &Article,
        compared: &Compared,
        existing: Option<&StoredDocument>,
    ) -> Result<Settled, CorpusError> {
        let since = self.search(Scope::Since(compared.mark), compared);
        let findings = self.find(view, &compared.probes(article), since)?;
        let gone = self.gone_since(view, compared)?;
        let found = compared
            .found
            .iter()
            .filter(|found| !gone.contains(&found.passage.key))
            .chain(&findings.found);
        let matches: Vec<PassageMatch<DocumentKey, PassageKey>> = found
            .map(|found| PassageMatch {
                index: found.index,
                passage: found.passage.key,
                document: found.passage.document,
                words: found.words,
                signals: found.signals,
            })
            .collect();
        let twins = view.twins(&article.reporting_hash)?;
        let is_same = |found: &&PassageMatch<DocumentKey, PassageKey>| {
            judge_passage(&found.signals).0 != Verdict::New
        };
        let sharing = matches.iter().filter(is_same).map(|found| found.document);
        let keys = sharing.chain(twins).collect();
        let documents = view.documents(&keys)?;
        let candidates: Vec<Candidate<DocumentKey>> = documents
            .values()
            .map(|document| Candidate {
                document: document.key,
                words: document.words,
                exact: document.reporting_hash == article.reporting_hash,
            })
            .collect();
        let passages: Vec<(u32, PassageKind, &Comparable)> = article
            .passages
            .iter()
            .zip(&compared.comparables)
            .map(|(passage, comparable)| (passage.ordinal, passage.kind, comparable))
            .collect();
        let judged = judge_document(&passages, &candidates, &matches, compared.lexical_only);

        let family = judged.of.and_then(|of| documents.get(&of)).map(|of| of.family);
        let leader = match family.map(|family| view.canonical(family)).transpose()?.flatten() {
            Some(key) => view.documents(&HashSet::from([key]))?.remove(&key),
            None => None,
        };
        let ingested_at = now();
        let first_seen = existing.map_or(ingested_at, |existing| existing.published_at);
        let words = passages
            .iter()
            .filter(|(_, kind, _)| *kind == PassageKind::Body)
            .map(|(_, _, comparable)| comparable.words)
            .sum();
        Ok(Settled {
            judged,
            family,
            leader,
            words,
            published_at: article.metadata.published_at.unwrap_or(first_seen),
            ingested_at,
        })
    }
}

/// A verdict that stands, and where it puts the document.
struct Settled {
    judged: DocumentVerdict<DocumentKey, PassageKey>,
    /// The family that it joins, if it copies or updates another document.
    family: Option<i64>,
    /// The canonical document of that family so far.
    leader: Option<StoredDocument>,
    words: usize,
    published_at: Timestamp,
    ingested_at: Timestamp,
}

impl Settled {
    /// The verdict as it would be answered for a document that is not stored.
    fn answer(
        &self,
        view: View<'_>,
        article: &Article,
        parts: &Parts,
        detail: Detail,
    ) -> Result<VerdictAnswer, CorpusError> {
        let leader = self.leader.as_ref().filter(|leader| leader.published_at <= self.published_at);
        let canonical = leader.map_or(&article.id, |leader| &leader.id);
        let texts = article.passages.iter().map(|passage| (passage.ordinal, passage.text.as_str()));
        let unfilled = Unfilled {
            judged: &self.judged,
            canonical: Some(canonical.clone()),
            model_id: parts.embedder.model().id.clone(),
            texts: texts.collect(),
        };
        answer(view, unfilled, detail)
    }
}

/// The verdict that a stored document got when it came in.
pub(super) fn stored_verdict(
    view: View<'_>,
    document: &StoredDocument,
    detail: Detail,
) -> Result<VerdictAnswer, CorpusError> {
    let stored = view.verdict(document.key)?;
    let stored = stored.ok_or(StoreError::Damaged("no verdict of a document"))?;
    let passages = match detail {
        Detail::Evidence => view.passages(document.key)?,
        Detail::Summary | Detail::Passages => Vec::new(),
    };
    let texts = passages.iter().map(|passage| (passage.ordinal, passage.text.as_str()));
    let unfilled = Unfilled {
        judged: &stored.judged,
        canonical: stored.canonical,
        model_id: stored.model_id,
        texts: texts.collect(),
    };
    answer(view, unfilled, detail)
}

/// What a stored document is beside another one, by words and figures: both are
/// copies or versions of the same text already.
fn beside(
    view: View<'_>,
    document: &StoredDocument,
    other: DocumentKey,
) -> Result<Verdict, CorpusError> {
    let passages = |key| -> Result<Vec<(PassageKey, PassageKind, u32, Comparable)>, CorpusError> {
        let passages = view.passages(key)?.into_iter();
        Ok(passages.map(|p| (p.key, p.kind, p.ordinal, Comparable::of(&p.text))).collect())
    };
    let (own, others) = (passages(document.key)?, passages(other)?);
    let mut matches = Vec::new();
    for (index, (_, _, _, query)) in
        own.iter().enumerate().filter(|(_, p)| p.1 == PassageKind::Body)
    {
        for (key, _, _, matched) in others.iter().filter(|p| p.1 == PassageKind::Body) {
            matches.push(PassageMatch {
                index,
                passage: *key,
                document: other,
                words: matched.words,
                signals: compare(query, matched, None),
            });
        }
    }
    let other = view.documents(&HashSet::from([other]))?.remove(&other);
    let candidates: Vec<Candidate<DocumentKey>> = other
        .iter()
        .map(|other| Candidate {
            document: other.key,
            words: other.words,
            exact: other.reporting_hash == document.reporting_hash,
        })
        .collect();
    let passages: Vec<_> =
        own.iter().map(|(_, kind, ordinal, text)| (*ordinal, *kind, text)).collect();
    let verdict = judge_document(&passages, &candidates, &matches, true).verdict;
    // They share a family, so one of them is at least a version of the other.
    Ok(if verdict == Verdict::New { Verdict::Update } else { verdict })
}
