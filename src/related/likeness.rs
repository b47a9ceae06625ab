use std::sync::Arc;

use crate::embed::Windows;
use crate::text::Bag;
use crate::verdict::Features;

use super::subject::fading;
use super::{Gist, Subject};

/// Passages of a document whose meaning is compared.
const COMPARED: usize = 64;

/// Words of a document that tell what it is about.
const TELLING: usize = 8;

/// Runs of words of one document that stand in another one from which on both are worded alike,
/// and their share of all of its runs.
const SAME_RUNS: f32 = 3.0;
const SAME_WORDING: f32 = 0.2;

/// Share of what each of two documents tells first that the other one lacks from which on they
/// are about something else.
const OTHER_SUBJECT: f32 = 0.3;

/// Share of what each tells first that stands in the other one from which on the words bear out
/// what the vectors say.
const BORNE_OUT: f32 = 0.3;

/// Documents of the wording of a query, each about something else, from which on it is one of a
/// series.
const SERIES: usize = 4;

/// Words at which a document is brief by 1/e.
const BRIEF: f32 = 12.0;

/// Says of two documents that one is worded like the other and about something else.
pub(super) const TEMPLATE: &str = "template";

/// Documents around a query whose common words stop telling documents apart.
const POOL: usize = 30;

/// How much meaning counts beside words where the pool is chosen.
const MEANING_IN_POOL: f32 = 1.5;

/// How far the coverage of two documents is above the cosine of their means, at most: among the
/// labelled collections and a newswire, .27.
const OVER_MEANS: f32 = 0.3;

/// Squared length under which what is left of a document without the common words is taken for
/// nothing.
const NOTHING: f32 = 1e-3;

/// Words with what each weighs, ascending by word.
#[derive(Debug, Clone, Default)]
struct Weights(Vec<(u32, f32)>);

impl Weights {
    /// The logarithm of how often each word stands there, times how rare it is (Salton and
    /// Buckley, "Term-weighting approaches in automatic text retrieval", 1988). Their length is
    /// 1.
    fn new(bag: &Bag, rarity: &impl Fn(u32) -> f32) -> Self {
        let mut weights: Vec<(u32, f32)> =
            bag.weights().map(|(term, count)| (term, count.ln_1p() * rarity(term))).collect();
        let length = weights.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
        if length > 0.0 {
            weights.iter_mut().for_each(|(_, x)| *x /= length);
        }
        Self(weights)
    }

    /// The squared length of what `new` made: there are words or not.
    fn square(&self) -> f32 {
        if self.0.is_empty() { 0.0 } else { 1.0 }
    }

    /// How much of this, by what it weighs, stands in another text.
    fn found_in(&self, other: &Self) -> f32 {
        let known = |term: u32| other.0.binary_search_by_key(&term, |(term, _)| *term).is_ok();
        let squares = |weights: &mut dyn Iterator<Item = &(u32, f32)>| -> f32 {
            weights.map(|(_, x)| x * x).sum()
        };
        let all = squares(&mut self.0.iter());
        let found = squares(&mut self.0.iter().filter(|(term, _)| known(*term)));
        if all > 0.0 { found / all } else { 0.0 }
    }

    fn dot(&self, other: &Self) -> f32 {
        let (mut one, mut other) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut sum = 0.0;
        while let (Some(&&(a, x)), Some(&&(b, y))) = (one.peek(), other.peek()) {
            if a == b {
                sum += x * y;
            }
            if a <= b {
                one.next();
            }
            if b <= a {
                other.next();
            }
        }
        sum
    }
}

/// A document whose words are weighed by how rare they are now.
#[derive(Debug, Clone)]
pub struct WeighedSubject {
    subject: Arc<Subject>,
    terms: Weights,
    /// The words that tell most, with what they weigh.
    telling: Vec<(u32, f32)>,
    figures: Weights,
    /// Places of passages that have vectors, with what each tells.
    passages: Vec<(usize, f32)>,
}

impl WeighedSubject {
    /// Of a document. `rarity` is the logarithm of about how many documents there are for each
    /// that has a word.
    pub fn new(subject: &Arc<Subject>, rarity: &impl Fn(u32) -> f32) -> Self {
        let passages = subject.passages.iter().enumerate();
        let counting =
            passages.filter(|(_, passage)| passage.weight > 0.0 && passage.windows.is_some());
        let passages = counting.map(|(place, passage)| {
            let rarities = passage.gist.terms.terms().map(rarity);
            let mass = rarities.sum::<f32>().sqrt() * fading(passage.before) * passage.weight;
            (place, mass.max(f32::MIN_POSITIVE))
        });
        let terms = Weights::new(&subject.fading, rarity);
        let mut telling = terms.0.clone();
        telling.sort_unstable_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        telling.truncate(TELLING);
        Self {
            subject: Arc::clone(subject),
            terms,
            telling,
            figures: Weights::new(&subject.figures, rarity),
            passages: passages.take(COMPARED).collect(),
        }
    }

