use std::collections::HashMap;

use crate::article::PassageKind;
use crate::embed::Windows;
use crate::text::ContentHash;

use super::{
    Candidate, Comparable, DocumentVerdict, PassageMatch, Signals, compare, judge_document,
};

/// Passages of the other document that each passage is compared with: those that share
/// most shingles with it.
const NEAREST: usize = 4;

/// Passages that a shingle may stand in and still tell passages apart.
const COMMON: usize = 32;

/// A document made ready to be compared with another one.
#[derive(Debug, Clone)]
pub struct Side {
    /// Its passages in reading order, furniture included.
    pub passages: Vec<SidePassage>,
    /// Names its reporting, normalised.
    pub reporting_hash: ContentHash,
}

/// A passage of such a document.
#[derive(Debug, Clone)]
pub struct SidePassage {
    /// Position in its document.
    pub ordinal: u32,
    /// What it is for.
    pub kind: PassageKind,
    /// What it says.
    pub text: Comparable,
    /// Its vectors, if they mean anything for its language.
    pub windows: Option<Windows>,
}

/// The verdict on `document` had it come after `other` and nothing else. Matches name
/// the passages of `other` by their place in it.
pub fn judge_pair(document: &Side, other: &Side) -> DocumentVerdict<(), usize> {
    let index = Shared::of(other);
    let mut matches = Vec::new();
    for (place, passage) in document.reporting() {
        for (there, signals, words) in index.nearest(passage, other) {
            matches.push(PassageMatch {
                index: place,
                passage: there,
                document: (),
                words,
                signals,
            });
        }
    }
    let words = other.reporting().map(|(_, passage)| passage.text.words).sum();
    let exact = document.reporting_hash == other.reporting_hash;
    let passages: Vec<_> = document.passages.iter().map(|p| (p.ordinal, p.kind, &p.text)).collect();
    let lexical_only = document.passages.iter().all(|passage| passage.windows.is_none());
    judge_document(&passages, &[Candidate { document: (), words, exact }], &matches, lexical_only)
}

impl Side {
    fn reporting(&self) -> impl Iterator<Item = (usize, &SidePassage)> {
        self.passages.iter().enumerate().filter(|(_, passage)| passage.kind == PassageKind::Body)
    }
}

/// Which passages of a document hold a shingle, and which say a text.
struct Shared {
    holders: HashMap<u64, Vec<usize>>,
    exact: HashMap<ContentHash, usize>,
}

impl Shared {
    fn of(side: &Side) -> Self {
        let mut shared = Self { holders: HashMap::new(), exact: HashMap::new() };
        for (place, passage) in side.reporting() {
            shared.exact.entry(passage.text.hash).or_insert(place);
            for &shingle in passage.text.shingles.hashes() {
                let holders = shared.holders.entry(shingle).or_default();
                if holders.len() < COMMON {
                    holders.push(place);
                }
            }
        }
        shared
    }

    /// The passages of `other` that are likest to `passage`, compared with it.
    fn nearest(&self, passage: &SidePassage, other: &Side) -> Vec<(usize, Signals, usize)> {
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for shingle in passage.text.shingles.hashes() {
            for &place in self.holders.get(shingle).into_iter().flatten() {
                *shared.entry(place).or_default() += 1;
            }
        }
        let mut places: Vec<(usize, usize)> = shared.into_iter().collect();
        places.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
        places.truncate(NEAREST);
        if let Some(&same) = self.exact.get(&passage.text.hash) {
            places.push((same, 0));
        }
        let compared = |(place, _): (usize, usize)| {
            let there = other.passages.get(place)?;
            let windows = passage.windows.as_ref().zip(there.windows.as_ref());
            let cosine = windows.map(|(a, b)| a.cosine(b));
            Some((place, compare(&passage.text, &there.text, cosine), there.text.words))
        };
        places.into_iter().filter_map(compared).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, SidePassage, judge_pair};
    use crate::article::PassageKind;
    use crate::text::ContentHash;
    use crate::verdict::{Comparable, Verdict};

    fn side(texts: &[&str]) -> Side {
        let passages = texts.iter().enumerate().map(|(ordinal, text)| SidePassage {
            ordinal: ordinal as u32,
            kind: PassageKind::Body,
            text: Comparable::of(text),
            windows: None,
        });
        Side { passages: passages.collect(), reporting_hash: ContentHash::of(&texts.join("\n")) }
    }

    const LEAD: &str = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
    const SECOND: &str = "Governor Jane Doe told reporters that inflation had proved stubborn.";
    const OTHER: &str = "Fishermen in the harbour have been on strike over quotas since last week.";

    #[test]
    fn order_of_arrival_decides_between_a_cut_and_an_update() {
        let (long, short) = (side(&[LEAD, SECOND]), side(&[LEAD]));
        assert_eq!(judge_pair(&short, &long).verdict, Verdict::NearDuplicate);
        assert_eq!(judge_pair(&long, &short).verdict, Verdict::Update);
        assert_eq!(judge_pair(&long, &long).verdict, Verdict::ExactDuplicate);
        assert_eq!(judge_pair(&long, &side(&[OTHER])).verdict, Verdict::New);
    }
}
