//! Documents as a newsroom holds them: reading them into paragraphs, telling
//! reporting from furniture, and cutting paragraphs into passages.

mod document;
mod furniture;
mod headings;
mod passages;
mod patterns;
mod read;

pub use document::{
    Article, Body, DocumentId, Html, Incoming, InvalidDocumentId, Metadata, Paragraph, Passage,
    PassageKind,
};
pub use passages::{PASSAGE_LIMIT, cut_paragraph};
pub use read::{EmptyDocument, ReadError, paragraphs_of, query_passages, read};
