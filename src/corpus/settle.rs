use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::article::Article;
use crate::index::Scope;
use crate::related::Gist;
use crate::store::{
    DocumentKey, NewDocument, PassageKey, StoreError, StoredDocument, StoryKey, View, Writer,
    Written,
};
use crate::text::ContentHash;
use crate::verdict::{DocumentVerdict, Verdict, judge_document};

use super::answers::{Detail, Unfilled, VerdictAnswer, answer};
use super::candidates::{Compared, merged};
use super::ingest::{Ingested, Outcome, Prepared, Ready};
use super::query::now;
use super::steps::timed;
use super::stories::Filed;
use super::subjects::unembedded;
use super::watch::Watchers;
use super::{CorpusError, Parts};

/// Documents that came in since one was prepared and are looked at when it is filed, the last
/// ones.
const NEWER: usize = 64;

/// Earlier documents that are looked at for what a document adds to all of them, those likest
/// to it, besides those that came in since.
const TOLD_BY: usize = 6;

impl Ready {
    /// What its texts are about.
    fn gists(&self, article: &Article) -> HashMap<ContentHash, Arc<Gist>> {
        let hashes: HashMap<u32, ContentHash> =
            article.reporting().map(|passage| (passage.ordinal, passage.hash)).collect();
        let passages = self.subject.passages.iter();
        let gist = passages.map(|p| Some((*hashes.get(&p.ordinal)?, Arc::clone(&p.gist))));
        gist.flatten().collect()
    }
}

impl Parts {
    /// Settles a document whose turn it is. `None` if it has to be compared first.
    pub fn settle(
        &self,
        prepared: &mut Prepared,
        watchers: &Watchers,
    ) -> Result<Option<Ingested>, CorpusError> {
        let compared_by = prepared.ready.as_ref().map(|ready| ready.generation);
        if compared_by.is_some_and(|generation| generation != self.generation) {
            return Ok(None);
        }
        if prepared.options.validate_only {
            let reader = self.store.reader()?;
            return self.validate(reader.view(), prepared);
        }
        let write = || {
            self.store.write(|writer| {
                let settled = self.store_document(writer, prepared)?;
                // Read before the commit: once that is done, nothing may fail.
                let stored = writer.view().document(&prepared.article.id)?;
                let facets = stored
                    .as_ref()
                    .map(|stored| writer.view().facets_of(stored.key))
                    .transpose()?;
                Ok::<_, CorpusError>(settled.zip(Some(stored.zip(facets.flatten()))))
            })
        };
        let settled = timed("store", write);
        // Texts that were not stored after all must not be known by their numbers.
        let settled = settled.inspect_err(|_| self.texts.forget())?;
        let Some(((ingested, written), stored)) = settled else {
            return Ok(None);
        };
        if let Some((document, facets)) = stored {
            self.shelf.put(facets);
            let subject = match &prepared.ready {
                Some(ready) => Arc::clone(&ready.subject),
                None => Arc::new(unembedded(&prepared.article)),
            };
            let (key, title) = (document.key, &document.metadata.title);
            let words = subject.terms.clone();
            self.lexicon.put_document(key, document.sequence, title, words);
            if prepared.ready.is_some() {
                watchers.stored(self, &document, &subject);
                self.subjects.keep(&document, subject);
            }
        }
        if let (Some(written), Some(ready)) = (written, &prepared.ready) {
            let gists = ready.gists(&prepared.article);
            for (content, hash) in written.added {
                if let Some(windows) = ready.vectors.get(&hash) {
                    self.index.add(content, hash.check(), windows);
                }
                if let Some(gist) = gists.get(&hash) {
                    self.lexicon.put_text(content, gist.terms.clone());
                }
            }
            self.fingerprints.put(written.key.0, &ready.report.fingerprints());
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
        prepared: &mut Prepared,
    ) -> Result<Option<Ingested>, CorpusError> {
        let article = &prepared.article;
        let existing = view.document(&article.id)?;
        let revision = existing.as_ref().map_or(0, |existing| existing.revision);
        let verdict = match &existing {
            Some(existing) if existing.body_hash == article.body_hash => {
                stored_verdict(view, existing, prepared.options.detail)?
            }
            _ => {
                let Some(ready) = &mut prepared.ready else { return Ok(None) };
                let mut settled =
                    timed("judge", || self.judge(view, article, ready, existing.as_ref()))?;
                settled.story = self.story_to_be(view, ready, &settled, existing.as_ref())?;
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
        prepared: &mut Prepared,
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
                    self.regroup(writer, existing.family, led, Some(existing.key))?;
                    Outcome::MetadataUpdated
                }
            };
            let verdict = stored_verdict(view, existing, prepared.options.detail)?;
            return done(verdict, outcome, existing.revision, None);
        }
        let Some(ready) = &mut prepared.ready else { return Ok(None) };
        let settled = timed("judge", || self.judge(view, article, ready, existing.as_ref()))?;
        let is_copy =
            matches!(settled.judged.verdict, Verdict::ExactDuplicate | Verdict::NearDuplicate);
        if let (None, true, true, Some(of)) =
            (&existing, is_copy, prepared.options.skip_duplicates, settled.judged.of)
        {
            let of = view.documents(&[of].into())?.remove(&of);
            let family = of.map(|of| of.family).ok_or(StoreError::Damaged("no such document"))?;
            let canonical = view.canonical(family)?;
            let canonical = canonical.ok_or(StoreError::Damaged("a family without members"))?;
            writer.count_skipped(canonical)?;
            let mut verdict = settled.answer(view, article, self, prepared.options.detail)?;
            // Even if it was published earlier: its own id stays unknown.
            let canonical = view.documents(&[canonical].into())?.remove(&canonical);
            verdict.canonical = canonical.map(|canonical| canonical.id);
            return done(verdict, Outcome::Skipped, 0, None);
        }
        let (outcome, written) = self.write(writer, article, ready, existing.as_ref(), &settled)?;
        let stored = view.document(&article.id)?;
        let stored = stored.ok_or(StoreError::Damaged("no document just stored"))?;
        let verdict = stored_verdict(view, &stored, prepared.options.detail)?;
        done(verdict, outcome, written.revision, Some(written))
    }

