use std::collections::HashSet;

use jiff::Timestamp;

use crate::article::{Article, PassageKind};
use crate::store::{
    DocumentKey, NewDocument, PassageKey, StoreError, StoredDocument, View, Writer, Written,
};
use crate::verdict::{
    Candidate, Comparable, DocumentVerdict, PassageMatch, Verdict, judge_document, judge_passage,
};

use super::answers::{Detail, Unfilled, VerdictAnswer, answer};
use super::ingest::{Compared, Ingested, Outcome, Prepared};
use super::query::now;
use super::{CorpusError, Parts};

impl Parts {
    /// Settles a document whose turn it is. `None` if it has to be compared first.
    pub fn settle(&self, prepared: &Prepared) -> Result<Option<Ingested>, CorpusError> {
        let compared_by = prepared.compared.as_ref().map(|compared| compared.generation);
        if compared_by.is_some_and(|generation| generation != self.generation) {
            return Ok(None);
        }
        if prepared.options.validate_only {
            let reader = self.store.reader()?;
            return self.validate(reader.view(), prepared);
        }
        let settled = self.store.write(|writer| {
            let settled = self.store_document(writer, prepared)?;
            // Read before the commit: once that is done, nothing may fail.
            let stored = writer.view().document(&prepared.article.id)?;
            let facets = stored.map(|stored| writer.view().facets_of(stored.key)).transpose()?;
            Ok::<_, CorpusError>(settled.zip(Some(facets.flatten())))
        })?;
        let Some(((ingested, written), facets)) = settled else {
            return Ok(None);
        };
        if let Some(facets) = facets {
            self.shelf.put(facets);
        }
        if let (Some(written), Some(compared)) = (written, &prepared.compared) {
            for (content, hash) in written.added {
                if let Some(windows) = compared.vectors.get(&hash) {
                    self.index.add(content, hash.check(), windows);
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
                    let led = view.canonical(existing.family)?;
                    let published_at = published_at(article, Some(existing), now());
                    writer.set_metadata(existing.key, &article.metadata, published_at)?;
                    self.refresh_family(writer, existing.family, led, None)?;
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
            let mut verdict = settled.answer(view, article, self, prepared.options.detail)?;
            // Even if it was published earlier: its own id stays unknown.
            verdict.canonical = settled.leader.as_ref().map(|leader| leader.id.clone());
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
        let led = settled.leader.as_ref().map(|leader| leader.key);
        self.refresh_family(writer, written.family, led, Some(written.key))?;
        if let Some(existing) = existing.filter(|existing| existing.family != written.family) {
            // Where it led its former family, another one does now.
            self.refresh_family(writer, existing.family, None, None)?;
        }
        Ok((outcome, written))
    }

    /// Judges a document by what was found for it, up to now.
    fn judge(
        &self,
        view: View<'_>,
        article: &Article,
        compared: &Compared,
        existing: Option<&StoredDocument>,
    ) -> Result<Settled, CorpusError> {
        let matches = self.matches(view, article, compared)?;
        let is_same = |found: &&PassageMatch<DocumentKey, PassageKey>| {
            judge_passage(&found.signals).0 != Verdict::New
        };
        let twins = view.twins(&article.reporting_hash)?;
        let sharing = matches.iter().filter(is_same).map(|found| found.document);
        let documents = view.documents(&sharing.chain(twins).collect())?;
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
            published_at: published_at(article, existing, ingested_at),
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

/// When a document was published: as it says, else when it first came in.
fn published_at(article: &Article, existing: Option<&StoredDocument>, now: Timestamp) -> Timestamp {
    let first = existing.map_or(now, |existing| existing.first_ingested_at);
    article.metadata.published_at.unwrap_or(first)
}
