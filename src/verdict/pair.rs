use std::collections::HashMap;

use crate::text::ContentHash;

use super::logistic::Features;
use super::overlap::{Numbers, Overlap, Words};
use super::profile::{Profile, is_looked_at};
use super::report::ReportPassage;
use super::{Comparison, Judge, Report, Verdict, compare};

/// Passages of the other document that each passage is compared with: those that share
/// most shingles with it.
const NEAREST: usize = 2;

/// Passages that a shingle may stand in and still tell passages apart.
const COMMON: usize = 32;

/// Hours between publications from which on more of them say nothing more.
const LONG: f32 = 30.0 * 24.0;

/// Words that a passage must have to say something of its own.
const SENTENCE: usize = 5;

/// Share of a passage's grams that stand in another document from which on it is not new.
const STANDS_THERE: f32 = 0.6;

/// Passages of the other document whose meaning is looked at for each passage.
const LOOKED_AT: usize = 256;

/// Cosine from which on a passage says in other words what another one says.
const IN_OTHER_WORDS: f32 = 0.8;

/// What a document is beside another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairVerdict {
    /// What it is.
    pub verdict: Verdict,
    /// Probability that it is a copy or a later version, 0 to 1.
    pub probability: f32,
}

/// The verdict on `document` had it come after `other` and nothing else: a pure function
/// of the two.
pub fn judge_pair(judge: &Judge, document: &Report, other: &Report) -> PairVerdict {
    let pair = Pair::of(document, other);
    let is_text_same = document.reporting_hash == other.reporting_hash;
    if is_text_same && !(pair.is_short() && (pair.is_about_another() || pair.is_another_time())) {
        return PairVerdict { verdict: Verdict::ExactDuplicate, probability: 1.0 };
    }
    // Where all of one is furniture, there is nothing to compare.
    if pair.overlap.length == 0.0 {
        return PairVerdict { verdict: Verdict::New, probability: 0.0 };
    }
    let parameters = judge.parameters(pair.cosine.is_some());
    let probability = parameters.document.probability(&pair.document_features());
    let is_update = || {
        let features = pair.update_features(document, other);
        parameters.update.probability(&features) >= parameters.update.threshold
    };
    let verdict = match probability >= parameters.document.threshold {
        false => Verdict::New,
        true if is_update() => Verdict::Update,
        true => Verdict::NearDuplicate,
    };
    PairVerdict { verdict, probability }
}

/// Two documents compared. The same whichever comes first, but for what is added.
struct Pair {
    overlap: Overlap,
    headlines: Option<Headlines>,
    leads: Leads,
    hours_apart: Option<f32>,
    cosine: Option<f32>,
}

impl Pair {
    fn of(document: &Report, other: &Report) -> Self {
        let published = document.published_at.zip(other.published_at);
        let vectors = document.vector.as_ref().zip(other.vector.as_ref());
        Self {
            overlap: Overlap::of(&document.whole, &other.whole),
            headlines: Headlines::of(document, other),
            leads: Leads::of(document, other),
            hours_apart: published
                .map(|(a, b)| (a.duration_since(b).as_secs_f32().abs() / 3_600.0).min(LONG)),
            cosine: vectors.map(|(a, b)| a.cosine(b)),
        }
    }

    /// Whether the text is too short to say by itself what it is about.
    fn is_short(&self) -> bool {
        const SHORT: f32 = 60.0;
        self.overlap.length < SHORT
    }

    /// Whether the headlines name what the texts do not, and name something else: "Qtly div 10
    /// cts, pay April 15" is not the same under two companies' names.
    fn is_about_another(&self) -> bool {
        const ANOTHER: f32 = 0.3;
        self.headlines.as_ref().is_some_and(|headlines| headlines.replaced >= ANOTHER)
    }

    /// Whether so much time lies between the two that the same words report something that
    /// happened again: "the bank left its rates unchanged after today's meeting". A text
    /// without a headline is no report by itself: there the letters alone count.
    fn is_another_time(&self) -> bool {
        const AGAIN: f32 = 60.0;
        self.headlines.is_some() && self.hours_apart.is_some_and(|hours| hours >= AGAIN)
    }

