use std::sync::Arc;

use jiff::Timestamp;

use crate::embed::{UnitVector, Windows};
use crate::text::{Bag, shingles};

use super::Gist;

/// Words after the start of a document at which one counts half.
const FADES: f32 = 50.0;

/// A document made ready to be compared with others that may cover the same events.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its reporting, in reading order.
    pub passages: Vec<SubjectPassage>,
    /// Its words, headline included, as often as each stands in it.
    pub terms: Bag,
    /// The same, each time counting less the later it comes: what is told first is what a report
    /// is about.
    pub fading: Bag,
    /// Its words that have a digit.
    pub figures: Bag,
    /// Runs of three of its words, headline and figures left out: how it is worded.
    pub shingles: Bag,
    /// Where its passages lie on average; `None` where vectors mean nothing.
    pub mean: Option<UnitVector>,
    /// When it was published, if that is known.
    pub published_at: Option<Timestamp>,
}

/// A passage of such a document.
#[derive(Debug, Clone)]
pub struct SubjectPassage {
    /// Position in its document.
    pub ordinal: u32,
    /// What it is about.
    pub gist: Arc<Gist>,
    /// Words that come before it.
    pub before: usize,
    /// Its vectors, if they mean anything for its language.
    pub windows: Option<Windows>,
    /// How much it counts, 0 to 1: what stands in many stories says little about one.
    pub weight: f32,
}

impl Subject {
    /// Of a headline and the passages below it.
    pub fn new(
        title: &str,
        published_at: Option<Timestamp>,
        mut passages: Vec<SubjectPassage>,
    ) -> Self {
        let title = Gist::of(title);
        let mut before = title.stems.len();
        for passage in &mut passages {
            passage.before = before;
            before += passage.gist.stems.len();
        }
        let own = std::iter::once((&title, 1.0, 0));
        let parts = own.chain(passages.iter().map(|p| (&*p.gist, p.weight, p.before)));
        let parts: Vec<(&Gist, f32, usize)> =
            parts.filter(|(_, weight, _)| *weight > 0.0).collect();
        let fading = parts.iter().flat_map(|(part, weight, before)| {
            let stems = part.stems.iter().enumerate();
            stems.map(move |(place, stem)| (*stem, weight * fading(before + place)))
        });
        let wording = parts.iter().filter(|(part, ..)| !std::ptr::eq(*part, &title));
        let runs = wording.flat_map(|(part, ..)| {
            let is_word = |stem: &&u32| part.figures.weight(**stem) == 0.0;
            let words: Vec<u32> = part.stems.iter().filter(is_word).copied().collect();
            shingles(&words).collect::<Vec<u32>>()
        });
        let mean = mean(&passages);
        Self {
            fading: Bag::weighed(fading.collect()),
            terms: Bag::sum(parts.iter().map(|(part, weight, _)| (&part.terms, *weight))),
            shingles: Bag::distinct(runs.collect()),
            figures: Bag::sum(parts.iter().map(|(part, weight, _)| (&part.figures, *weight))),
            passages,
            mean,
            published_at,
        }
    }

    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let vectors = |windows: &Windows| {
            windows.vectors().iter().map(|vector| 4 * vector.as_slice().len()).sum::<usize>()
        };
        let passage = |passage: &SubjectPassage| {
            let windows = passage.windows.as_ref().map_or(0, vectors);
            size_of::<SubjectPassage>() + passage.gist.bytes() + windows
        };
        let bags = [&self.terms, &self.fading, &self.figures, &self.shingles];
        let terms: usize = bags.iter().map(|bag| 8 * bag.terms().count()).sum();
        let mean = self.mean.as_ref().map_or(0, |mean| 4 * mean.as_slice().len());
        terms + mean + self.passages.iter().map(passage).sum::<usize>()
    }
}

/// How much a word counts that so many come before.
pub(super) fn fading(before: usize) -> f32 {
    1.0 / (1.0 + before as f32 / FADES)
}

/// The mean of all vectors, each passage weighted by the words that it has.
fn mean(passages: &[SubjectPassage]) -> Option<UnitVector> {
    let vectors = passages.iter().flat_map(|passage| {
        let vectors = passage.windows.as_ref().map_or(&[][..], |windows| windows.vectors());
        let weight = passage.weight * passage.gist.terms.total() / vectors.len() as f32;
        vectors.iter().map(move |vector| (vector, weight))
    });
    UnitVector::mean(vectors)
}
