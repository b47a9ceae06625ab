use crate::text::{Number, Shape};

use super::profile::Profile;

/// How the words and facts of two texts overlap. Counts are weights: what counts half is
/// half a word. The same whichever text comes first, but where it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overlap {
    /// Jaccard resemblance of their shingles, 0 to 1.
    pub resemblance: f32,
    /// Share of the smaller set of shingles that the other one holds, 0 to 1.
    pub containment: f32,
    /// Share of the first one's shingles that the second one holds, 0 to 1.
    pub share_of_first: f32,
    /// Share of the second one's shingles that the first one holds, 0 to 1.
    pub share_of_second: f32,
    /// Words in the shorter one.
    pub length: f32,
    /// Words in common, as a share of the longer one's.
    pub words: f32,
    /// Grams in common, as a share of the smaller set and of the larger one.
    pub grams: Shares,
    /// Words in common that are neither names nor numbers nor stop words.
    pub plain: Shares,
    /// Words that say something and stand in one text only.
    pub words_apart: Apart,
    /// Words that say something and stand in both texts in different spelling, as a share of
    /// those that stand in both.
    pub misspelt: f32,
    /// Numbers in common.
    pub numbers_shared: f32,
    /// Numbers that stand in one text only.
    pub numbers_apart: Apart,
    /// The one number of each text that does not stand in the other one, where each has one
    /// such, is written with one digit changed.
    pub is_a_digit_off: bool,
    /// Numbers with a word beside them that are in common, as a share of the smaller count.
    pub numbers_in_place: f32,
    /// Whether both state numbers.
    pub both_state_numbers: bool,
    /// Different names in common.
    pub names_shared: f32,
    /// Names that stand in one text only.
    pub names_apart: Apart,
    /// How often the name that stands most often of those stands there.
    pub protagonists_apart: Apart,
    /// Share of the last words of one that are the last words of the other one, 0 to 1.
    pub ending: f32,
    /// By how many the words differ that deny.
    pub denials_apart: f32,
    /// How much of the lead of one stands in the other one, whichever is more, 0 to 1.
    pub lead: f32,
}

/// What is in common as a share of two wholes, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shares {
    /// Of the smaller one.
    pub of_smaller: f32,
    /// Of the larger one.
    pub of_larger: f32,
}

/// What stands in one of two texts only.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Apart {
    /// In the first one.
    pub first: f32,
    /// In the second one.
    pub second: f32,
}

impl Apart {
    /// Of both.
    pub fn all(self) -> f32 {
        self.first + self.second
    }

    /// What may have been put in the place of something else.
    pub fn replaced(self) -> f32 {
        self.first.min(self.second)
    }
}

impl Shares {
    fn of(shared: f32, a: f32, b: f32) -> Self {
        Self { of_smaller: share(shared, a.min(b)), of_larger: share(shared, a.max(b)) }
    }
}

impl Overlap {
    pub(super) fn of(a: &Profile, b: &Profile) -> Self {
        let shingles = a.shingles.shared(&b.shingles);
        let (of_first, of_second) = (a.shingles.total(), b.shingles.total());
        let grams = (a.grams.shared(&b.grams), a.grams.total(), b.grams.total());
        let words = Words::of(a, b);
        let numbers = Numbers::of(a, b);
        let contexts = a.contexts.shared(&b.contexts);
        let fewer = a.contexts.total().min(b.contexts.total());
        let lead = |lead: &Profile, other: &Profile| lead.lead.contained_in(&other.terms);
        Self {
            resemblance: share(shingles, of_first + of_second - shingles),
            containment: share(shingles, of_first.min(of_second)),
            share_of_first: share(shingles, of_first),
            share_of_second: share(shingles, of_second),
            length: a.terms.total().min(b.terms.total()),
            words: Shares::of(a.terms.shared(&b.terms), a.terms.total(), b.terms.total()).of_larger,
            grams: Shares::of(grams.0, grams.1, grams.2),
            plain: Shares::of(words.plain_shared, words.plain.0, words.plain.1),
            words_apart: words.apart,
            misspelt: share(
                words.misspelt,
                words.misspelt + words.plain_shared + words.names_shared,
            ),
            numbers_shared: numbers.shared,
            numbers_apart: numbers.apart,
            is_a_digit_off: numbers.is_a_digit_off,
            numbers_in_place: (contexts + 0.5) / (fewer + 0.75),
            both_state_numbers: fewer > 0.0,
            names_shared: words.names_shared,
            names_apart: words.names_apart,
            protagonists_apart: words.protagonists_apart,
            ending: a.ending.containment(&b.ending),
            denials_apart: (a.denials - b.denials).abs(),
            lead: lead(a, b).max(lead(b, a)),
        }
    }
}

/// Words that say something, told apart by what they are and where they stand.
#[derive(Default)]
pub(super) struct Words {
    plain: (f32, f32),
    plain_shared: f32,
    apart: Apart,
    names_shared: f32,
    pub names_apart: Apart,
    protagonists_apart: Apart,
    misspelt: f32,
}

/// A word that stands in one text only.
struct Single {
    shape: Option<Shape>,
    count: f32,
    is_name: bool,
}

impl Words {
    /// Words of each text that are looked for in other spelling in the other one, at most.
    const SOUGHT: usize = 64;

    /// A name is counted so often at most.
    const NAMED: f32 = 3.0;

