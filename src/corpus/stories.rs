//! Stories: documents about the same events, filed as they come in.
//!
//! A document that comes in is put together with the documents that it may be related to and
//! with all of their stories, and these are grouped anew, by average linkage: what belongs
//! together is what is related on average, so that a chain of neighbours does not swallow a
//! topic, and so that a story does not depend on the order in which its documents came. What is
//! grouped otherwise than before was merged or split.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::related::{Grouping, Mode, Placed, Subject, Surroundings, WeighedSubject, group};
use crate::store::{DocumentKey, StoryKey, StoryWord, View, Writer};

use super::{CorpusError, Parts};

/// Documents likest to one whose stories are grouped anew with it.
const NEAREST: usize = 10;

/// Probability of being related from which on a document's story is.
const LOOKED_AT: f32 = 0.05;

/// Documents of a story that are grouped with others, those published last.
const MEMBERS: usize = 24;

/// Documents that are grouped, at most: of more, those of the stories that are nearest.
const GROUPED: usize = 64;

/// Days between two documents after which they count half as related as by what they say: what
/// comes again each month is another story.
const HALVES_AFTER: f64 = 14.0;

/// A document that is filed.
pub(super) struct Filed {
    pub key: DocumentKey,
    pub subject: Arc<Subject>,
    /// Documents that may be related to it.
    pub related: Vec<DocumentKey>,
}

/// Documents that are grouped, each standing for its family.
struct Nodes {
    keys: Vec<DocumentKey>,
    subjects: Vec<Arc<Subject>>,
    /// The stories that they are in.
    stories: Vec<Option<StoryKey>>,
    /// What they and those around them have in common.
    around: Surroundings,
}

impl Nodes {
    fn among(around: Surroundings) -> Self {
        Self { keys: Vec::new(), subjects: Vec::new(), stories: Vec::new(), around }
    }

    fn push(&mut self, key: DocumentKey, subject: Arc<Subject>, story: Option<StoryKey>) {
        self.keys.push(key);
        self.subjects.push(subject);
        self.stories.push(story);
    }
}

impl Parts {
    /// The story that a document that is not stored would be filed under; `None` for one of its
    /// own.
    pub fn story_for(
        &self,
        view: View<'_>,
        filed: &Filed,
    ) -> Result<Option<StoryKey>, CorpusError> {
        let nodes = self.around(view, filed)?;
        let groups = self.grouped(view, &nodes)?;
        let own = groups.into_iter().find(|group| group.contains(&0)).unwrap_or_default();
        let mut counts: BTreeMap<StoryKey, usize> = BTreeMap::new();
        for story in own.iter().filter_map(|node| nodes.stories.get(*node).copied().flatten()) {
            *counts.entry(story).or_default() += 1;
        }
        Ok(counts
            .into_iter()
            .max_by_key(|(story, count)| (*count, -story.0))
            .map(|(story, _)| story))
    }

    /// Files a stored document, and the documents around it that belong elsewhere now.
    pub fn file(
        &self,
        writer: &Writer<'_>,
        filed: &Filed,
        now: Timestamp,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        // Copies and later versions are of the story of what they copy.
        let document = view.documents(&[filed.key].into())?.remove(&filed.key);
        let family = document.map(|document| view.members(document.family)).transpose()?;
        let kin = family.unwrap_or_default().into_iter().find(|member| *member != filed.key);
        if let Some(story) = kin.map(|kin| view.story_of(kin)).transpose()?.flatten() {
            return Ok(writer.file(&[filed.key], story, now)?);
        }
        let nodes = self.around(view, filed)?;
        self.refile(writer, &nodes, now)
    }

    /// Groups the documents of a story anew, after one of them went or became another.
    pub fn regroup_story(
        &self,
        writer: &Writer<'_>,
        story: StoryKey,
        now: Timestamp,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        let mut nodes = Nodes::among(Surroundings::default());
        self.add_members(view, story, &mut nodes)?;
        let (Some(first), true) = (nodes.subjects.first(), nodes.keys.len() > 1) else {
            return Ok(());
        };
        nodes.around = self.surroundings(view, first)?;
        self.refile(writer, &nodes, now)
    }

