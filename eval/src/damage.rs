//! What happens to a story on its way: damage that leaves it the same story.

use fastrand::Rng;

use crate::data::Story;

/// A way to damage a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// So many characters of a hundred are wrong, as optical recognition gets them wrong.
    Recognition(u8),
    FirstThird,
    LastThirdMissing,
    Reordered,
    Surrounded,
    Typography,
    Markup,
    Glued,
    Slip,
}

impl Damage {
    pub const ALL: [Self; 11] = [
        Self::Recognition(2),
        Self::Recognition(5),
        Self::Recognition(10),
        Self::FirstThird,
        Self::LastThirdMissing,
        Self::Reordered,
        Self::Surrounded,
        Self::Typography,
        Self::Markup,
        Self::Glued,
        Self::Slip,
    ];

    pub fn name(self) -> String {
        match self {
            Self::Recognition(percent) => format!("{percent}% of characters wrong"),
            Self::FirstThird => "first third only".to_owned(),
            Self::LastThirdMissing => "last third missing".to_owned(),
            Self::Reordered => "paragraphs reordered".to_owned(),
            Self::Surrounded => "headline and boilerplate added".to_owned(),
            Self::Typography => "quotes, dashes and case changed".to_owned(),
            Self::Markup => "markup left in".to_owned(),
            Self::Glued => "glued to another story".to_owned(),
            Self::Slip => "one digit wrong".to_owned(),
        }
    }

    /// Whether it can be done to a story so that there is something left to recognise.
    pub fn suits(self, story: &Story) -> bool {
        let paragraphs = story.paragraphs.len();
        match self {
            Self::FirstThird => story.words() >= 90 && paragraphs >= 3,
            Self::LastThirdMissing | Self::Reordered => paragraphs >= 3,
            Self::Slip => paragraphs >= 5 && numbers(story).next().is_some(),
            _ => story.words() >= 30,
        }
    }

    /// A damaged copy. `other` is what it may be glued to.
    pub fn done_to(self, rng: &mut Rng, story: &Story, other: &Story) -> Story {
        let mut damaged = story.clone();
        let paragraphs = &mut damaged.paragraphs;
        match self {
            Self::Recognition(percent) => {
                for paragraph in paragraphs.iter_mut() {
                    *paragraph = misread(rng, paragraph, f64::from(percent) / 100.0);
                }
                damaged.title = misread(rng, &damaged.title, f64::from(percent) / 100.0);
            }
            Self::FirstThird => keep_words(paragraphs, story.words() / 3),
            Self::LastThirdMissing => keep_words(paragraphs, story.words() * 2 / 3),
            Self::Reordered => rng.shuffle(paragraphs),
            Self::Surrounded => surround(rng, &mut damaged),
            Self::Typography => change_typography(rng, &mut damaged),
            Self::Markup => {
                for paragraph in paragraphs.iter_mut() {
                    *paragraph = marked_up(rng, paragraph);
                }
            }
            Self::Glued => {
                let at = if rng.bool() { 0 } else { paragraphs.len() };
                paragraphs.splice(at..at, other.paragraphs.iter().cloned());
            }
            Self::Slip => slip(rng, &mut damaged),
        }
        damaged
    }
}

/// Characters that recognition takes for others.
const CONFUSED: [(&str, &str); 24] = [
    ("l", "1"),
    ("1", "l"),
    ("O", "0"),
    ("0", "O"),
    ("e", "c"),
    ("c", "e"),
    ("rn", "m"),
    ("m", "rn"),
    ("h", "b"),
    ("b", "h"),
    ("n", "u"),
    ("u", "n"),
    ("i", "l"),
    ("I", "l"),
    ("s", "5"),
    ("5", "S"),
    ("B", "8"),
    ("8", "B"),
    ("a", "o"),
    ("o", "a"),
    ("f", "t"),
    ("t", "f"),
    ("g", "9"),
    (".", ","),
];

/// A text of which a share of the characters was read wrongly.
pub fn misread(rng: &mut Rng, text: &str, share: f64) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if rng.f64() >= share {
            out.push(character);
            continue;
        }
        match rng.u8(0..10) {
            0 => {}
            1 => out.extend([character, ' ']),
            2 => out.push(rng.lowercase()),
            _ => {
                let confused: Vec<&str> = CONFUSED
                    .iter()
                    .filter(|(from, _)| from.chars().eq([character]))
                    .map(|(_, to)| *to)
                    .collect();
                match rng.choice(confused) {
                    Some(wrong) => out.push_str(wrong),
                    None => out.push(rng.lowercase()),
                }
            }
        }
    }
    out
}