    /// What the probability of a copy or update is computed from.
    fn document_features(&self) -> Features {
        let overlap = &self.overlap;
        let mut features = vec![
            ("length", overlap.length.ln_1p()),
            ("containment", overlap.containment),
            ("resemblance", overlap.resemblance),
            ("words", overlap.words),
            ("grams", overlap.grams.of_smaller),
            ("plain", overlap.plain.of_smaller),
            ("misspelt", overlap.misspelt),
            ("words_replaced", overlap.words_apart.replaced().ln_1p()),
            ("numbers_shared", overlap.numbers_shared.ln_1p()),
            ("numbers_replaced", overlap.numbers_apart.replaced().ln_1p()),
            ("numbers_in_place", overlap.numbers_in_place),
            ("numberless", f32::from(u8::from(!overlap.both_state_numbers))),
            ("protagonist_replaced", overlap.protagonists_apart.replaced()),
            ("leads", self.leads.resemblance),
            ("lead_least", self.leads.least),
        ];
        features.extend(self.leads.cosine.map(|cosine| ("lead_cosine", cosine)));
        if let Some(headlines) = &self.headlines {
            features.push(("headlines", headlines.resemblance));
            features.push(("subject_replaced", headlines.replaced));
            features
                .push(("first_word_replaced", f32::from(u8::from(headlines.is_first_replaced))));
        }
        features.push(match self.hours_apart {
            Some(hours) => ("hours_apart", hours.ln_1p()),
            None => ("undated", 1.0),
        });
        features.extend(self.cosine.map(|cosine| ("cosine", cosine)));
        features
    }

    /// What the probability of an update is computed from, given that it is one or a copy.
    fn update_features(&self, document: &Report, other: &Report) -> Features {
        let overlap = &self.overlap;
        let added = Added::of(document, other);
        let lead = Changed::of(document, other);
        vec![
            ("words_added", added.words.ln_1p()),
            ("related_words_added", added.related.ln_1p()),
            ("share_added", added.words / document.whole.terms.total().max(1.0)),
            ("grams_missing", 1.0 - overlap.grams.of_smaller),
            ("numbers_added", overlap.numbers_apart.first.ln_1p()),
            ("numbers_replaced", overlap.numbers_apart.replaced().ln_1p()),
            ("names_replaced", overlap.names_apart.replaced().ln_1p()),
            ("lead_numbers_replaced", lead.numbers.ln_1p()),
            ("lead_names_replaced", lead.names.ln_1p()),
            ("slip", f32::from(u8::from(self.is_a_slip(document, other)))),
        ]
    }

    /// Whether all that differs in numbers is what a slip of a finger makes: one digit of
    /// one number in a longer text, mended by the same outlet within hours.
    fn is_a_slip(&self, document: &Report, other: &Report) -> bool {
        const SOON: f32 = 6.0;
        const LONGER: usize = 5;
        let paragraphs = document.reporting().count().min(other.reporting().count());
        self.overlap.is_a_digit_off
            && document.source == other.source
            && self.hours_apart.is_none_or(|hours| hours <= SOON)
            && paragraphs >= LONGER
    }
}

/// Facts at the start of two documents of which each lacks the other one's.
struct Changed {
    numbers: f32,
    names: f32,
}

impl Changed {
    fn of(document: &Report, other: &Report) -> Self {
        // What one says first, the other one says nowhere; what that one says first, this one
        // does not say first.
        let (first, others) = (document.lead(), other.lead());
        let ways = [(&first, &others, &other.whole), (&others, &first, &document.whole)];
        let replaced = |missing: fn(&Profile, &Profile) -> f32| {
            let ways =
                ways.map(|(lead, other, whole)| missing(lead, whole).min(missing(other, lead)));
            ways.into_iter().fold(0.0, f32::max)
        };
        Self {
            numbers: replaced(|one, other| Numbers::of(one, other).apart.first),
            names: replaced(|one, other| Words::of(one, other).names_apart.first),
        }
    }
}

