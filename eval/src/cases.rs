//! Pairs of documents of which it is known what one is beside the other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use copydesk::verdict::Verdict;
use fastrand::Rng;

use crate::damage::{Damage, keep_words, misread, other_number, retold as retold_story};
use crate::data::{self, Failure, Story};

/// Damaged stories of each kind.
const OF_EACH_KIND: usize = 96;

/// Cases of a copy or update of each kind.
const OF_EACH_CHANGE: usize = 50;

/// Pairs of reports on different companies.
const TICKERS: usize = 150;

/// Stories beside their likest from other days.
const STRANGERS: usize = 600;

/// Stories beside any others.
const UNRELATED: usize = 400;

/// Passages that are cut.
const CUTS: usize = 400;

/// Stories told again, and as many independent reports.
const RETOLD: usize = 150;

/// Days between two stories from which on one of them is no copy of the other one.
const LONG_AFTER: f64 = 3.0;

/// Two documents, and what the second one is beside the first one.
#[derive(Debug, Clone)]
pub struct Case {
    pub task: Task,
    /// What was done to it, or what people called it.
    pub kind: String,
    pub left: Story,
    pub right: Story,
    pub truth: Verdict,
    /// Cases that have a story in common have the same group.
    pub group: String,
}

/// What a case is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Reuters stories that share text.
    Pairs,
    /// Damaged stories, and as many others.
    Damage,
    /// Answers that were rewritten from a text, and independent ones.
    Rewriting,
    /// Copies and updates that were made.
    Changes,
    /// Stories told again, and independent reports of the same event. Only to fit on.
    Retold,
    /// Short reports in the same words on companies with other ticker symbols.
    Tickers,
    /// Stories that share most words with one that came days before or after. Only to fit on.
    Strangers,
    /// Stories of the stream beside their likest, read and labelled.
    Likest,
    /// Any two stories, or parts of them. Only to fit on.
    Unrelated,
}

impl Case {
    pub fn is_same(&self) -> bool {
        self.truth != Verdict::New
    }
}

/// All cases of all tasks.
pub fn all(data: &Path, seed: u64) -> Result<Vec<Case>, Failure> {
    let stream = data::reuters(data)?;
    let pairs = pairs(data, &stream)?;
    let labelled: HashSet<&str> =
        pairs.iter().flat_map(|case| [case.left.id.as_str(), case.right.id.as_str()]).collect();
    let unlabelled: Vec<Story> =
        stream.into_iter().filter(|story| !labelled.contains(story.id.as_str())).collect();
    let mut rng = Rng::with_seed(seed);
    let damage = damage(&mut rng, &pairs, &unlabelled);
    let changes = changes(&mut rng, &unlabelled);
    let retold = retold(&mut rng, &unlabelled, &data::wikinews(data)?);
    let strangers = strangers(&mut rng, &unlabelled);
    let tickers = tickers(&mut rng, &unlabelled);
    let unrelated = unrelated(&mut rng, &unlabelled);
    Ok([pairs, damage, rewriting(data)?, changes, retold, tickers, strangers, unrelated].concat())
}

/// Pairs that were read and labelled.
fn pairs(data: &Path, stream: &[Story]) -> Result<Vec<Case>, Failure> {
    let pairs = data::reuters_pairs(data)?;
    let likest = data::likest(stream)?;
    let mut groups = Groups::default();
    for pair in pairs.iter().chain(&likest) {
        groups.join(&pair.a.id, &pair.b.id);
    }
    let case = |task: Task, pair: data::StoryPair| Case {
        task,
        truth: match pair.label.as_str() {
            "DUP" => Verdict::NearDuplicate,
            "UPDATE" => Verdict::Update,
            _ => Verdict::New,
        },
        group: groups.of(&pair.a.id),
        kind: pair.label,
        left: pair.a,
        right: pair.b,
    };
    let pairs = pairs.into_iter().map(|pair| case(Task::Pairs, pair));
    Ok(pairs.chain(likest.into_iter().map(|pair| case(Task::Likest, pair))).collect())
}