    fn write(
        &self,
        writer: &Writer<'_>,
        article: &Article,
        ready: &Ready,
        existing: Option<&StoredDocument>,
        settled: &Settled,
    ) -> Result<(Outcome, Written), CorpusError> {
        // A document that is the same as a member, but not as its canonical document, takes
        // that member away: it leads a family of its own.
        let family = match (&settled.leader, &settled.member) {
            (Some(leader), _) => Some(leader.family),
            (None, Some(member)) if self.is_put(writer.view(), member)? => None,
            (None, Some(member)) => {
                let family = writer.new_family()?;
                writer.set_place(member.key, family, Verdict::New)?;
                Some(family)
            }
            (None, None) => None,
        };
        let new = NewDocument {
            article,
            vectors: &ready.vectors,
            words: ready.report.words(),
            published_at: settled.published_at,
            ingested_at: settled.ingested_at,
            verdict: &settled.judged,
            family,
        };
        let (outcome, written) = match existing {
            None => (Outcome::Created, writer.insert(&new)?),
            Some(existing) => (Outcome::Replaced, writer.replace(existing.key, &new)?),
        };
        writer.set_fingerprints(written.key, &ready.report.fingerprints())?;
        let led = settled.leader.as_ref().or(settled.member.as_ref()).map(|leader| leader.key);
        self.regroup(writer, written.family, led, Some(written.key))?;
        if let Some(existing) = existing.filter(|existing| existing.family != written.family) {
            // Where it led its former family, another one does now.
            self.regroup(writer, existing.family, None, None)?;
        }
        writer.set_verdict_canonical(written.key)?;
        let related = self.related_now(writer.view(), ready, Some(written.key))?;
        let subject = Arc::clone(&ready.subject);
        let filed = Filed { key: written.key, subject, related };
        timed("file", || self.file(writer, &filed, settled.ingested_at))?;
        if let Some(existing) = existing {
            self.regroup_story(writer, existing.story, settled.ingested_at)?;
        }
        Ok((outcome, written))
    }