/// How two headlines compare.
struct Headlines {
    /// Jaccard resemblance of their words, 0 to 1.
    resemblance: f32,
    /// Lower one of the two shares of their words that the other document has nowhere.
    replaced: f32,
    /// The other document has the first word of neither one. It often names whom the report is
    /// about.
    is_first_replaced: bool,
}

impl Headlines {
    fn of(document: &Report, other: &Report) -> Option<Self> {
        let is_missing_in = |other: &Report, term: u32| {
            other.title.weight(term) == 0.0 && other.whole.terms.weight(term) == 0.0
        };
        let missing = |one: &Report, other: &Report| {
            let missing = one.title.terms().filter(|term| is_missing_in(other, *term)).count();
            (one.title.total() > 0.0).then(|| missing as f32 / one.title.total())
        };
        let (mine, theirs) = missing(document, other).zip(missing(other, document))?;
        let is_first_missing = |one: &Report, other: &Report| {
            one.title_first.is_some_and(|(term, shape)| {
                is_missing_in(other, term)
                    && !other.title_first.is_some_and(|(_, other)| shape.is_like(other))
            })
        };
        Some(Self {
            resemblance: document.title.resemblance(&other.title),
            replaced: mine.min(theirs),
            is_first_replaced: is_first_missing(document, other)
                && is_first_missing(other, document),
        })
    }
}

/// How what comes first in two documents compares: a story on another event may share its
/// background, but not its lead.
struct Leads {
    /// Jaccard resemblance of their words, 0 to 1.
    resemblance: f32,
    /// How much of the lead of one stands in the other one, whichever is less, 0 to 1.
    least: f32,
    /// Cosine of the first passages.
    cosine: Option<f32>,
}

impl Leads {
    fn of(document: &Report, other: &Report) -> Self {
        let (a, b) = (&document.whole, &other.whole);
        let first = |report: &Report| {
            let mut counting = report.reporting().filter(|(_, passage)| passage.counts() > 0.0);
            counting.find_map(|(_, passage)| passage.windows.clone())
        };
        let contained = |one: &Profile, other: &Profile| one.lead.contained_in(&other.terms);
        Self {
            resemblance: a.lead.resemblance(&b.lead),
            least: contained(a, b).min(contained(b, a)),
            cosine: first(document).zip(first(other)).map(|(a, b)| a.cosine(&b)),
        }
    }
}

/// What a document says that another one does not.
#[derive(Default)]
struct Added {
    /// Words in its passages.
    words: f32,
    /// How many of them are about what the document is about.
    related: f32,
}

impl Added {
    /// A passage says what another document says, in these words or others, if most of it
    /// stands there or if one of its passages means the same.
    fn of(document: &Report, other: &Report) -> Self {
        let mut added = Self::default();
        for (_, passage) in document.reporting() {
            let words = passage.weight * passage.text.words as f32;
            if passage.text.words < SENTENCE || words == 0.0 || is_said(passage, other) {
                continue;
            }
            added.words += words;
            added.related += words * relatedness(passage, other);
        }
        added
    }
}

/// How far a passage is about what a document is about, 0 to 1. Boilerplate is about
/// something else.
fn relatedness(passage: &ReportPassage, document: &Report) -> f32 {
    /// Cosines of a passage and the mean of a document that it does not belong to, and that
    /// it does.
    const APART: f32 = 0.15;
    const TOGETHER: f32 = 0.45;
    let cosines = passage.windows.as_ref().zip(document.vector.as_ref()).map(|(windows, mean)| {
        windows.vectors().iter().map(|vector| vector.cosine(mean)).fold(-1.0, f32::max)
    });
    cosines.map_or(0.5, |cosine| ((cosine - APART) / (TOGETHER - APART)).clamp(0.0, 1.0))
}

