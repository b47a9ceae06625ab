//! Documents as a newsroom holds them: reading them into paragraphs, telling
//! reporting from furniture, and cutting paragraphs into passages.

mod dates;
mod document;
mod furniture;
mod headings;
mod passages;
mod patterns;
mod read;

pub use document::{
    Article, Body, DocumentId, Incoming, InvalidDocumentId, Metadata, Paragraph, Passage,
    PassageKind,
};
pub use passages::{PASSAGE_LIMIT, cut_paragraph};
pub use read::{EmptyDocument, paragraphs_of, query_passages, read};