    /// Files a document where an editor's word on its story and that of another one makes it
    /// belong, with its family: under the same story, or under one of its own.
    pub fn obey_story(
        &self,
        writer: &Writer<'_>,
        document: DocumentKey,
        other: DocumentKey,
        is_same: Option<bool>,
        now: Timestamp,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        writer.set_story_word(document, other, is_same)?;
        let stories = view.story_of(document)?.zip(view.story_of(other)?);
        let Some(((own, others), is_same)) = stories.zip(is_same) else { return Ok(()) };
        if (own == others) == is_same {
            return Ok(());
        }
        let story = match is_same {
            true => others,
            false => writer.new_story(now)?,
        };
        let family = view.documents(&[document].into())?.remove(&document);
        let family = family.map(|document| view.members(document.family)).transpose()?;
        let mut moved = family.unwrap_or_default();
        moved.retain(|member| *member != other);
        Ok(writer.file(&moved, story, now)?)
    }

    /// A document, and the documents of the stories around it.
    fn around(&self, view: View<'_>, filed: &Filed) -> Result<Nodes, CorpusError> {
        let mut likeliest = Vec::new();
        for key in &filed.related {
            // What was deleted since is not there any more.
            let Some(story) = view.story_of(*key)? else { continue };
            likeliest.push((story, self.subject_in_story(view, *key)?));
        }
        let (around, mut nearest) = self.with_rarities(|rarity| {
            let own = WeighedSubject::new(&filed.subject, &rarity);
            let others: Vec<_> = likeliest
                .iter()
                .map(|(_, subject)| WeighedSubject::new(subject, &rarity))
                .collect();
            let around = Surroundings::of(&own, &others);
            let placed = around.place(&own);
            let probability = |other| {
                let features = around.features(placed, around.place(other));
                self.scale.documents(Mode::Hybrid, &features)
            };
            let stories = likeliest.iter().map(|(story, _)| *story);
            let nearest: Vec<(f32, StoryKey)> =
                others.iter().map(probability).zip(stories).collect();
            (around, nearest)
        });
        nearest.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
        let mut nodes = Nodes::among(around);
        nodes.push(filed.key, Arc::clone(&filed.subject), None);
        let mut known = HashSet::new();
        let said = self.story_words_on(view, &[filed.key])?.into_iter().filter(|word| word.is_same);
        for word in said {
            let other = if word.document == filed.key { word.other } else { word.document };
            if let Some(story) = view.story_of(other)?.filter(|story| known.insert(*story)) {
                self.add_members(view, story, &mut nodes)?;
            }
        }
        for (probability, story) in nearest.into_iter().take(NEAREST) {
            if probability < LOOKED_AT || nodes.keys.len() >= GROUPED {
                break;
            }
            if known.insert(story) {
                self.add_members(view, story, &mut nodes)?;
            }
        }
        Ok(nodes)
    }

    fn add_members(
        &self,
        view: View<'_>,
        story: StoryKey,
        nodes: &mut Nodes,
    ) -> Result<(), CorpusError> {
        for member in view.distinct_coverage(story, MEMBERS)? {
            if !nodes.keys.contains(&member) {
                nodes.push(member, self.subject_in_story(view, member)?, Some(story));
            }
        }
        Ok(())
    }

    /// What editors said of the stories of any of these documents.
    fn story_words_on(
        &self,
        view: View<'_>,
        documents: &[DocumentKey],
    ) -> Result<Vec<StoryWord>, CorpusError> {
        let mut words = Vec::new();
        for document in documents {
            words.extend(view.story_words(*document)?);
        }
        Ok(words)
    }