fn is_said(passage: &ReportPassage, other: &Report) -> bool {
    let known = |gram: &u32| other.whole.grams.weight(*gram) > 0.0;
    let looked_at = passage.text.profile.grams.terms().filter(|gram| is_looked_at(*gram));
    let (all, there) =
        looked_at.fold((0, 0), |(all, there), gram| (all + 1, there + usize::from(known(&gram))));
    let in_other_words = || {
        let windows = passage.windows.as_ref();
        let others = other.reporting().filter_map(|(_, other)| other.windows.as_ref());
        let mut others = others.take(LOOKED_AT);
        windows.is_some_and(|windows| others.any(|other| windows.cosine(other) >= IN_OTHER_WORDS))
    };
    there as f32 >= STANDS_THERE * all as f32 || in_other_words()
}

/// The passages of a document that are beside those of another one, each with the index of
/// its own passage, the index of the other one's, and how they compare.
pub fn compare_passages(
    judge: &Judge,
    document: &Report,
    other: &Report,
) -> Vec<(usize, usize, Comparison)> {
    let index = Shared::of(other);
    let mut compared = Vec::new();
    for (place, passage) in document.reporting() {
        for there in index.nearest(passage) {
            let Some(matched) = other.passages.get(there) else { continue };
            let windows = passage.windows.as_ref().zip(matched.windows.as_ref());
            let cosine = windows.map(|(a, b)| a.cosine(b));
            compared.push((place, there, compare(judge, &passage.text, &matched.text, cosine)));
        }
    }
    compared
}

/// Which passages of a document hold a shingle, and which say a text.
struct Shared {
    holders: HashMap<u32, Vec<usize>>,
    exact: HashMap<ContentHash, usize>,
}

impl Shared {
    fn of(report: &Report) -> Self {
        let mut shared = Self { holders: HashMap::new(), exact: HashMap::new() };
        for (place, passage) in report.reporting() {
            shared.exact.entry(passage.text.hash).or_insert(place);
            for shingle in passage.text.shingles().terms() {
                let holders = shared.holders.entry(shingle).or_default();
                if holders.len() < COMMON {
                    holders.push(place);
                }
            }
        }
        shared
    }

    /// The passages that are likest to one of another document.
    fn nearest(&self, passage: &ReportPassage) -> Vec<usize> {
        if let Some(&same) = self.exact.get(&passage.text.hash) {
            return vec![same];
        }
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for shingle in passage.text.shingles().terms() {
            for &place in self.holders.get(&shingle).into_iter().flatten() {
                *shared.entry(place).or_default() += 1;
            }
        }
        let mut places: Vec<(usize, usize)> = shared.into_iter().collect();
        places.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
        places.into_iter().map(|(place, _)| place).take(NEAREST).collect()
    }
}

/// The features that the parameters weigh, of two documents.
pub fn features(document: &Report, other: &Report) -> PairFeatures {
    let pair = Pair::of(document, other);
    PairFeatures {
        document: pair.document_features(),
        update: pair.update_features(document, other),
    }
}

/// What the probabilities of a pair are computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct PairFeatures {
    /// That it is a copy or a later version.
    pub document: Features,
    /// That it is a later version, if it is either.
    pub update: Features,
}

#[cfg(test)]
mod tests {
    use super::judge_pair;
    use crate::verdict::report::tests::{report, titled};
    use crate::verdict::{Judge, Verdict};
    use jiff::Timestamp;

    const STORY: [&str; 4] = [
        "Harper Steel Corp said it will close its rolling mill in Duluth, Minnesota, on June 30 and \
         lay off 1,240 workers because of a fall in orders from car makers.",
        "The company took a charge of 86.5 mln dlrs against earnings in the second quarter, after a \
         loss of 12.3 mln dlrs a year earlier.",
        "Union officials said they had not been told before the announcement and would ask a judge \
         to delay the closing until talks are held.",
        "Chairman Robert Lane told reporters that no other plants would be shut this year.",
    ];

    fn verdict(document: &[&str], other: &[&str]) -> Verdict {
        judge_pair(&Judge::of("unheard-of/f32"), &report(document), &report(other)).verdict
    }

    #[test]
    fn the_order_of_arrival_tells_a_cut_from_an_update() {
        let (long, short) = (STORY, &STORY[..2]);
        assert_eq!(verdict(short, &long), Verdict::NearDuplicate);
        assert_eq!(verdict(&long, short), Verdict::Update);
        assert_eq!(verdict(&long, &long), Verdict::ExactDuplicate);
    }