    /// A word is a name if either text writes it as one: capitals get lost. A word that stands
    /// in the other text in another spelling is no other word.
    pub fn of(a: &Profile, b: &Profile) -> Self {
        let mut words = Self::default();
        let is_name = |term: &u32| {
            a.capitals.binary_search(term).is_ok() || b.capitals.binary_search(term).is_ok()
        };
        let (mut only_mine, mut only_theirs) = (Vec::new(), Vec::new());
        for (term, mine, theirs) in a.content.beside(&b.content) {
            let (shared, is_name) = (mine.min(theirs), is_name(&term));
            words.apart.first += mine - shared;
            words.apart.second += theirs - shared;
            let single = |text: &Profile, count| Single { shape: text.shape(term), count, is_name };
            if theirs == 0.0 {
                only_mine.push(single(a, mine));
            } else if mine == 0.0 {
                only_theirs.push(single(b, theirs));
            }
            if is_name {
                let (here, there) = (mine.min(Self::NAMED), theirs.min(Self::NAMED));
                words.names_shared += here.min(there);
                // One that both texts know is no other name, however often it stands there.
                if shared == 0.0 {
                    words.names_apart.first += here;
                    words.names_apart.second += there;
                }
            } else {
                words.plain.0 += mine;
                words.plain.1 += theirs;
                words.plain_shared += shared;
            }
        }
        words.respell(only_mine, only_theirs);
        words
    }

    /// Takes words that are one, written differently, out of those that stand apart.
    fn respell(&mut self, mut mine: Vec<Single>, mut theirs: Vec<Single>) {
        mine.truncate(Self::SOUGHT);
        theirs.truncate(Self::SOUGHT);
        let named = |word: &Single| if word.is_name { word.count.min(Self::NAMED) } else { 0.0 };
        for word in mine {
            let is_like =
                |other: &Single| word.shape.zip(other.shape).is_some_and(|(a, b)| a.is_like(b));
            let Some(at) = theirs.iter().position(is_like) else {
                self.protagonists_apart.first = self.protagonists_apart.first.max(named(&word));
                continue;
            };
            let other = theirs.swap_remove(at);
            let count = word.count.min(other.count);
            self.misspelt += count;
            self.apart.first -= count;
            self.apart.second -= count;
            self.names_apart.first -= named(&word);
            self.names_apart.second -= named(&other);
        }
        self.protagonists_apart.second = theirs.iter().map(named).fold(0.0, f32::max);
    }
}

/// Numbers that both texts state, and those that only one does.
pub(super) struct Numbers {
    pub shared: f32,
    pub apart: Apart,
    pub is_a_digit_off: bool,
}

impl Numbers {
    /// A rounded number, or one that is written in words, states nothing else.
    pub fn of(a: &Profile, b: &Profile) -> Self {
        /// How much it counts that one number is the other one rounded.
        const ROUNDED: f32 = 0.8;
        let (mut mine, mut theirs) = (a.numbers.as_slice(), b.numbers.as_slice());
        let (mut only_mine, mut only_theirs) = (Vec::new(), Vec::new());
        let mut shared = 0.0;
        loop {
            match (mine, theirs) {
                ([x, xs @ ..], [y, ys @ ..]) if x.0.key == y.0.key => {
                    shared += x.1.min(y.1);
                    (mine, theirs) = (xs, ys);
                }
                ([x, xs @ ..], [y, ..]) if x.0.key < y.0.key => {
                    only_mine.push(*x);
                    mine = xs;
                }
                (_, [y, ys @ ..]) => {
                    only_theirs.push(*y);
                    theirs = ys;
                }
                ([x, xs @ ..], []) => {
                    only_mine.push(*x);
                    mine = xs;
                }
                ([], []) => break,
            }
        }
        // What cannot be read may be anything that looks like it.
        strike_out(&mut only_mine, &mut only_theirs, |mine, theirs| {
            (mine.is_garbled() || theirs.is_garbled()) && mine.shape.is_like(theirs.shape)
        });
        shared += ROUNDED
            * strike_out(&mut only_mine, &mut only_theirs, |mine, theirs| mine.rounds_to(theirs));
        let is_a_digit_off = match (only_mine.as_slice(), only_theirs.as_slice()) {
            ([(mine, _)], [(theirs, _)]) => mine.is_a_digit_off(theirs),
            _ => false,
        };
        let apart = Apart { first: unspelled(only_mine, b), second: unspelled(only_theirs, a) };
        Self { shared, apart, is_a_digit_off }
    }
}

/// Takes numbers of two texts that are one out of both; of very many the first ones are
/// looked at. Returns how much they count.
fn strike_out(
    mine: &mut Vec<(Number, f32)>,
    theirs: &mut Vec<(Number, f32)>,
    is_one: impl Fn(&Number, &Number) -> bool,
) -> f32 {
    const SOUGHT: usize = 64;
    let mut struck = 0.0;
    let mut at = 0;
    while let Some((number, weight)) = mine.get(at).copied().filter(|_| at < SOUGHT) {
        let found = theirs.iter().take(SOUGHT).position(|(other, _)| is_one(&number, other));
        match found {
            Some(found) => {
                let (_, other) = theirs.remove(found);
                struck += weight.min(other);
                mine.remove(at);
            }
            None => at += 1,
        }
    }
    struck
}

/// The weight of those numbers that `other` does not write as words.
fn unspelled(numbers: Vec<(Number, f32)>, other: &Profile) -> f32 {
    /// How much something counts that looks like a number and is none.
    const GARBLED: f32 = 0.3;
    let is_spelled = |(number, _): &&(Number, f32)| other.spelled.weight(number.key) > 0.0;
    let stated = numbers.iter().filter(|number| !is_spelled(number));
    let weight = |(number, weight): &(Number, f32)| {
        if number.is_garbled() { GARBLED * weight } else { *weight }
    };
    stated.map(weight).fold(0.0, |sum, weight| sum + weight)
}

fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
