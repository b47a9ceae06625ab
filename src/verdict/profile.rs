use crate::text::{
    Bag, ContentHash, Number, Shape, Word, fingerprints, is_figure, is_stopword, normalize,
    numbers, shingles, spelled_numbers, without_markup, words,
};

/// Words at the start of a text that tell what it is about.
const LEAD: usize = 45;

/// Words at the end of a text that are compared.
const ENDING: usize = 3;

/// Bytes in a gram.
const GRAM: usize = 4;

/// Of how many grams of a document one is looked at.
const GRAMS: u32 = 4;

/// A text made ready to be compared with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// Of its normalised form.
    pub hash: ContentHash,
    /// Words in it.
    pub words: usize,
    /// Fingerprints by which texts that share words are found.
    pub fingerprints: Vec<u32>,
    pub(super) profile: Profile,
}

impl Comparable {
    /// Of a passage's text.
    pub fn of(text: &str) -> Self {
        // Two ways to write the same text must not differ in anything.
        let normal = normalize(text);
        let text = without_markup(&normal);
        let words = words(&text);
        Self {
            hash: ContentHash::of_normalized(&normal),
            words: words.len(),
            fingerprints: fingerprints(&words.iter().map(|word| word.term).collect::<Vec<_>>()),
            profile: Profile::of(&text, &words),
        }
    }

    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let profile = &self.profile;
        let bags = [
            &profile.terms,
            &profile.shingles,
            &profile.grams,
            &profile.content,
            &profile.openers,
            &profile.lead,
            &profile.contexts,
            &profile.spelled,
        ];
        let terms: usize = bags.iter().map(|bag| bag.terms().count()).sum();
        size_of::<Self>()
            + 8 * terms
            + 4 * self.fingerprints.len()
            + 64 * profile.numbers.len()
            + 4 * profile.capitals.len()
            + 16 * profile.shapes.len()
    }

    /// Its word shingles.
    pub fn shingles(&self) -> &Bag {
        &self.profile.shingles
    }
}

/// What a text is made of, without its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Profile {
    /// All words.
    pub terms: Bag,
    /// Runs of three words.
    pub shingles: Bag,
    /// Runs of four bytes of the words in lower case: damaged and inflected words share
    /// most of them.
    pub grams: Bag,
    /// Words that say something, but for numbers.
    pub content: Bag,
    /// How they are written, ordered by term.
    pub shapes: Vec<(u32, Shape)>,
    /// Those of them that are written as names.
    pub capitals: Vec<u32>,
    /// Those of them that a sentence begins with.
    pub openers: Bag,
    /// What they are when they come first.
    pub lead: Bag,
    /// The last of all words that say something: what a sentence is about to tell stands there.
    pub ending: Bag,
    /// Words that deny.
    pub denials: f32,
    /// Numbers, ordered by key, and how much each counts.
    pub numbers: Vec<(Number, f32)>,
    /// Numbers with the words beside them.
    pub contexts: Bag,
    /// Numbers that are written as words.
    pub spelled: Bag,
}

