//! What a request takes up while it is worked on, as far as can be told before.

use prost::Message;

use crate::corpus::Limits;
use crate::proto::v1 as pb;

use super::validate::{DEFAULT_LIMIT, DEFAULT_PAGE};

/// Bytes that a text takes besides its own: the vector of the default model, and what it is
/// compared by.
const TEXT_BYTES: usize = 2_048;

/// Bytes of an answer: a passage with what is known of its document.
const ANSWER_BYTES: usize = 2_048;

/// A request, and what it is likely to cost: its own bytes, those of what its texts are made
/// into, and those of the answers that it asks for.
pub(super) trait Cost: Message {
    /// Whether it changes the corpus. Questions do not wait for what does.
    const IS_CHANGE: bool = false;

    /// Texts that are embedded and compared.
    fn texts(&self) -> usize {
        0
    }

    /// Answers that it asks for.
    fn answers(&self) -> usize {
        1
    }

    /// Bytes.
    fn cost(&self, limits: &Limits) -> usize {
        let answers = self.answers().min(limits.answers);
        let texts = self.texts().min(limits.paragraphs);
        self.encoded_len() + TEXT_BYTES * texts + ANSWER_BYTES * answers
    }
}

/// Requests that cost nothing but their bytes and an answer.
macro_rules! simple {
    ($($request:ident: $is_change:literal),* $(,)?) => {
        $(impl Cost for pb::$request {
            const IS_CHANGE: bool = $is_change;
        })*
    };
}

simple! {
    CompactIndexRequest: true,
    CreateSnapshotRequest: true,
    DeleteDocumentRequest: true,
    DeleteDocumentsRequest: true,
    FetchPageRequest: false,
    GetDocumentRequest: false,
    GetServerInfoRequest: false,
    ReembedRequest: true,
    SetVerdictRequest: true,
    WatchRelatedDocumentsRequest: false,
}

/// Requests that ask for so many answers.
macro_rules! counted {
    ($($request:ident: $field:ident, $default:expr),* $(,)?) => {
        $(impl Cost for pb::$request {
            fn answers(&self) -> usize {
                given(self.$field, $default)
            }
        })*
    };
}

counted! {
    GetStoryRequest: page_size, DEFAULT_PAGE,
    ListDocumentsRequest: page_size, DEFAULT_PAGE,
    ListStoriesRequest: page_size, DEFAULT_PAGE,
}

/// Questions about a text or a document, for so many answers.
macro_rules! question {
    ($($request:ident: $query:ident),* $(,)?) => {
        $(impl Cost for pb::$request {
            fn texts(&self) -> usize {
                match &self.query {
                    Some(pb::$query::Query::Document(document)) => texts_of(document),
                    _ => 1,
                }
            }

            fn answers(&self) -> usize {
                given(self.limit, DEFAULT_LIMIT)
            }
        })*
    };
}

question! {
    FindDuplicatesRequest: find_duplicates_request,
    FindRelatedDocumentsRequest: find_related_documents_request,
    FindRelatedPassagesRequest: find_related_passages_request,
}

impl Cost for pb::IngestDocumentRequest {
    const IS_CHANGE: bool = true;

    fn texts(&self) -> usize {
        self.document.as_ref().map_or(0, texts_of)
    }
}

impl Cost for pb::IngestDocumentsRequest {
    const IS_CHANGE: bool = true;

    fn texts(&self) -> usize {
        self.ingest.as_ref().map_or(0, Cost::texts)
    }
}

impl Cost for pb::CompareDocumentsRequest {
    fn texts(&self) -> usize {
        use pb::compare_documents_request::{Left, Right};
        let left = match &self.left {
            Some(Left::LeftDocument(document)) => texts_of(document),
            _ => 0,
        };
        let right = match &self.right {
            Some(Right::RightDocument(document)) => texts_of(document),
            _ => 0,
        };
        left + right
    }
}

impl Cost for pb::BatchGetDocumentsRequest {
    fn answers(&self) -> usize {
        self.document_ids.len()
    }
}

/// An answer for each document, of which those of one reading are held at once.
impl Cost for pb::ExportDocumentsRequest {
    fn answers(&self) -> usize {
        super::corpus_service::EXPORT_CHUNK
    }
}

impl Cost for pb::MapDocumentsRequest {
    fn answers(&self) -> usize {
        super::similarity::MAP_COST
    }
}

/// A number as it counts: 0 stands for the default.
fn given(number: i32, default: usize) -> usize {
    usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(default)
}

/// About how many texts a document has, before it is read.
fn texts_of(document: &pb::Document) -> usize {
    let listed = document.paragraphs.as_ref().map_or(0, |list| list.paragraphs.len());
    let lines = document.text.as_ref().map_or(0, |text| text.split('\n').count());
    let tags = |html: &Vec<u8>| html.windows(2).filter(|tag| *tag == b"<p").count();
    listed + lines + document.html.as_ref().map_or(0, tags)
}

#[cfg(test)]
mod tests {
    use super::{ANSWER_BYTES, Cost, TEXT_BYTES};
    use crate::corpus::Limits;
    use crate::proto::v1 as pb;
    use prost::Message;

    #[test]
    fn a_question_costs_its_bytes_its_texts_and_the_answers_that_it_may_get() {
        let limits = Limits::default();
        let query = Some(pb::find_duplicates_request::Query::Text("a".to_owned()));
        let question =
            |limit| pb::FindDuplicatesRequest { query: query.clone(), limit, ..Default::default() };
        let cost = |limit, answers| {
            let question = question(limit);
            assert_eq!(
                question.cost(&limits),
                question.encoded_len() + TEXT_BYTES + answers * ANSWER_BYTES
            );
        };
        cost(10, 10);
        cost(1_000_000, limits.answers);
    }

    #[test]
    fn a_document_costs_its_paragraphs_however_they_are_told_apart() {
        let listed = pb::Document {
            paragraphs: Some(pb::ParagraphList { paragraphs: vec!["a".to_owned(); 3] }),
            ..Default::default()
        };
        let text = pb::Document { text: Some("a\na\na".to_owned()), ..Default::default() };
        for document in [listed, text] {
            let ingest =
                pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
            assert_eq!(ingest.texts(), 3);
        }
    }
}
