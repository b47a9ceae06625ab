use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Role, Windows};

/// Bytes of all recent questions and their vectors.
const CAPACITY: u64 = 16 << 20;

/// About how many questions that is.
const QUESTIONS: usize = 8_192;

/// The vectors of recent questions, within a bound. Editors ask the same again: another
/// page, another filter, the same headline from the next desk.
pub(super) struct Recent(Cache<Key, Windows, Bytes>);

type Key = (Role, Arc<str>);

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Windows> for Bytes {
    fn weight(&self, (_, text): &Key, windows: &Windows) -> u64 {
        let numbers: usize = windows.vectors().iter().map(|vector| vector.as_slice().len()).sum();
        (text.len() + 4 * numbers + 128) as u64
    }
}

impl Recent {
    pub fn new() -> Self {
        Self(Cache::with_weighter(QUESTIONS, CAPACITY, Bytes))
    }

    pub fn get(&self, role: Role, text: &Arc<str>) -> Option<Windows> {
        self.0.get(&(role, Arc::clone(text)))
    }

    pub fn keep(&self, role: Role, text: Arc<str>, windows: Windows) {
        self.0.insert((role, text), windows);
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Recent};
    use crate::embed::{Role, UnitVector, Windows};
    use std::sync::Arc;

    #[test]
    fn it_knows_recent_questions_and_stays_within_its_bound() {
        let recent = Recent::new();
        let vector = UnitVector::normalized(&[0.5; 384]).unwrap();
        let windows = Windows::new(vec![vector]).unwrap();
        let text = |index: usize| Arc::<str>::from(format!("question {index}"));
        for index in 0..50_000 {
            recent.keep(Role::Query, text(index), windows.clone());
        }
        assert_eq!(recent.get(Role::Query, &text(49_999)).as_ref(), Some(&windows));
        assert!(recent.get(Role::Passage, &text(49_999)).is_none());
        assert!(recent.0.weight() <= CAPACITY);
    }
}