    /// The vectors of its passages, with what each passage tells.
    fn vectors(&self) -> Vec<(&Windows, f32)> {
        let windows = |place: usize| self.subject.passages.get(place)?.windows.as_ref();
        self.passages.iter().filter_map(|(place, mass)| Some((windows(*place)?, *mass))).collect()
    }

    /// How well the passages of each cover those of the other one: the mean, over the passages
    /// of both, of the highest cosine beside the other one's, by what each passage tells.
    /// `None` where one has no vectors.
    fn coverage(&self, other: &Self) -> Option<f32> {
        let (own, others) = (self.vectors(), other.vectors());
        if own.is_empty() || others.is_empty() {
            return None;
        }
        let mut mine = vec![-1.0_f32; own.len()];
        let mut theirs = vec![-1.0_f32; others.len()];
        for ((a, _), mine) in own.iter().zip(&mut mine) {
            for ((b, _), theirs) in others.iter().zip(&mut theirs) {
                let cosine = a.cosine(b);
                *mine = mine.max(cosine);
                *theirs = theirs.max(cosine);
            }
        }
        let mean = |bests: &[f32], passages: &[(&Windows, f32)]| {
            let total: f32 = passages.iter().map(|(_, mass)| mass).sum();
            let sum: f32 = bests.iter().zip(passages).map(|(best, (_, mass))| best * mass).sum();
            sum / total
        };
        Some((mean(&mine, &own) + mean(&theirs, &others)) / 2.0)
    }

    /// How much of what each tells first of all stands nowhere in the other one: of the two
    /// shares, the lower one.
    fn missing(&self, other: &Self) -> f32 {
        let missing = |one: &Self, other: &Self| {
            let all: f32 = one.telling.iter().map(|(_, x)| x).sum();
            let apart =
                one.telling.iter().filter(|(term, _)| other.subject.terms.weight(*term) == 0.0);
            apart.map(|(_, x)| x).sum::<f32>() / all.max(f32::MIN_POSITIVE)
        };
        missing(self, other).min(missing(other, self))
    }

    /// Whether this is told in the words of the other one.
    fn is_worded_like(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.subject.shingles, &other.subject.shingles);
        let shared = mine.shared(theirs);
        shared >= SAME_RUNS && shared >= SAME_WORDING * mine.total().min(theirs.total())
    }

    /// Whether this is told in the words of the other one about somebody or something else: results,
    /// weather, market reports.
    fn is_of_one_template(&self, other: &Self) -> bool {
        self.missing(other) >= OTHER_SUBJECT && self.is_worded_like(other)
    }

    /// How brief the briefer of two documents is, 0 to 1: where there is no room for many words,
    /// that few are shared says little.
    fn brevity(&self, other: &Self) -> f32 {
        let words = self.subject.terms.total().min(other.subject.terms.total());
        (-words / BRIEF).exp()
    }

    /// How alike two documents are before it is known what is around them.
    fn likeness(&self, other: &Self) -> f32 {
        let meaning = self.coverage(other).map_or(0.0, |coverage| MEANING_IN_POOL * coverage);
        self.terms.dot(&other.terms) + meaning
    }
}

/// What a query and the documents likest to it have in common. Beside that, two documents
/// are compared by what sets them apart: another event of the same kind, or another one in the
/// same place, shares the words that all have.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    common: Weights,
    length: f32,
    /// Whether the query is one of many reports of one wording.
    is_series: bool,
}

impl Surroundings {
    /// Of a query and documents that may be related to it.
    pub fn of(query: &WeighedSubject, candidates: &[WeighedSubject]) -> Self {
        let mut order: Vec<(f32, usize)> = candidates
            .iter()
            .enumerate()
            .map(|(place, candidate)| (query.likeness(candidate), place))
            .collect();
        order.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
        let nearest = order.iter().take(POOL).filter_map(|(_, place)| candidates.get(*place));
        let alike = nearest.clone().filter(|other| query.is_of_one_template(other));
        let is_series = alike.take(SERIES).count() == SERIES;
        let all = std::iter::once(query).chain(nearest);
        let all: Vec<(u32, f32)> =
            all.flat_map(|document| document.terms.0.iter().copied()).collect();
        // Of few documents it is not known yet what all have in common: the sum counts as if there
        // were as many as there may be.
        let factor = 1.0 / (POOL + 1) as f32;
        let sum = Bag::weighed(all);
        let common = Weights(sum.weights().map(|(term, x)| (term, x * factor)).collect());
        Self { length: common.dot(&common), common, is_series }
    }

