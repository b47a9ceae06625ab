use prost::Message;

use crate::article::PassageKind;
use crate::corpus::{
    Detail, Evidence, Exported, Ingested, MappedDocument, MatchAnswer, Outcome, PassageAnswer,
    RelatedAnswer, RelatedDocument, StoryAnswer, VerdictAnswer, Watched,
};
use crate::proto::{timestamp, v1 as pb};
use crate::store::{StoredDocument, StoredPassage, StoryKey};
use crate::text::UNDETERMINED;
use crate::verdict::Verdict;

use super::refusal::ANSWER_BYTES;

pub(super) fn verdict(verdict: Verdict) -> pb::Verdict {
    match verdict {
        Verdict::New => pb::Verdict::New,
        Verdict::ExactDuplicate => pb::Verdict::ExactDuplicate,
        Verdict::NearDuplicate => pb::Verdict::NearDuplicate,
        Verdict::Update => pb::Verdict::Update,
    }
}

fn kind(kind: PassageKind) -> pb::PassageKind {
    match kind {
        PassageKind::Body => pb::PassageKind::Body,
        PassageKind::Furniture => pb::PassageKind::Furniture,
    }
}

fn language(document: &StoredDocument) -> String {
    let language = document.metadata.language.as_ref();
    language.map_or(UNDETERMINED, |language| language.as_str()).to_owned()
}

pub(super) fn summary(document: StoredDocument) -> pb::DocumentSummary {
    pb::DocumentSummary {
        language: language(&document),
        document_id: document.id.to_string(),
        title: document.metadata.title,
        source: document.metadata.source,
        url: document.metadata.url,
        published_at: Some(timestamp(document.published_at)),
        ingested_at: Some(timestamp(document.ingested_at)),
        labels: document.metadata.labels.into_iter().collect(),
        story_id: document.story.name(),
        canonical_document_id: document.canonical.to_string(),
        verdict: verdict(document.verdict).into(),
        revision: document.revision,
    }
}

pub(super) fn passage(passage: StoredPassage) -> pb::Passage {
    pb::Passage {
        passage_id: passage_id(&passage),
        document_id: passage.document_id.to_string(),
        ordinal: passage.ordinal,
        text: passage.text,
        kind: kind(passage.kind).into(),
        paragraph: passage.paragraph,
        start: passage.span.start,
        end: passage.span.end,
    }
}

pub(super) fn passage_id(passage: &StoredPassage) -> String {
    format!("{}#{}", passage.document_id, passage.ordinal)
}

/// A verdict that fits into `room` bytes: where it does not, the evidence of its last
/// passages is left out.
pub(super) fn fitting_verdict(
    answer: VerdictAnswer,
    detail: Detail,
    room: usize,
) -> pb::DocumentVerdict {
    let mut verdict = document_verdict(answer, detail);
    let mut bytes = verdict.encoded_len();
    for passage in verdict.passages.iter_mut().rev() {
        if bytes <= room {
            break;
        }
        let before = passage.encoded_len();
        passage.r#match = passage.r#match.take().map(without_evidence);
        passage.text.clear();
        bytes -= before.saturating_sub(passage.encoded_len());
    }
    verdict
}

/// A match with its ids alone.
fn without_evidence(found: pb::DuplicateMatch) -> pb::DuplicateMatch {
    let passage = found.passage.map(|passage| pb::Passage {
        passage_id: passage.passage_id,
        document_id: passage.document_id,
        ordinal: passage.ordinal,
        ..pb::Passage::default()
    });
    let document = found.document.map(|document| pb::DocumentSummary {
        document_id: document.document_id,
        ..pb::DocumentSummary::default()
    });
    pb::DuplicateMatch { passage, document, evidence: None, ..found }
}

fn document_verdict(answer: VerdictAnswer, detail: Detail) -> pb::DocumentVerdict {
    pb::DocumentVerdict {
        verdict: verdict(answer.verdict).into(),
        canonical_document_id: answer.canonical.map(|id| id.to_string()).unwrap_or_default(),
        duplicate_probability: answer.probability,
        duplicate_share: answer.duplicate_share,
        novelty: answer.novelty,
        story_id: answer.story.map(StoryKey::name).unwrap_or_default(),
        passages: answer
            .passages
            .into_iter()
            .map(|answer| passage_verdict(answer, detail))
            .collect(),
        model_id: answer.model_id,
        lexical_only: answer.lexical_only,
    }
}

fn passage_verdict(answer: PassageAnswer, detail: Detail) -> pb::PassageVerdict {
    pb::PassageVerdict {
        ordinal: answer.ordinal,
        kind: kind(answer.kind).into(),
        verdict: verdict(answer.verdict).into(),
        r#match: answer.matched.map(|matched| duplicate_match(matched, detail)),
        novelty: answer.novelty,
        text: answer.text,
    }
}

