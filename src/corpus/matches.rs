use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use crate::article::Article;
use crate::index::{ContentId, Scope};
use crate::store::{DocumentKey, PassageKey, StoredPassage, View};
use crate::verdict::{PassageMatch, Signals, Verdict, judge_passage};

use super::candidates::Found;
use super::ingest::Compared;
use super::{CorpusError, Parts};

/// Documents whose passages are all matched, those that share most words first.
const COMPLETED: usize = 64;

impl Parts {
    /// The stored passages that a document is judged by, as of now: what was found when
    /// it was prepared, what has come in since, and the rest of the documents that
    /// share most with it.
    pub fn matches(
        &self,
        view: View<'_>,
        article: &Article,
        compared: &Compared,
    ) -> Result<Vec<PassageMatch<DocumentKey, PassageKey>>, CorpusError> {
        let since = self.search(Scope::Since(compared.mark), compared);
        let newer = self.find(view, &compared.probes(article), since)?;
        let gone = self.gone_since(view, compared)?;
        let mut collected = Collected::default();
        for found in compared.found.iter().chain(&newer.found) {
            if !gone.contains(&found.passage.key) {
                collected.add(found);
            }
        }
        // Texts that were known already bring no new vectors, so a search for these
        // does not see the documents that say them.
        for passage in view.passages_since(compared.sequence)? {
            collected.add_occurrence(&passage);
        }
        // A text that very many documents say was looked at in a few of them.
        for document in collected.sharing_most() {
            for passage in view.passages(document)? {
                collected.add_occurrence(&passage);
            }
        }
        Ok(collected.matches)
    }

    /// The passages among those that were found which have been deleted since.
    fn gone_since(
        &self,
        view: View<'_>,
        compared: &Compared,
    ) -> Result<HashSet<PassageKey>, CorpusError> {
        let mut found: HashSet<PassageKey> = HashSet::new();
        if compared.removals != self.removals.load(Ordering::Acquire) {
            found.extend(compared.found.iter().map(|found| found.passage.key));
            let still_there = view.passages_by_key(&found)?;
            found.retain(|key| !still_there.contains_key(key));
        }
        Ok(found)
    }
}

/// Matches, each once, and what each text is beside the passages that are judged.
#[derive(Default)]
struct Collected {
    matches: Vec<PassageMatch<DocumentKey, PassageKey>>,
    known: HashSet<(usize, DocumentKey, ContentId)>,
    spread: HashSet<(DocumentKey, ContentId)>,
    texts: HashMap<ContentId, Vec<(usize, Signals, usize)>>,
    beside: HashSet<(usize, ContentId)>,
}

impl Collected {
    fn add(&mut self, found: &Found) {
        let Found { index, passage, content, words, signals, .. } = found;
        if self.beside.insert((*index, *content)) {
            self.texts.entry(*content).or_default().push((*index, *signals, *words));
        }
        self.push(*index, passage, *content, *signals, *words);
    }

    /// Adds a stored passage if it says a text that was found.
    fn add_occurrence(&mut self, passage: &StoredPassage) {
        let Some(content) = passage.content else { return };
        let Some(texts) = self.texts.get(&content) else { return };
        if self.spread.insert((passage.document, content)) {
            for (index, signals, words) in texts.clone() {
                self.push(index, passage, content, signals, words);
            }
        }
    }

    /// Of passages in one document that say the same, one is enough.
    fn push(
        &mut self,
        index: usize,
        passage: &StoredPassage,
        content: ContentId,
        signals: Signals,
        words: usize,
    ) {
        if self.known.insert((index, passage.document, content)) {
            let (passage, document) = (passage.key, passage.document);
            self.matches.push(PassageMatch { index, passage, document, words, signals });
        }
    }

    /// The documents that share most words, most first.
    fn sharing_most(&self) -> Vec<DocumentKey> {
        let mut shared: HashMap<DocumentKey, f32> = HashMap::new();
        for found in &self.matches {
            if judge_passage(&found.signals).0 != Verdict::New {
                *shared.entry(found.document).or_default() +=
                    found.words as f32 * found.signals.share_of_match;
            }
        }
        let mut documents: Vec<(DocumentKey, f32)> = shared.into_iter().collect();
        documents.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        documents.into_iter().map(|(document, _)| document).take(COMPLETED).collect()
    }
}
