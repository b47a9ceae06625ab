//! Is it the same? Signals of two texts in, verdict out.
//!
//! Everything here is a pure function of texts and cosines. Meaning finds
//! candidates, words confirm them, facts decide; where the candidates come from is
//! not known here.

mod document;
mod pair;
mod passage;

pub use document::{Candidate, DocumentVerdict, PassageMatch, PassageVerdict, judge_document};
pub use pair::{Side, SidePassage, judge_pair};
pub use passage::{Comparable, Signals, compare, judge_passage};

/// Probability from which on two passages count as the same.
pub const DEFAULT_PROBABILITY: f32 = 0.5;

/// What an editor would say of a document or passage beside an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing makes it redundant.
    New,
    /// The same text, letter for letter after normalisation.
    ExactDuplicate,
    /// The same text, lightly edited, cut or corrupted: same facts.
    NearDuplicate,
    /// A later version that adds or changes facts.
    Update,
}