fn rewriting(data: &Path) -> Result<Vec<Case>, Failure> {
    let rows = data::clough_stevenson(data)?;
    let originals: BTreeMap<&str, Story> = rows
        .iter()
        .filter(|row| row.category == "orig")
        .map(|row| (row.task.as_str(), row.story()))
        .collect();
    let case = |row: &data::Rewriting| {
        Some(Case {
            task: Task::Rewriting,
            kind: row.category.clone(),
            left: originals.get(row.task.as_str())?.clone(),
            right: row.story(),
            truth: if row.category == "non" { Verdict::New } else { Verdict::NearDuplicate },
            group: format!("task {}", row.task),
        })
    };
    Ok(rows.iter().filter(|row| row.category != "orig").filter_map(case).collect())
}

/// Stories damaged in all ways, and as many pairs of different stories of which one is
/// damaged in the same ways.
fn damage(rng: &mut Rng, pairs: &[Case], stream: &[Story]) -> Vec<Case> {
    let templates: Vec<(Story, Story, String)> = pairs
        .iter()
        .filter(|case| case.task == Task::Pairs && !case.is_same())
        .map(|case| (case.left.clone(), case.right.clone(), case.group.clone()))
        .collect();
    let others = look_alikes(rng, stream);
    let mut cases = Vec::new();
    for kind in Damage::ALL {
        let suitable: Vec<&Story> = stream.iter().filter(|story| kind.suits(story)).collect();
        for _ in 0..OF_EACH_KIND {
            let (Some(story), Some(other)) = (rng.choice(&suitable), rng.choice(stream)) else {
                continue;
            };
            let damaged = kind.done_to(rng, story, other);
            let damaged = later(rng, damaged, kind);
            cases.push(Case {
                task: Task::Damage,
                kind: kind.name(),
                left: (*story).clone(),
                right: damaged,
                truth: Verdict::NearDuplicate,
                group: story.id.clone(),
            });
        }
        for index in 0..OF_EACH_KIND {
            let from = if index % 2 == 0 { &templates } else { &others };
            let (Some((left, right, group)), Some(other)) = (rng.choice(from), rng.choice(stream))
            else {
                continue;
            };
            let right = match kind.suits(right) {
                true => kind.done_to(rng, right, other),
                false => Damage::Recognition(2).done_to(rng, right, other),
            };
            cases.push(Case {
                task: Task::Damage,
                kind: kind.name(),
                left: left.clone(),
                right,
                truth: Verdict::New,
                group: group.clone(),
            });
        }
    }
    cases
}

/// A copy comes in within hours, or nobody says when.
fn later(rng: &mut Rng, mut story: Story, kind: Damage) -> Story {
    let minutes = match kind {
        Damage::Slip => rng.i64(1..360),
        _ => 10_i64.pow(rng.u32(0..4)) * rng.i64(1..10),
    };
    let later = jiff::SignedDuration::from_mins(minutes);
    story.published_at = story.published_at.and_then(|at| at.checked_add(later).ok());
    if kind != Damage::Slip && rng.u8(0..4) == 0 {
        story.published_at = None;
    }
    story
}

/// Different stories that sound alike: most of the words of their headlines are the same,
/// and days lie between them.
fn look_alikes(rng: &mut Rng, stream: &[Story]) -> Vec<(Story, Story, String)> {
    let mut by_word: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, story) in stream.iter().enumerate() {
        for word in story.title.split_whitespace() {
            by_word.entry(word.to_lowercase()).or_default().push(index);
        }
    }
    let mut order: Vec<&Story> = stream.iter().filter(|story| story.words() >= 40).collect();
    rng.shuffle(&mut order);
    let mut found = Vec::new();
    for story in order {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let words: HashSet<String> =
            story.title.split_whitespace().map(str::to_lowercase).collect();
        for word in &words {
            for &index in by_word.get(word).into_iter().flatten() {
                *shared.entry(index).or_default() += 1;
            }
        }
        let alike = shared.iter().filter(|(_, count)| **count * 5 >= words.len() * 3);
        let alike = alike.filter_map(|(index, _)| stream.get(*index)).filter(|other| {
            let apart = days_apart(story, other);
            other.words() >= 40 && apart.is_some_and(|days| days >= LONG_AFTER)
        });
        if let Some(other) = rng.choice(alike.collect::<Vec<_>>()) {
            found.push((story.clone(), other.clone(), story.id.clone()));
        }
        if found.len() >= OF_EACH_KIND * 4 {
            break;
        }
    }
    found
}

