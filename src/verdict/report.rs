use std::sync::Arc;

use jiff::Timestamp;

use crate::article::PassageKind;
use crate::embed::{UnitVector, Windows};
use crate::text::{Bag, ContentHash, Shape, is_stopword, words};

use super::Comparable;
use super::profile::Profile;

/// Words at the start of a document that hold what it reports before all else.
const LEAD: usize = 40;

/// A document made ready to be compared with others.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its passages in reading order, furniture included.
    pub passages: Vec<ReportPassage>,
    /// Names its reporting, normalised.
    pub reporting_hash: ContentHash,
    /// Who published it; empty if nobody says.
    pub source: String,
    /// When it was published, if that is stated.
    pub published_at: Option<Timestamp>,
    /// All that counts.
    pub(super) whole: Profile,
    /// Words of its headline that say something.
    pub(super) title: Bag,
    /// The first one of them, and how it is written.
    pub(super) title_first: Option<(u32, Shape)>,
    /// Where its passages lie on average.
    pub(super) vector: Option<UnitVector>,
}

/// A passage of such a document.
#[derive(Debug, Clone)]
pub struct ReportPassage {
    /// Position in its document.
    pub ordinal: u32,
    /// What it is for.
    pub kind: PassageKind,
    /// What it says.
    pub text: Arc<Comparable>,
    /// Its vectors, if they mean anything for its language.
    pub windows: Option<Windows>,
    /// How much it counts, 0 to 1: what stands in many stories says little about one.
    pub weight: f32,
}

/// What is known of a document besides its passages.
#[derive(Debug, Clone)]
pub struct Heading<'a> {
    /// Its headline; empty if it has none.
    pub title: &'a str,
    /// Who published it; empty if nobody says.
    pub source: &'a str,
    /// When it was published, if that is stated.
    pub published_at: Option<Timestamp>,
    /// Names its reporting, normalised.
    pub reporting_hash: ContentHash,
}

impl Report {
    /// Of its passages, in reading order, and what else is known.
    pub fn new(heading: &Heading<'_>, passages: Vec<ReportPassage>) -> Self {
        let title = words(heading.title);
        let title: Vec<_> = title.iter().filter(|word| !is_stopword(word)).collect();
        Self {
            whole: whole(&passages),
            title_first: title.first().map(|word| (word.term, Shape::of(&word.folded))),
            title: Bag::distinct(title.iter().map(|word| word.term).collect()),
            vector: mean(&passages),
            reporting_hash: heading.reporting_hash,
            source: heading.source.to_owned(),
            published_at: heading.published_at,
            passages,
        }
    }

    /// The part of it that comes first.
    pub(super) fn lead(&self) -> Profile {
        let mut length = 0;
        let leading = self.passages.iter().take_while(|passage| {
            let is_short = length < LEAD / 2;
            length += if passage.counts() > 0.0 { passage.text.words } else { 0 };
            is_short
        });
        whole(self.passages.get(..leading.count()).unwrap_or_default())
    }

    /// Whether the passages of two reports on the same text count the same.
    pub fn counts_as(&self, other: &Self) -> bool {
        let counts = |report: &Self| -> Vec<f32> {
            report.passages.iter().map(ReportPassage::counts).collect()
        };
        counts(self) == counts(other)
    }

    /// Words in its reporting.
    pub fn words(&self) -> usize {
        self.reporting().map(|(_, passage)| passage.text.words).sum()
    }

    /// Fingerprints of its reporting, each once.
    pub fn fingerprints(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self
            .reporting()
            .flat_map(|(_, passage)| passage.text.fingerprints.iter().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The passages that report something, with their indices.
    pub fn reporting(&self) -> impl Iterator<Item = (usize, &ReportPassage)> {
        self.passages.iter().enumerate().filter(|(_, passage)| passage.kind == PassageKind::Body)
    }
}

impl ReportPassage {
    /// How much it counts as reporting.
    pub fn counts(&self) -> f32 {
        match self.kind {
            PassageKind::Body => self.weight,
            PassageKind::Furniture => 0.0,
        }
    }
}

/// All that counts in some passages.
fn whole(passages: &[ReportPassage]) -> Profile {
    let parts = passages.iter().map(|passage| (&passage.text.profile, passage.counts()));
    Profile::of_parts(&parts.collect::<Vec<_>>())
}

/// The mean of all vectors, weighted by words; `None` if there is none.
fn mean(passages: &[ReportPassage]) -> Option<UnitVector> {
    let vectors = passages.iter().flat_map(|passage| {
        let vectors = passage.windows.as_ref().map_or(&[][..], |windows| windows.vectors());
        let weight = passage.counts() * passage.text.words as f32 / vectors.len() as f32;
        vectors.iter().map(move |vector| (vector, weight))
    });
    UnitVector::mean(vectors)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::{Heading, Report, ReportPassage};
    use crate::article::PassageKind;
    use crate::text::ContentHash;
    use crate::verdict::Comparable;

    /// A report without vectors, of which nothing else is known.
    pub(crate) fn report(texts: &[&str]) -> Report {
        titled("", None, texts)
    }

    /// A report without vectors, with its headline and the time of its publication.
    pub(crate) fn titled(title: &str, published_at: Option<Timestamp>, texts: &[&str]) -> Report {
        let passages = texts.iter().enumerate().map(|(ordinal, text)| ReportPassage {
            ordinal: ordinal as u32,
            kind: PassageKind::Body,
            text: Arc::new(Comparable::of(text)),
            windows: None,
            weight: 1.0,
        });
        let heading = Heading {
            title,
            source: "",
            published_at,
            reporting_hash: ContentHash::of(&texts.join("\n")),
        };
        Report::new(&heading, passages.collect())
    }

    #[test]
    fn what_does_not_count_is_not_compared() {
        let mut passages = report(&["Rates rose to 5 pct.", "All rights are reserved."]).passages;
        passages[1].weight = 0.0;
        let heading = Heading {
            title: "Rates rise",
            source: "",
            published_at: None,
            reporting_hash: ContentHash::of(""),
        };
        let report = Report::new(&heading, passages);
        assert_eq!(report.whole.terms.total(), 5.0);
        assert_eq!((report.words(), report.title.total()), (9, 2.0));
    }
}