/// Keeps the paragraphs that so many words stand in, the last one cut.
pub fn keep_words(paragraphs: &mut Vec<String>, words: usize) {
    let mut left = words;
    for paragraph in paragraphs.iter_mut() {
        let count = paragraph.split_whitespace().count();
        if count > left {
            let kept: Vec<&str> = paragraph.split_whitespace().take(left).collect();
            *paragraph = kept.join(" ");
        }
        left = left.saturating_sub(count);
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
}

const BOILERPLATE: [&str; 6] = [
    "This story was distributed to subscribers of the general news service. Clients who take the \
     shorter file will receive a summary at the top of the hour.",
    "The agency maintains bureaus in more than one hundred cities and supplies text, pictures and \
     data to newspapers, broadcasters and banks.",
    "Editors: please note that all times in this item are local unless it is stated otherwise, \
     and that earlier items on the subject remain valid.",
    "Readers can follow developments through the day on the newspaper's own pages, where tables \
     and background are kept for reference.",
    "The desk can be reached around the clock by telephone and by telex; questions about delivery \
     go to the regional office.",
    "Items carried under this heading are selected by the business desk and appear in the late \
     edition as space allows.",
];

fn surround(rng: &mut Rng, story: &mut Story) {
    let headline = match story.title.is_empty() {
        true => "NEWS OF THE DAY".to_owned(),
        false => story.title.clone(),
    };
    story.paragraphs.insert(0, headline);
    let first = rng.usize(0..BOILERPLATE.len());
    let added = BOILERPLATE.iter().cycle().skip(first).take(rng.usize(1..=2));
    story.paragraphs.extend(added.map(|line| (*line).to_owned()));
}

fn change_typography(rng: &mut Rng, story: &mut Story) {
    let case = rng.u8(0..3);
    let change = |text: &str| {
        let text = text
            .replace('"', "''")
            .replace(" - ", " \u{2014} ")
            .replace('-', "\u{2013}")
            .replace('\'', "\u{2019}");
        match case {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            _ => text,
        }
    };
    story.paragraphs = story.paragraphs.iter().map(|text| change(text)).collect();
    story.title = change(&story.title);
}

fn marked_up(rng: &mut Rng, paragraph: &str) -> String {
    let words: Vec<String> = paragraph
        .split(' ')
        .map(|word| match rng.u8(0..25) {
            0 => format!("<b>{word}</b>"),
            1 => format!("<a href=\"/topic/{}\">{word}</a>", rng.u16(..)),
            2 => format!("{word}&nbsp;"),
            _ => word.to_owned(),
        })
        .collect();
    format!("<p class=\"body\">{}</p>", words.join(" "))
}

/// Places of digits that a slip could hit: paragraph and byte.
fn numbers(story: &Story) -> impl Iterator<Item = (usize, usize)> {
    story.paragraphs.iter().enumerate().flat_map(|(paragraph, text)| {
        let digits = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
        digits.map(move |(at, _)| (paragraph, at))
    })
}

fn slip(rng: &mut Rng, story: &mut Story) {
    let places: Vec<(usize, usize)> = numbers(story).collect();
    let Some((paragraph, at)) = rng.choice(places) else { return };
    let Some(text) = story.paragraphs.get_mut(paragraph) else { return };
    let digit = text.as_bytes().get(at).copied().unwrap_or(b'0');
    let other = (digit - b'0' + rng.u8(1..10)) % 10;
    text.replace_range(at..=at, &other.to_string());
}

/// A story told again by somebody who had it before them: words left out, put in another
/// order, and replaced by others. Sentences that would be left unchanged are often left out.
pub fn retold(rng: &mut Rng, story: &Story, other: &Story) -> Story {
    let strength = rng.f64() * 0.35 + 0.05;
    let others: Vec<&str> = other
        .paragraphs
        .iter()
        .flat_map(|paragraph| paragraph.split_whitespace())
        .filter(|word| word.chars().all(char::is_lowercase) && word.len() > 3)
        .collect();
    let mut retold = story.clone();
    for paragraph in &mut retold.paragraphs {
        let mut words: Vec<String> = Vec::new();
        for word in paragraph.split_whitespace() {
            let is_plain = word.chars().all(char::is_lowercase);
            match (is_plain && rng.f64() < strength, rng.u8(0..10)) {
                (false, _) => words.push(word.to_owned()),
                (true, 0..=3) => {}
                (true, 4..=5) => words.insert(words.len().saturating_sub(1), word.to_owned()),
                (true, _) => words.extend(rng.choice(&others).map(|other| (*other).to_owned())),
            }
        }
        if words.len() > 8 && rng.f64() < strength {
            let middle = words.len() / 2;
            words.rotate_left(middle);
        }
        *paragraph = words.join(" ");
    }
    retold.paragraphs.retain(|paragraph| !paragraph.is_empty());
    if retold.paragraphs.len() > 2 && rng.bool() {
        let kept = rng.usize(2..=retold.paragraphs.len());
        rng.shuffle(&mut retold.paragraphs);
        retold.paragraphs.truncate(kept);
    }
    retold
}

/// What an editor puts in the place of a fact: another number, quite another one.
pub fn other_number(rng: &mut Rng, text: &str) -> Option<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = text.find(is_digit)?;
    let end = text.get(start..)?.find(|c: char| !is_digit(c)).map_or(text.len(), |at| start + at);
    let old = text.get(start..end)?;
    let mut new = old.to_owned();
    while new == old {
        let first = rng.u8(1..10).to_string();
        let rest: String = (1..old.len()).map(|_| rng.u8(0..10).to_string()).collect();
        new = first + &rest;
    }
    Some(format!("{}{new}{}", text.get(..start)?, text.get(end..)?))
}