/// Copies and updates: paragraphs added and facts of the lead changed, against cuts and
/// clean-ups.
fn changes(rng: &mut Rng, stream: &[Story]) -> Vec<Case> {
    let long: Vec<&Story> =
        stream.iter().filter(|story| story.paragraphs.len() >= 3 && story.words() >= 45).collect();
    let numbered: Vec<&Story> = long
        .iter()
        .copied()
        .filter(|story| story.paragraphs.first().is_some_and(|lead| lead.contains(is_digit)))
        .collect();
    let mut cases = Vec::new();
    let mut push = |rng: &mut Rng, kind: &str, left: Story, right: Story, truth| {
        let right = later(rng, right, Damage::Typography);
        let group = left.id.clone();
        let kind = kind.to_owned();
        cases.push(Case { task: Task::Changes, kind, left, right, truth, group });
    };
    for index in 0..OF_EACH_CHANGE {
        let Some(story) = rng.choice(&long).copied() else { break };
        let mut shorter = story.clone();
        let kept = rng.usize(1..story.paragraphs.len());
        shorter.paragraphs.truncate(kept);
        push(rng, "paragraphs added", shorter.clone(), story.clone(), Verdict::Update);
        let Some(story) = rng.choice(&long).copied() else { break };
        let mut shorter = story.clone();
        match index % 2 {
            0 => shorter.paragraphs.truncate(rng.usize(1..story.paragraphs.len())),
            _ => keep_words(&mut shorter.paragraphs, story.words() * rng.usize(40..90) / 100),
        }
        push(rng, "cut", story.clone(), shorter, Verdict::NearDuplicate);
        let Some(story) = rng.choice(&numbered).copied() else { break };
        let mut changed = story.clone();
        if let Some(lead) = changed.paragraphs.first_mut()
            && let Some(other) = other_number(rng, lead)
        {
            *lead = other;
        }
        push(rng, "lead fact changed", story.clone(), changed, Verdict::Update);
        let Some(story) = rng.choice(&long).copied() else { break };
        let (before, after) = cleaned_up(rng, story, index);
        push(rng, "cleaned up", before, after, Verdict::NearDuplicate);
    }
    cases
}

/// Stories of the stream beside those that share most rare words with them and came days before
/// or after: an agency does not send a story again after so long, but it writes in the same
/// words about the same matters every week.
fn strangers(rng: &mut Rng, stream: &[Story]) -> Vec<Case> {
    let words = |story: &Story| -> HashSet<String> {
        let text = story.paragraphs.join(" ").to_lowercase();
        text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
    };
    let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, story) in stream.iter().enumerate() {
        for word in words(story) {
            by_word.entry(word).or_default().push(index);
        }
    }
    let mut cases = Vec::new();
    while cases.len() < STRANGERS {
        let Some(story) = rng.choice(stream) else { break };
        if story.words() < 10 {
            continue;
        }
        let mut own: Vec<String> = words(story).into_iter().collect();
        own.sort_unstable();
        let mut shared: HashMap<usize, f64> = HashMap::new();
        for word in own {
            let holders = by_word.get(&word).map(Vec::as_slice).unwrap_or_default();
            if holders.len() < stream.len() / 10 {
                let rarity = (stream.len() as f64 / holders.len().max(1) as f64).ln();
                holders.iter().for_each(|index| *shared.entry(*index).or_default() += rarity);
            }
        }
        let mut likest: Vec<(usize, &Story, f64)> = shared
            .into_iter()
            .filter_map(|(index, score)| Some((index, stream.get(index)?, score)))
            .filter(|(_, other, _)| days_apart(story, other).is_some_and(|d| d >= LONG_AFTER))
            .map(|(index, other, score)| (index, other, score / (20.0 + other.words() as f64)))
            .collect();
        likest.sort_by(|(a, _, x), (b, _, y)| y.total_cmp(x).then(a.cmp(b)));
        likest.truncate(2);
        if let Some((_, other, _)) = rng.choice(likest) {
            let (left, right) = match other.published_at < story.published_at {
                true => (other, story),
                false => (story, other),
            };
            cases.push(Case {
                task: Task::Strangers,
                kind: "days apart".to_owned(),
                left: left.clone(),
                right: right.clone(),
                truth: Verdict::New,
                group: story.id.clone(),
            });
        }
    }
    cases
}

