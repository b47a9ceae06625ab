use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::article::PassageKind;
use crate::embed::{ModelInfo, Windows};
use crate::index::{ContentId, Fingerprints, Identity, Options, SegmentedIndex, Truth, TruthError};
use crate::store::{DocumentKey, ModelIdentity, Store, StoreError};
use crate::verdict::Comparable;

use super::OpenError;

/// Texts that are read one by one rather than with all that lie between them.
const FAR_APART: i64 = 8;

/// Opens the index of the model that a store answers with, or fills one from it.
///
/// # Errors
///
/// If the store cannot be read or the folder of the index cannot be used.
pub fn open(
    store: &Store,
    model: &ModelInfo,
    options: Options,
) -> Result<SegmentedIndex, OpenError> {
    let identity = identity(store.reader()?.view().corpus()?, &ModelIdentity::from(model));
    let truth = Stored { store, dimension: model.dimension };
    Ok(SegmentedIndex::open(&folder(store), identity, model.dimension, options, &truth)?)
}

/// The index of the fingerprints of all documents. Documents that have none yet, from a
/// corpus of a former format, get them.
pub(super) fn fingerprints(store: &Store) -> Result<Fingerprints, StoreError> {
    const TOGETHER: usize = 256;
    let mut done = DocumentKey(i64::MIN);
    loop {
        let missing = store.reader()?.view().without_fingerprints(done, TOGETHER)?;
        let Some(&last) = missing.last() else { break };
        done = last;
        store.write(|writer| {
            for key in missing {
                let passages = writer.view().passages(key)?.into_iter();
                let mut prints: Vec<u32> = passages
                    .filter(|passage| passage.kind == PassageKind::Body)
                    .flat_map(|passage| Comparable::of(&passage.text).fingerprints)
                    .collect();
                prints.sort_unstable();
                prints.dedup();
                writer.set_fingerprints(key, &prints)?;
            }
            Ok::<_, StoreError>(())
        })?;
    }
    let documents = store.reader()?.view().fingerprints()?;
    Ok(Fingerprints::of(documents.into_iter().map(|(key, prints)| (key.0, prints))))
}

/// Deletes the indices of models that do not answer any more.
pub(super) fn forget_others(store: &Store) {
    let own = folder(store);
    let others = own.parent().and_then(|parent| fs::read_dir(parent).ok());
    for other in others.into_iter().flatten().flatten().filter(|other| other.path() != own) {
        if let Err(error) = fs::remove_dir_all(other.path()) {
            tracing::warn!(%error, "the index of a former model was not deleted");
        }
    }
}

/// Deletes the index of a model that does not answer any more.
pub(super) fn forget(former: &Store) {
    if let Err(error) = fs::remove_dir_all(folder(former)) {
        tracing::warn!(%error, "the index of the former model was not deleted");
    }
}

/// Where the index of the model is that a store answers with.
pub(super) fn folder(store: &Store) -> PathBuf {
    store.folder().join("index").join(store.model().to_string())
}

pub(super) fn identity(corpus: i64, model: &ModelIdentity) -> Identity {
    let dimension = model.dimension.to_string();
    let parts = [&model.id, &model.weights_sha256, &model.precision, &dimension];
    Identity {
        corpus: corpus.unsigned_abs(),
        model: Sha256::digest(parts.map(String::as_str).join("\n")).into(),
    }
}

/// The vectors of a store.
struct Stored<'a> {
    store: &'a Store,
    dimension: usize,
}

impl Truth for Stored<'_> {
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError> {
        let reader = self.store.reader()?;
        Ok(reader.view().texts(|content, hash| each(content, hash.check()))?)
    }

    fn vectors(
        &self,
        contents: &[ContentId],
        each: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError> {
        let (Some(first), Some(last)) = (contents.first(), contents.last()) else { return Ok(()) };
        let reader = self.store.reader()?;
        let view = reader.view();
        if (last.0 - first.0) / FAR_APART > contents.len() as i64 {
            for &content in contents {
                view.vectors(content, content, self.dimension, &mut *each)?;
            }
            return Ok(());
        }
        let mut wanted = contents.iter().peekable();
        let read = view.vectors(*first, *last, self.dimension, |content, windows| {
            while wanted.next_if(|&&wanted| wanted < content).is_some() {}
            if wanted.next_if(|&&wanted| wanted == content).is_some() {
                each(content, windows);
            }
        });
        Ok(read?)
    }
}
