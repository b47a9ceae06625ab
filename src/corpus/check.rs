//! Whether a data folder that no server has open is whole.

use std::path::Path;

use crate::embed::Setup;
use crate::index;
use crate::store::{self, Closed, DocumentKey, FORMAT, ModelIdentity, Progress, StoreError};

use super::indexing::identity;
use super::map_file::MapFile;
use super::{OpenError, Options, lexicon};

/// What a look at a data folder found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Documents.
    pub documents: usize,
    /// Distinct texts among those that report.
    pub texts: usize,
    /// Segments of the index that are sound.
    pub segments: usize,
    /// What is wrong and cannot be made anew, one sentence each.
    pub lost: Vec<String>,
    /// What the next start makes anew, one sentence each.
    pub made_anew: Vec<String>,
}

/// Finds what would keep a corpus from being served, as far as that shows before it is opened
/// and its model is loaded.
///
/// # Errors
///
/// What [`Corpus::open`](super::Corpus::open) would return, or if the folder of snapshots
/// cannot be used.
pub fn preview(folder: &Path, setup: &Setup, options: &Options) -> Result<(), OpenError> {
    let wanted = &setup.model;
    let is_other = |recorded: &ModelIdentity| {
        recorded.weights_sha256 != wanted.weights_sha256
            || setup.precision.is_some_and(|asked| asked.as_str() != recorded.precision)
    };
    let other = Closed::preview(folder)?.filter(is_other);
    if let Some(recorded) = other {
        return Err(OpenError::Store(StoreError::OtherModel {
            folder: folder.display().to_string(),
            found: recorded.id,
            wanted: format!("the one in {}", wanted.folder.display()),
        }));
    }
    let Some(snapshots) = &options.snapshots else { return Ok(()) };
    store::can_be_made(snapshots)
        .map_err(|source| OpenError::Snapshots { folder: snapshots.display().to_string(), source })
}

/// Checks the corpus in `folder` and all that is derived from it, without the model. Changes
/// nothing, and blocks: every byte is read. `progress` is told how far that is.
///
/// # Errors
///
/// If there is no corpus, it is in use or of a newer format.
pub fn check_folder(folder: &Path, progress: Progress<'_>) -> Result<Health, StoreError> {
    let store = Closed::open(folder)?;
    if store.format() == 0 {
        let empty = "the store is empty: whatever began to make it broke off".to_owned();
        return Ok(Health { made_anew: vec![empty], ..Health::default() });
    }
    let mut health = Health { lost: store.lost(progress), ..Health::default() };
    if store.format() < FORMAT {
        let from = store.format();
        health.made_anew.push(format!("the store goes from format {from} to format {FORMAT}"));
    }
    progress("index", 0, 0);
    if let Err(error) = check_derived(&store, &mut health) {
        // Said already, of what it is derived from.
        health.made_anew.push(format!("the indices cannot be compared with the store: {error}"));
    }
    Ok(health)
}

fn check_derived(store: &Closed, health: &mut Health) -> Result<(), StoreError> {
    let view = store.view();
    let (mut texts, mut documents) = (Vec::new(), Vec::new());
    view.texts(|content, hash| texts.push((content, hash.check())))?;
    view.headlines(|key, sequence, title| documents.push(lexicon::entry(key, sequence, title)))?;
    (health.documents, health.texts) = (documents.len(), texts.len());
    if store.format() < FORMAT {
        // Its indices are of another time, too.
        return Ok(());
    }
    let corpus = view.corpus()?;
    if let Some((number, model)) = store.model() {
        let folder = store.folder().join("index").join(number.to_string());
        let found = index::check(&folder, identity(corpus, model), model.dimension, &texts);
        health.segments = found.segments;
        health.made_anew.extend(found.damaged);
        if let Err(error) = MapFile::read(&folder, identity(corpus, model)) {
            health.made_anew.push(format!("the map is of no use ({error}): it is drawn anew"));
        }
        note(health, found.missing, "texts are in no segment: they are read into memory again");
    }
    let prints = view.without_fingerprints(DocumentKey(i64::MIN), i64::MAX as usize)?;
    note(health, prints.len(), "documents have no fingerprints yet");
    let texts = texts.into_iter().map(|(content, _)| lexicon::text_entry(content)).collect();
    let documents = documents.into_iter().collect();
    for (found, what) in lexicon::check(store.folder(), corpus, &texts, &documents) {
        match found {
            Ok(missing) => note(health, missing, &format!("{what} are not in the index of words")),
            Err(error) => health.made_anew.push(format!("{error}; all {what} are read again")),
        }
    }
    Ok(())
}

fn note(health: &mut Health, count: usize, what: &str) {
    if count > 0 {
        health.made_anew.push(format!("{count} {what}"));
    }
}