    /// Which documents belong together.
    fn grouped(&self, view: View<'_>, nodes: &Nodes) -> Result<Vec<Vec<usize>>, CorpusError> {
        let place: HashMap<DocumentKey, usize> =
            nodes.keys.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let mut grouping = Grouping::default();
        for word in self.story_words_on(view, &nodes.keys)? {
            if let (Some(a), Some(b)) = (place.get(&word.document), place.get(&word.other)) {
                grouping.say(*a, *b, word.is_same);
            }
        }
        Ok(self.with_rarities(|rarity| {
            let all: Vec<WeighedSubject> = nodes
                .subjects
                .iter()
                .map(|subject| WeighedSubject::new(subject, &rarity))
                .collect();
            let all: Vec<Placed<'_>> = all.iter().map(|one| nodes.around.place(one)).collect();
            group(all.len(), &grouping, |a, b| {
                let pair = all.get(a).zip(all.get(b));
                let said = pair.map_or(0.0, |(a, b)| {
                    self.scale.documents(Mode::Hybrid, &nodes.around.features(*a, *b))
                });
                said * nearness_in_time(nodes.subjects.get(a), nodes.subjects.get(b))
            })
        }))
    }

    /// Groups documents anew and files them so: a story keeps its name where most of its
    /// documents are, and leads to where most of them went if all went elsewhere.
    fn refile(
        &self,
        writer: &Writer<'_>,
        nodes: &Nodes,
        now: Timestamp,
    ) -> Result<(), CorpusError> {
        let view = writer.view();
        let groups = self.grouped(view, nodes)?;
        let mut shares: Vec<(usize, StoryKey, usize)> = Vec::new();
        for (group, members) in groups.iter().enumerate() {
            let mut counts: BTreeMap<StoryKey, usize> = BTreeMap::new();
            for story in
                members.iter().filter_map(|node| nodes.stories.get(*node).copied().flatten())
            {
                *counts.entry(story).or_default() += 1;
            }
            shares.extend(counts.into_iter().map(|(story, count)| (count, story, group)));
        }
        shares.sort_by(|(x, a, i), (y, b, j)| y.cmp(x).then(a.cmp(b)).then(i.cmp(j)));
        let mut name_of: BTreeMap<usize, StoryKey> = BTreeMap::new();
        let mut named: BTreeSet<StoryKey> = BTreeSet::new();
        for (_, story, group) in &shares {
            if !name_of.contains_key(group) && named.insert(*story) {
                name_of.insert(*group, *story);
            }
        }
        // A story that gave its name to no group goes where most of it went, with all that was
        // not looked at.
        for (_, story, group) in &shares {
            if let Some(into) = name_of.get(group).filter(|_| named.insert(*story)) {
                writer.merge_story(*story, *into, now)?;
            }
        }
        for (group, members) in groups.iter().enumerate() {
            let story = match name_of.get(&group) {
                Some(story) => *story,
                None => writer.new_story(now)?,
            };
            let mut moved = Vec::new();
            for node in members {
                let Some(key) = nodes.keys.get(*node) else { continue };
                moved.extend(self.family_in_story(view, *key)?);
            }
            writer.file(&moved, story, now)?;
        }
        Ok(())
    }

    /// A document and those of its family that are filed under the same story.
    fn family_in_story(
        &self,
        view: View<'_>,
        key: DocumentKey,
    ) -> Result<Vec<DocumentKey>, CorpusError> {
        let Some(document) = view.documents(&[key].into())?.remove(&key) else {
            return Ok(Vec::new());
        };
        let members: HashSet<DocumentKey> = view.members(document.family)?.into_iter().collect();
        let members = view.documents(&members)?.into_values();
        Ok(members.filter(|member| member.story == document.story).map(|m| m.key).collect())
    }
}

/// What the probability that two documents are of one story is multiplied by for the time between
/// them, if it is known.
fn nearness_in_time(one: Option<&Arc<Subject>>, other: Option<&Arc<Subject>>) -> f32 {
    let time = |subject: Option<&Arc<Subject>>| subject.and_then(|subject| subject.published_at);
    let Some((one, other)) = time(one).zip(time(other)) else { return 1.0 };
    let days = one.duration_since(other).abs().as_secs_f64() / (24.0 * 3600.0);
    0.5_f64.powf(days / HALVES_AFTER) as f32
}