impl Profile {
    pub fn of(text: &str, words: &[Word<'_>]) -> Self {
        let all: Vec<u32> = words.iter().map(|word| word.term).collect();
        let spelled = spelled_numbers(words);
        let numbers = numbers(text, words);
        let mut telling: Vec<&Word<'_>> = Vec::with_capacity(words.len());
        telling.extend(words.iter().filter(|word| !is_stopword(word)));
        let mut content: Vec<&Word<'_>> = Vec::with_capacity(telling.len());
        content.extend(telling.iter().filter(|word| !is_figure(word)));
        let openers = content.iter().filter(|word| word.opens_sentence && is_capital(word));
        let mut shapes: Vec<(u32, Shape)> =
            content.iter().map(|word| (word.term, Shape::of(&word.folded))).collect();
        shapes.sort_unstable_by_key(|(term, _)| *term);
        shapes.dedup_by_key(|(term, _)| *term);
        let after_lead = words.get(LEAD).map_or(u32::MAX, |word| word.start);
        let lead = telling.iter().take_while(|word| word.start < after_lead);
        let ending = telling.iter().rev().take(ENDING);
        let denials = words.iter().filter(|word| is_denial(word)).count() as f32;
        let contexts = numbers.iter().flat_map(|number| number.contexts).collect();
        let mut numbers: Vec<(Number, f32)> =
            numbers.into_iter().map(|number| (number, number.weight)).collect();
        numbers.sort_by_key(|(number, _)| number.key);
        Self {
            shingles: Bag::distinct(shingles(&all).collect()),
            terms: Bag::counted(all),
            grams: Bag::distinct(grams(words)),
            content: Bag::counted(content.iter().map(|word| word.term).collect()),
            shapes,
            capitals: capitals(words),
            openers: Bag::counted(openers.map(|word| word.term).collect()),
            lead: Bag::counted(lead.map(|word| word.term).collect()),
            ending: Bag::distinct(ending.map(|word| word.term).collect()),
            denials,
            numbers,
            contexts: Bag::counted(contexts),
            spelled: Bag::counted(spelled),
        }
    }

    /// How a word is written.
    pub fn shape(&self, term: u32) -> Option<Shape> {
        let at = self.shapes.binary_search_by_key(&term, |(term, _)| *term).ok()?;
        self.shapes.get(at).map(|(_, shape)| *shape)
    }

    /// Whether it states a number.
    pub fn states_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Of a whole that is made of parts, in order, each with how much it counts.
    pub fn of_parts(parts: &[(&Self, f32)]) -> Self {
        let sum = |bag: fn(&Self) -> &Bag| {
            Bag::sum(parts.iter().map(|&(part, weight)| (bag(part), weight)))
        };
        let union = |bag: fn(&Self) -> &Bag, keep: fn(u32) -> bool| {
            Bag::union(parts.iter().map(|&(part, weight)| (bag(part), weight)), keep)
        };
        let counting = || parts.iter().filter(|(_, weight)| *weight > 0.0);
        let mut numbers: Vec<(Number, f32)> = counting()
            .flat_map(|(part, factor)| part.numbers.iter().map(move |(n, w)| (*n, w * factor)))
            .collect();
        numbers.sort_by_key(|(number, _)| number.key);
        let mut capitals: Vec<u32> =
            counting().flat_map(|(part, _)| part.capitals.iter().copied()).collect();
        let (content, openers) = (sum(|part| &part.content), sum(|part| &part.openers));
        // What several sentences begin with, and what never stands inside of one in lower case,
        // is a name.
        let repeated = openers
            .beside(&content)
            .filter(|(_, opening, all)| *opening > 1.5 && *all <= *opening + 0.01);
        capitals.extend(repeated.map(|(term, ..)| term));
        capitals.sort_unstable();
        capitals.dedup();
        let mut shapes: Vec<(u32, Shape)> =
            counting().flat_map(|(part, _)| part.shapes.iter().copied()).collect();
        shapes.sort_unstable_by_key(|(term, _)| *term);
        shapes.dedup_by_key(|(term, _)| *term);
        Self {
            terms: sum(|part| &part.terms),
            shingles: union(|part| &part.shingles, |_| true),
            grams: union(|part| &part.grams, is_looked_at),
            content,
            shapes,
            capitals,
            openers,
            lead: lead(parts),
            ending: parts.last().map(|(part, _)| part.ending.clone()).unwrap_or_default(),
            denials: counting().map(|(part, weight)| part.denials * weight).sum(),
            numbers,
            contexts: sum(|part| &part.contexts),
            spelled: sum(|part| &part.spelled),
        }
    }
}

/// Whether a gram is one of those that documents are compared by (Broder, 1997, section 4:
/// the sets modulo m).
pub(super) fn is_looked_at(gram: u32) -> bool {
    (gram.wrapping_mul(0x9E37_79B1) >> 8).is_multiple_of(GRAMS)
}

/// The leads of the first parts, until they are long enough.
fn lead(parts: &[(&Profile, f32)]) -> Bag {
    let mut length = 0.0;
    let leading = parts.iter().filter(|(_, weight)| *weight > 0.0).take_while(|(part, _)| {
        let is_short = length < LEAD as f32 / 3.0;
        length += part.terms.total();
        is_short
    });
    Bag::sum(leading.map(|(part, weight)| (&part.lead, *weight)))
}

/// Runs of bytes of the words, joined by spaces.
fn grams(words: &[Word<'_>]) -> Vec<u32> {
    let mut joined = Vec::with_capacity(words.iter().map(|word| word.folded.len() + 1).sum());
    for word in words {
        joined.extend_from_slice(word.folded.as_bytes());
        joined.push(b' ');
    }
    let gram = |run: &[u8]| run.iter().rev().fold(0, |gram, byte| (gram << 8) | u32::from(*byte));
    joined.windows(GRAM).map(gram).collect()
}

/// The words that are written with a capital though no sentence begins there; none where
/// most words are: capitals then tell nothing.
fn capitals(words: &[Word<'_>]) -> Vec<u32> {
    let inside = || {
        let starts = |word: &&Word<'_>| word.written.starts_with(char::is_alphabetic);
        words.iter().filter(|word| !word.opens_sentence).filter(starts)
    };
    let (all, capital) = (inside().count(), inside().filter(|word| is_capital(word)).count());
    if capital * 5 > all * 3 {
        return Vec::new();
    }
    let mut terms: Vec<u32> = inside()
        .filter(|word| is_capital(word))
        .filter(|word| !is_stopword(word) && !is_figure(word))
        .map(|word| word.term)
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

fn is_denial(word: &Word<'_>) -> bool {
    matches!(&*word.folded, "not" | "no" | "never" | "cannot") || word.folded.ends_with("n't")
}

fn is_capital(word: &Word<'_>) -> bool {
    word.written.starts_with(char::is_uppercase)
}