/// A match: with texts and evidence, or with its ids alone.
pub(super) fn duplicate_match(answer: MatchAnswer, detail: Detail) -> pb::DuplicateMatch {
    let found = pb::DuplicateMatch {
        passage: Some(passage(answer.passage)),
        document: Some(summary(answer.document)),
        verdict: verdict(answer.verdict).into(),
        probability: answer.probability,
        evidence: Some(evidence(answer.evidence)),
        query_ordinal: answer.query_ordinal,
    };
    if detail >= Detail::Evidence { found } else { without_evidence(found) }
}

fn evidence(evidence: Evidence) -> pb::DuplicateEvidence {
    let spans = evidence.alignment.spans.into_iter().map(|span| pb::AlignedSpan {
        query_start: span.query.start,
        query_end: span.query.end,
        match_start: span.matched.start,
        match_end: span.matched.end,
    });
    let conflicts = evidence.alignment.conflicts.into_iter().map(|conflict| pb::FactConflict {
        query_value: conflict.query,
        match_value: conflict.matched,
    });
    pb::DuplicateEvidence {
        cosine: evidence.signals.cosine.unwrap_or_default(),
        resemblance: evidence.signals.resemblance,
        containment: evidence.signals.containment,
        aligned_spans: spans.collect(),
        conflicts: conflicts.collect(),
    }
}

pub(super) fn story(answer: StoryAnswer) -> pb::Story {
    let StoryAnswer { title, story } = answer;
    pb::Story {
        story_id: story.key.name(),
        title,
        first_published_at: Some(timestamp(story.first_published_at)),
        last_published_at: Some(timestamp(story.last_published_at)),
        document_count: story.documents,
        distinct_document_count: story.distinct_documents,
        sources: story.sources,
        updated_at: Some(timestamp(story.changed_at)),
        merged_story_ids: story.merged.into_iter().map(StoryKey::name).collect(),
    }
}

pub(super) fn related_passage(answer: RelatedAnswer) -> pb::RelatedPassage {
    pb::RelatedPassage {
        passage: Some(passage(answer.passage)),
        document: Some(summary(answer.document)),
        score: answer.score,
        cosine: answer.cosine,
        lexical_score: answer.lexical_score,
        duplicate_passage_ids: answer.copies.iter().map(passage_id).collect(),
        query_ordinals: answer.query_ordinals,
    }
}

pub(super) fn related_document(answer: RelatedDocument) -> pb::RelatedDocument {
    let evidence = answer.evidence.into_iter().map(|tie| pb::PassagePair {
        query_ordinal: tie.query_ordinal,
        passage: Some(passage(tie.passage)),
        cosine: tie.cosine,
        verdict: verdict(tie.verdict).into(),
    });
    pb::RelatedDocument {
        document: Some(summary(answer.document)),
        score: answer.score,
        verdict: verdict(answer.verdict).into(),
        evidence: evidence.collect(),
        duplicate_document_ids: answer.copies.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn watched(answer: Watched) -> pb::WatchRelatedDocumentsResponse {
    pb::WatchRelatedDocumentsResponse {
        document: Some(related_document(answer.document)),
        sequence: answer.sequence,
    }
}

pub(super) fn mapped(
    documents: Vec<MappedDocument>,
    document_count: i64,
) -> pb::MapDocumentsResponse {
    let documents = documents.into_iter().map(|document| pb::MappedDocument {
        document_id: document.id.to_string(),
        story_id: document.story.name(),
        x: document.at.x,
        y: document.at.y,
    });
    pb::MapDocumentsResponse { documents: documents.collect(), document_count }
}

pub(super) fn ingested(ingested: Ingested, detail: Detail) -> pb::IngestDocumentResponse {
    let outcome = match ingested.outcome {
        Outcome::Created => pb::IngestOutcome::Created,
        Outcome::Replaced => pb::IngestOutcome::Replaced,
        Outcome::MetadataUpdated => pb::IngestOutcome::MetadataUpdated,
        Outcome::Unchanged => pb::IngestOutcome::Unchanged,
        Outcome::Skipped => pb::IngestOutcome::Skipped,
        Outcome::Validated => pb::IngestOutcome::Validated,
    };
    pb::IngestDocumentResponse {
        document_id: ingested.id.to_string(),
        verdict: Some(fitting_verdict(ingested.verdict, detail, ANSWER_BYTES - 1_024)),
        outcome: outcome.into(),
        revision: ingested.revision,
    }
}

pub(super) fn exported(exported: Exported) -> pb::Document {
    let document = exported.document;
    pb::Document {
        language: language(&document),
        document_id: document.id.to_string(),
        title: document.metadata.title,
        paragraphs: Some(pb::ParagraphList { paragraphs: exported.paragraphs }),
        source: document.metadata.source,
        url: document.metadata.url,
        published_at: document.metadata.published_at.map(timestamp),
        labels: document.metadata.labels.into_iter().collect(),
        ..pb::Document::default()
    }
}
