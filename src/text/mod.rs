//! Text as data: normalisation, words, shingles, facts, alignment, language.
//!
//! Everything here is a pure function of its input. Offsets count Unicode code
//! points, as the contract does.

mod align;
mod bag;
mod dates;
mod facts;
mod hash;
mod language;
mod markup;
mod normalize;
mod numbers;
mod pattern;
mod shapes;
mod shingles;
mod stems;
mod stopwords;
mod winnow;
mod words;

pub use align::{Alignment, Conflict, Span, align};
pub use bag::Bag;
pub use dates::{YEAR_1, date_line, first_date, written_time};
pub use facts::{is_fact, is_figure, is_unit};
pub use hash::ContentHash;
pub use language::{LanguageTag, UNDETERMINED, detect_language};
pub use markup::without_markup;
pub use normalize::{is_visible, normalize};
pub use numbers::{Number, numbers, spelled_numbers};
pub use pattern::pattern;
pub use shapes::Shape;
pub use shingles::shingles;
pub use stems::stem;
pub use stopwords::is_stopword;
pub use winnow::fingerprints;
pub use words::{Word, word_count, words};
