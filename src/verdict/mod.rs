//! Is it the same? Signals of two texts in, verdict out.
//!
//! Everything here is a pure function of texts and cosines. Meaning finds
//! candidates, words confirm them, facts decide; where the candidates come from is
//! not known here.

mod document;
mod judge;
mod logistic;
mod overlap;
mod pair;
mod passage;
mod profile;
mod report;

pub use document::{Candidate, DocumentVerdict, PassageMatch, PassageVerdict, judge_document};
pub use judge::{Fitted, Judge, Parameters};
pub use logistic::{Feature, Features, Logistic, products};
pub use pair::{PairFeatures, PairVerdict, compare_passages, features, judge_pair};
pub use passage::{Comparison, Signals, compare, passage_features};
pub use profile::Comparable;
pub use report::{Heading, Report, ReportPassage};

/// What an editor would say of a document or passage beside an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing makes it redundant.
    New,
    /// The same text, letter for letter after normalisation. A short text under a headline that
    /// names something else, or that comes again days later, is not the same by that alone.
    ExactDuplicate,
    /// The same text, lightly edited, cut or corrupted: same facts.
    NearDuplicate,
    /// A later version that adds or changes facts.
    Update,
}
