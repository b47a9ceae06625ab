//! Text as data: normalisation, words, shingles, facts, alignment, language.
//!
//! Everything here is a pure function of its input. Offsets count Unicode code
//! points, as the contract does.

mod align;
mod facts;
mod hash;
mod language;
mod normalize;
mod shingles;
mod words;

pub use align::{Alignment, Conflict, Span, align};
pub use facts::{Figures, is_fact, is_figure};
pub use hash::ContentHash;
pub use language::{LanguageTag, UNDETERMINED, detect_language};
pub use normalize::{is_visible, normalize};
pub use shingles::Shingles;
pub use words::{Word, word_count, words};