    #[test]
    fn damage_and_clean_ups_leave_a_copy() {
        let damage = |text: &str| text.replace("er", "cr").replace("ll", "l1");
        let damaged: Vec<String> = STORY.iter().map(|text| damage(text)).collect();
        let damaged: Vec<&str> = damaged.iter().map(String::as_str).collect();
        assert_eq!(verdict(&damaged, &STORY), Verdict::NearDuplicate);
        let marked: Vec<String> = STORY.iter().map(|text| format!("<p>{text}</p>")).collect();
        let marked: Vec<&str> = marked.iter().map(String::as_str).collect();
        assert_eq!(verdict(&marked, &STORY), Verdict::NearDuplicate);
        let reordered = [STORY[2], STORY[0], STORY[3], STORY[1]];
        assert_eq!(verdict(&reordered, &STORY), Verdict::NearDuplicate);
    }

    #[test]
    fn the_same_template_about_another_day_or_company_is_new() {
        let balances = |day: &str, a: &str, b: &str| {
            format!(
                "Treasury balances at the Federal Reserve rose on {day} to {a} billion dlrs from \
                 {b} billion dlrs on the previous business day, the Treasury said in its latest \
                 budget statement."
            )
        };
        let march = balances("March 12", "3.083", "2.906");
        let october = balances("October 16", "12.813", "9.985");
        assert_eq!(verdict(&[&october], &[&march]), Verdict::New);
        let bond = |company: &str, amount: &str, coupon: &str| {
            format!(
                "{company} is raising {amount} mln dlrs through an offering of debentures due 2017 \
                 with a {coupon} pct coupon and par pricing, said lead manager Drexel Burnham \
                 Lambert Inc. {company} said it will use the proceeds to repay debt."
            )
        };
        let (one, other) =
            (bond("Oakwood Homes", "25", "6-1/2"), bond("Micropolis", "75", "9-3/8"));
        assert_eq!(verdict(&[&other], &[&one]), Verdict::New);
    }

    #[test]
    fn a_short_text_is_exactly_the_same_only_under_its_own_name_and_in_its_own_days() {
        let verdict = |title: &str, day: i64, other_title: &str, other_day: i64, text: &str| {
            let at = |day: i64| Timestamp::from_second(541_000_000 + 86_400 * day).ok();
            let document = titled(title, at(day), &[text]);
            let other = titled(other_title, at(other_day), &[text]);
            judge_pair(&Judge::of("unheard-of/f32"), &document, &other).verdict
        };
        let dividend = "Qtly div 10 cts vs 10 cts prior. Pay April 15, record March 31.";
        let (unum, noland) = ("UNUM CORP <UNM> SETS QUARTERLY", "NOLAND CO <NOLD> SETS QUARTERLY");
        assert_eq!(verdict(unum, 1, unum, 0, dividend), Verdict::ExactDuplicate);
        assert_ne!(verdict(noland, 1, unum, 0, dividend), Verdict::ExactDuplicate);
        let unchanged = "The bank left credit policies unchanged after today's meeting of its \
                         council, a spokesman said in answer to enquiries.";
        let title = "BUNDESBANK LEAVES CREDIT POLICIES UNCHANGED";
        assert_eq!(verdict(title, 1, title, 0, unchanged), Verdict::ExactDuplicate);
        assert_ne!(verdict(title, 14, title, 0, unchanged), Verdict::ExactDuplicate);
        let long = STORY.join(" ");
        assert_eq!(verdict(noland, 14, unum, 0, &long), Verdict::ExactDuplicate);
    }

    #[test]
    fn another_story_is_new() {
        let other =
            ["Fishermen in the northern harbour have been on strike over quotas since last \
                      week, and the minister has invited both sides to talks in the capital."];
        assert_eq!(verdict(&other, &STORY), Verdict::New);
        assert_eq!(verdict(&[], &STORY), Verdict::New);
    }
}