    /// A document, to be compared with others there.
    pub fn place<'a>(&self, document: &'a WeighedSubject) -> Placed<'a> {
        Placed { document, shared: document.terms.dot(&self.common) }
    }

    /// What the probability is computed from that two documents cover the same events.
    pub fn features(&self, one: Placed<'_>, other: Placed<'_>) -> Features {
        let mut features = self.of_words(one, other);
        let (one, other) = (one.document, other.document);
        let missing = one.missing(other);
        if missing >= OTHER_SUBJECT && (self.is_series || one.is_worded_like(other)) {
            features.push((TEMPLATE, 1.0));
        }
        let coverage = one.coverage(other);
        features.extend(
            coverage
                .into_iter()
                .flat_map(|coverage| of_meaning(coverage, missing, one.brevity(other))),
        );
        features
    }

    /// What is no less than any of those features, and sooner computed.
    pub fn at_most(&self, one: Placed<'_>, other: &WeighedSubject) -> Features {
        // The more the other one shares with all, the less is left that sets both apart.
        let mut features = self.of_words(one, Placed { document: other, shared: 0.0 });
        let one = one.document;
        let means = one.subject.mean.as_ref().zip(other.subject.mean.as_ref());
        features.extend(means.into_iter().flat_map(|(a, b)| {
            let coverage = (a.cosine(b) + OVER_MEANS).clamp(0.0, 1.0);
            of_meaning(coverage, one.missing(other), one.brevity(other))
        }));
        features
    }

    fn of_words(&self, one: Placed<'_>, other: Placed<'_>) -> Features {
        let shared = one.shared + other.shared;
        let length = |own: Placed<'_>| {
            (own.document.terms.square() - 2.0 * own.shared + self.length).max(NOTHING)
        };
        let lengths = (length(one) * length(other)).sqrt();
        let (one, other) = (one.document, other.document);
        let words = one.terms.dot(&other.terms);
        let apart = (words - shared + self.length) / lengths;
        vec![
            ("words", words),
            ("words_apart", apart * (1.0 - one.brevity(other))),
            ("figures", one.figures.dot(&other.figures)),
        ]
    }
}

/// A document in its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The document.
    pub document: &'a WeighedSubject,
    /// How much it shares of what all have in common.
    pub shared: f32,
}

/// What is computed from how well passages cover one another.
fn of_meaning(coverage: f32, missing: f32, brevity: f32) -> [(&'static str, f32); 3] {
    let borne_out = ((1.0 - missing) / BORNE_OUT).min(1.0);
    [
        ("coverage", coverage),
        ("coverage_borne_out", coverage * borne_out),
        ("coverage_brief", coverage * brevity),
    ]
}

/// A text that is asked about, whose words are weighed by how rare they are now.
#[derive(Debug, Clone)]
pub struct WeighedText<'a> {
    terms: Weights,
    figures: Weights,
    windows: Option<&'a Windows>,
}

impl<'a> WeighedText<'a> {
    /// Of what a text is about, and its vectors if they mean anything.
    pub fn new(gist: &Gist, windows: Option<&'a Windows>, rarity: &impl Fn(u32) -> f32) -> Self {
        Self {
            terms: Weights::new(&gist.terms, rarity),
            figures: Weights::new(&gist.figures, rarity),
            windows,
        }
    }

    /// What the probability is computed from that a passage, which stands in a document, is about
    /// the same thing.
    pub fn features(&self, passage: &WeighedText<'_>, document: &WeighedSubject) -> Features {
        // What a passage leaves to its document to say counts, and what it says itself counts as
        // much again.
        let found = self.terms.found_in(&passage.terms) + self.terms.found_in(&document.terms);
        let mut features = vec![
            ("words", self.terms.dot(&passage.terms)),
            ("figures", self.figures.dot(&passage.figures)),
            ("found", found / 2.0),
        ];
        let windows = self.windows.zip(passage.windows);
        features.extend(windows.map(|(mine, theirs)| ("cosine", mine.cosine(theirs))));
        features
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Surroundings, TEMPLATE, WeighedSubject, WeighedText};
    use crate::related::{Gist, Subject, SubjectPassage};
    use crate::verdict::Features;