    /// The story that a document would be filed under.
    fn story_to_be(
        &self,
        view: View<'_>,
        ready: &Ready,
        settled: &Settled,
        existing: Option<&StoredDocument>,
    ) -> Result<Option<StoryKey>, CorpusError> {
        if let Some(kin) = settled.leader.as_ref().or(settled.member.as_ref()) {
            return Ok(Some(kin.story));
        }
        let key = existing.map_or(DocumentKey(0), |existing| existing.key);
        let related = self.related_now(view, ready, Some(key))?;
        let filed = Filed { key, subject: Arc::clone(&ready.subject), related };
        self.story_for(view, &filed)
    }

    /// Documents that may be related to one: those that came in since it was prepared, then
    /// those that are near to most of its passages.
    fn related_now(
        &self,
        view: View<'_>,
        ready: &Ready,
        own: Option<DocumentKey>,
    ) -> Result<Vec<DocumentKey>, CorpusError> {
        let mut related = view.stored_after(ready.sequence, NEWER)?;
        related.extend(&ready.related);
        let mut seen: HashSet<DocumentKey> = own.into_iter().collect();
        related.retain(|key| seen.insert(*key));
        Ok(related)
    }

    /// Judges a document by what was found for it, up to now.
    fn judge(
        &self,
        view: View<'_>,
        article: &Article,
        ready: &mut Ready,
        existing: Option<&StoredDocument>,
    ) -> Result<Settled, CorpusError> {
        let has_moved = view.sequence()? != ready.sequence || self.index.mark() != ready.mark;
        if has_moved {
            let since = Scope::Since(ready.mark);
            let newer = self.nearest(view, &ready.report, &ready.vectors, since)?;
            ready.nearest = merged(std::mem::take(&mut ready.nearest), newer);
            // What many stories say now may not have been said by many then.
            let report = self.report_of(view, article, &ready.vectors)?;
            if !report.counts_as(&ready.report) {
                ready.compared = Compared::default();
            }
            ready.report = report;
        }
        let own = existing.map(|existing| existing.key);
        let evidence =
            self.evidence(view, &ready.report, &ready.nearest, &mut ready.compared, own)?;
        let mut judged = judge_document(
            &ready.report,
            &evidence.candidates,
            &evidence.matches,
            ready.lexical_only,
        );
        let newer = view.stored_after(ready.sequence, NEWER)?;
        let likest = ready.related.iter().take(TOLD_BY);
        let earlier = newer.iter().chain(likest).copied().filter(|key| Some(*key) != own).collect();
        judged.lower_novelty(&ready.report, &self.told(view, &ready.subject, &earlier)?);
        let of = judged.of.and_then(|of| evidence.documents.get(&of)).cloned();
        let (leader, member) = match of {
            Some(of) if of.canonical == of.id => (Some(of), None),
            of => (None, of),
        };
        let ingested_at = now();
        Ok(Settled {
            judged,
            leader,
            member,
            story: None,
            published_at: published_at(article, existing, ingested_at),
            ingested_at,
        })
    }
}

/// A verdict that stands, and where it puts the document.
struct Settled {
    judged: DocumentVerdict<DocumentKey, PassageKey>,
    /// The canonical document of the family that it joins, so far.
    leader: Option<StoredDocument>,
    /// Where there is no such family, the document that it is the same as.
    member: Option<StoredDocument>,
    /// The story that it would be filed under, where it is only judged.
    story: Option<StoryKey>,
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
        let leader = self.leader.as_ref().or(self.member.as_ref());
        let leader = leader.filter(|leader| leader.published_at <= self.published_at);
        let canonical = leader.map_or(&article.id, |leader| &leader.id);
        let texts = article.passages.iter().map(|passage| (passage.ordinal, passage.text.as_str()));
        let unfilled = Unfilled {
            judged: &self.judged,
            canonical: Some(canonical.clone()),
            story: self.story,
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
        story: Some(document.story),
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