/// Any two stories, every second one cut to its first paragraphs, every third one without a
/// headline: what has nothing in common is not the same either.
fn unrelated(rng: &mut Rng, stream: &[Story]) -> Vec<Case> {
    let mut part = |number: usize| {
        let mut story = rng.choice(stream)?.clone();
        if number.is_multiple_of(2) {
            story.paragraphs.truncate(rng.usize(1..4));
        }
        if number.is_multiple_of(3) {
            story.title.clear();
        }
        Some(story)
    };
    let case = |number: usize| {
        let (left, right) = (part(number)?, part(number / 2)?);
        Some(Case {
            task: Task::Unrelated,
            kind: "any other".to_owned(),
            group: left.id.clone(),
            truth: Verdict::New,
            left,
            right,
        })
    };
    (0..UNRELATED).filter_map(case).filter(|case| case.left.id != case.right.id).collect()
}

fn days_apart(a: &Story, b: &Story) -> Option<f64> {
    let (a, b) = a.published_at.zip(b.published_at)?;
    Some(a.duration_since(b).as_secs_f64().abs() / 86_400.0)
}

/// Reports that begin alike and are about different companies, as their headlines' ticker
/// symbols tell.
fn tickers(rng: &mut Rng, stream: &[Story]) -> Vec<Case> {
    let ticker = |story: &Story| -> Option<String> {
        let (_, rest) = story.title.split_once('<')?;
        rest.split_once('>').map(|(ticker, _)| ticker.to_owned())
    };
    let mut alike: BTreeMap<String, Vec<&Story>> = BTreeMap::new();
    for story in stream.iter().filter(|story| (4..60).contains(&story.words())) {
        let text = story.paragraphs.join(" ").to_lowercase();
        let words = text.split_whitespace().filter(|word| !word.contains(is_digit));
        let opening: Vec<&str> = words.take(4).collect();
        if ticker(story).is_some() {
            alike.entry(opening.join(" ")).or_default().push(story);
        }
    }
    let groups: Vec<Vec<&Story>> = alike.into_values().filter(|group| group.len() > 3).collect();
    let mut cases = Vec::new();
    while cases.len() < TICKERS {
        let Some(group) = rng.choice(&groups) else { break };
        let (Some(a), Some(b)) = (rng.choice(group), rng.choice(group)) else { break };
        if ticker(a) != ticker(b) {
            cases.push(Case {
                task: Task::Tickers,
                kind: "another company".to_owned(),
                left: (*a).clone(),
                right: (*b).clone(),
                truth: Verdict::New,
                group: a.id.clone(),
            });
        }
    }
    cases
}

/// Passages of the stream and what is left of them after a cut: the same, though the one says
/// less.
pub fn cut_passages(data: &Path, seed: u64) -> Result<Vec<data::Sentences>, Failure> {
    let mut rng = Rng::with_seed(seed);
    let stream = data::reuters(data)?;
    let mut cuts = Vec::new();
    while cuts.len() < CUTS {
        let Some(story) = rng.choice(&stream) else { break };
        let Some(passage) = rng.choice(&story.paragraphs) else { continue };
        let words: Vec<&str> = passage.split_whitespace().collect();
        if words.len() < 14 || words.len() > 120 {
            continue;
        }
        let left_out = rng.usize(words.len() / 8..words.len() / 2);
        let from =
            if rng.bool() { words.len() - left_out } else { rng.usize(1..words.len() - left_out) };
        let kept = words.iter().take(from).chain(words.iter().skip(from + left_out));
        let cut = kept.copied().collect::<Vec<_>>().join(" ");
        let (s1, s2) = if rng.bool() { (passage.clone(), cut) } else { (cut, passage.clone()) };
        cuts.push(data::Sentences { label: 1, id1: format!("cut {}", story.id), s1, s2 });
    }
    Ok(cuts)
}