    fn value(features: &Features, name: &str) -> f32 {
        features.iter().find(|(other, _)| *other == name).map_or(f32::NAN, |(_, value)| *value)
    }

    fn subject(title: &str, text: &str) -> Arc<Subject> {
        let gist = Arc::new(Gist::of(text));
        let passage = SubjectPassage { ordinal: 0, gist, before: 0, windows: None, weight: 1.0 };
        Arc::new(Subject::new(title, None, vec![passage]))
    }

    #[test]
    fn what_all_around_say_does_not_tell_documents_apart() {
        let quake = |town: &str, day: &str| {
            let text = format!(
                "An earthquake of magnitude 6 struck near {town} on {day}, damaging houses; rescue \
                 teams searched the rubble, officials said."
            );
            subject(&format!("Earthquake strikes {town}"), &text)
        };
        let all = [
            quake("Ancona", "Monday"),
            quake("Ancona", "Tuesday"),
            quake("Bergamo", "Monday"),
            quake("Catania", "Friday"),
            quake("Salerno", "Sunday"),
        ];
        let rarity = |_: u32| 2.0;
        let all: Vec<_> = all.iter().map(|one| WeighedSubject::new(one, &rarity)).collect();
        let [query, same, other, ..] = all.as_slice() else { panic!("five documents") };
        let around = Surroundings::of(query, &all[1..]);
        let beside =
            |other: &WeighedSubject| around.features(around.place(query), around.place(other));
        let (same, other) = (beside(same), beside(other));
        assert!(value(&other, "words") > 0.5, "{other:?}");
        let gap = |name| value(&same, name) - value(&other, name);
        assert!(gap("words_apart") > gap("words"), "{same:?} {other:?}");
    }

    #[test]
    fn what_may_be_said_sooner_is_never_less() {
        let texts = [
            "The central bank raised interest rates by half a point.",
            "Interest rates rose by half a point, the central bank said.",
            "A ferry sank off the coast; 40 passengers are missing.",
            "Rescuers searched for 40 passengers of the ferry.",
            "",
        ];
        let all = texts.map(|text| WeighedSubject::new(&subject("", text), &|_| 2.0));
        let [query, others @ ..] = &all;
        let around = Surroundings::of(query, others);
        for other in others {
            let features = around.features(around.place(query), around.place(other));
            let bound = around.at_most(around.place(query), other);
            for (name, most) in bound {
                assert!(most >= value(&features, name) - 1e-6, "{name}: {features:?}");
            }
        }
    }

    #[test]
    fn reports_of_a_series_are_of_one_template_though_one_is_worded_otherwise() {
        let report = |company: &str| {
            format!(
                "{company} said net income for the quarter rose while revenues fell short of what \
                 its board had expected for the period."
            )
        };
        let usual = Gist::of(&report("")).terms;
        let rarity = |term: u32| if usual.weight(term) > 0.0 { 1.0 } else { 5.0 };
        let weighed =
            |company: &str, text: &str| WeighedSubject::new(&subject(company, text), &rarity);
        let results = |company: &str| weighed(company, &report(company));
        let query = results("Alcor Mining");
        let mut others = Vec::from(["Brune", "Cadell", "Dorsey", "Elwood"].map(results));
        others.push(weighed("Fenton Foods", "Fenton Foods: third quarter net 4, sales 12."));
        let is_template = |around: &Surroundings| {
            let last = others.last().unwrap_or(&query);
            let features = around.features(around.place(&query), around.place(last));
            features.iter().any(|(name, _)| *name == TEMPLATE)
        };
        assert!(is_template(&Surroundings::of(&query, &others)));
        assert!(!is_template(&Surroundings::of(&query, &others[2..])));
    }

    #[test]
    fn rare_words_count_and_a_passage_is_read_in_its_document() {
        let common = Gist::of("bank").terms.terms().next();
        let rarity = move |term: u32| if Some(term) == common { 0.0 } else { 3.0 };
        let text = |text: &str| WeighedText::new(&Gist::of(text), None, &rarity);
        let documents = ["Rates were raised by the bank.", "The bank closed a branch."];
        let subjects = documents.map(|text| subject("", text));
        let [same, other] = [0, 1].map(|place: usize| {
            let document = WeighedSubject::new(&subjects[place], &rarity);
            text("The bank raised its rate.").features(&text(documents[place]), &document)
        });
        assert!(value(&same, "words") > 0.99 && value(&same, "found") > 0.99);
        assert_eq!((value(&other, "found"), same.len()), (0.0, 3));
    }
}
