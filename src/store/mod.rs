//! The truth on disk: documents, passages, vectors and verdicts in one SQLite file.
//!
//! One connection writes, a few read; every change is one transaction. Nothing is
//! ranked or judged here.

mod check;
mod connections;
mod error;
mod facets;
mod failure;
mod filter;
mod models;
mod named;
mod read;
mod rows;
mod schema;
mod snapshot;
mod space;
mod stories;
mod write;

pub use check::{Closed, Progress, can_be_made};
pub use connections::{Reader, Store};
pub use error::StoreError;
pub use facets::Facets;
pub use filter::Filter;
pub use named::NamedDocument;
pub use read::View;
pub use rows::{
    DocumentKey, EditorWord, ModelIdentity, PassageKey, StoredDocument, StoredPassage,
    StoredVerdict, Totals,
};
pub use schema::FORMAT;
pub use snapshot::{Snapshot, SnapshotError, SnapshotName, last_snapshot, restore};
pub use stories::{StoredStory, StoryKey, StoryWord};
pub use write::{NewDocument, Writer, Written};