/// Stories that were told again, and short texts that were edited, of which nothing else is
/// known, and independent reports of one event.
fn retold(rng: &mut Rng, stream: &[Story], cited: &[data::Cited]) -> Vec<Case> {
    let bare = |story: Story| Story { title: String::new(), published_at: None, ..story };
    let long: Vec<&Story> = stream.iter().filter(|story| story.words() >= 120).collect();
    let mut cases = Vec::new();
    for _ in 0..RETOLD {
        let (Some(story), Some(other)) = (rng.choice(&long), rng.choice(&long)) else { break };
        cases.push(Case {
            task: Task::Retold,
            kind: "told again".to_owned(),
            left: bare((*story).clone()),
            right: bare(retold_story(rng, story, other)),
            truth: Verdict::NearDuplicate,
            group: story.id.clone(),
        });
    }
    for number in 0..RETOLD {
        let Some(story) = rng.choice(stream) else { break };
        let mut short = Story { title: String::new(), published_at: None, ..story.clone() };
        short.paragraphs.truncate(1 + number % 2);
        let Some(last) = short.paragraphs.last() else { continue };
        let words: Vec<&str> = last.split_whitespace().collect();
        if words.len() < 6 {
            continue;
        }
        // A word is left out, or some are added to the end.
        let edited = match number % 3 {
            0 => [last, ", it said"].concat(),
            1 => {
                let others = words.iter().enumerate().filter(|(at, _)| *at != words.len() / 2);
                others.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
            }
            _ => misread(rng, last, 0.02),
        };
        let mut copy = short.clone();
        copy.paragraphs.pop();
        copy.paragraphs.push(edited);
        cases.push(Case {
            task: Task::Retold,
            kind: "a short text, edited".to_owned(),
            group: story.id.clone(),
            left: short,
            right: copy,
            truth: Verdict::NearDuplicate,
        });
    }
    let pairs: Vec<(&data::Cited, &data::Cited)> = cited
        .iter()
        .enumerate()
        .flat_map(|(at, a)| cited.iter().skip(at + 1).map(move |b| (a, b)))
        .filter(|(a, b)| a.event == b.event && are_independent(&a.story, &b.story))
        .collect();
    for _ in 0..RETOLD {
        let Some((a, b)) = rng.choice(&pairs) else { break };
        cases.push(Case {
            task: Task::Retold,
            kind: "same event".to_owned(),
            left: bare(a.story.clone()),
            right: bare(b.story.clone()),
            truth: Verdict::New,
            group: format!("event {}", a.event),
        });
    }
    cases
}

/// Whether two stories have hardly a run of five words in common.
fn are_independent(a: &Story, b: &Story) -> bool {
    let runs = |story: &Story| -> HashSet<String> {
        let text = story.paragraphs.join(" ").to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(5).map(|run| run.join(" ")).collect()
    };
    let (a, b) = (runs(a), runs(b));
    let fewer = a.len().min(b.len());
    fewer >= 60 && a.intersection(&b).count() * 50 <= fewer
}

/// A story before and after somebody put it in order.
fn cleaned_up(rng: &mut Rng, story: &Story, how: usize) -> (Story, Story) {
    let damaged = |rng: &mut Rng, kind: Damage| kind.done_to(rng, story, story);
    match how % 5 {
        0 => {
            let mut wrong = story.clone();
            wrong.paragraphs =
                wrong.paragraphs.iter().map(|text| misread(rng, text, 0.01)).collect();
            (wrong, story.clone())
        }
        1 => (damaged(rng, Damage::Typography), story.clone()),
        2 => (damaged(rng, Damage::Markup), story.clone()),
        3 => (story.clone(), damaged(rng, Damage::Surrounded)),
        _ => (story.clone(), damaged(rng, Damage::Reordered)),
    }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// Stories that are in a case together, directly or by way of others.
#[derive(Default)]
struct Groups(BTreeMap<String, String>);

impl Groups {
    fn of(&self, story: &str) -> String {
        match self.0.get(story) {
            Some(next) if next != story => self.of(next),
            _ => story.to_owned(),
        }
    }

    fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.of(a), self.of(b));
        self.0.insert(a, b);
    }
}
