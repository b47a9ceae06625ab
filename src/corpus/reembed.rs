use std::cell::Cell;
use std::future::{Future, ready};
use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::embed::{Embedder, ModelInfo, Purpose, Setup};
use crate::index::ContentId;
use crate::store::{ModelIdentity, Store};
use crate::text::normalize;

use super::{Corpus, CorpusError, Parts, indexing};

/// Texts whose vectors are stored together.
const TOGETHER: usize = 32;

/// How long each text gives way to those that wait for the model that answers, at most.
const GIVES_WAY: Duration = Duration::from_millis(100);
const LOOKS_AGAIN: Duration = Duration::from_millis(2);

/// A change of the model that answers.
#[derive(Clone)]
pub(super) enum Change {
    None,
    /// The new model is being loaded.
    Loading,
    /// Texts are embedded anew, beside those that the corpus answers with.
    UnderWay {
        asked: Box<Setup>,
        model: Arc<ModelInfo>,
        store: Store,
    },
    /// The last one failed.
    Failed {
        model: Arc<ModelInfo>,
        cause: String,
    },
}

/// The model that a corpus is being changed to.
#[derive(Debug, Clone, PartialEq)]
pub struct NextModel {
    /// The model.
    pub model: Arc<ModelInfo>,
    /// Share of the texts that are embedded with it, 0 to 1.
    pub embedded_share: f32,
    /// Why it ended before all were, if it did.
    pub failure: Option<String>,
}

impl Change {
    /// How far it is, of `contents` texts.
    pub fn progress(&self, contents: i64) -> Result<Option<NextModel>, CorpusError> {
        Ok(match self {
            Self::None | Self::Loading => None,
            Self::UnderWay { model, store, .. } => {
                let embedded = store.reader()?.view().embedded()?;
                let embedded_share = (embedded as f32 / contents.max(1) as f32).min(1.0);
                Some(NextModel { model: Arc::clone(model), embedded_share, failure: None })
            }
            Self::Failed { model, cause } => Some(NextModel {
                model: Arc::clone(model),
                embedded_share: 0.0,
                failure: Some(cause.clone()),
            }),
        })
    }
}

/// Changes the corpus in `folder`, which no server has open, to another model: on all
/// workers, and without the model that it has. What was embedded is kept if it breaks off.
/// Calls `progress` with the texts that are done and those that there are.
///
/// # Errors
///
/// If the model cannot be loaded or fails on a text, or the store cannot be used.
pub async fn reembed_folder(
    folder: &Path,
    setup: &Setup,
    workers: usize,
    progress: impl Fn(u64, u64),
) -> Result<Arc<ModelInfo>, CorpusError> {
    let embedder = Embedder::start(setup, workers)?;
    let model = Arc::clone(embedder.model());
    let store = Store::open_to_change(folder, &ModelIdentity::from(model.as_ref()))?;
    let done = Cell::new(store.reader()?.view().embedded()?);
    let contents = store.reader()?.view().totals()?.contents;
    embed_stored(&store, &embedder, TOGETHER, |texts| {
        done.set(done.get() + texts as i64);
        progress(done.get().unsigned_abs(), contents.unsigned_abs());
        ready(())
    })
    .await?;
    store.write(|writer| writer.change_over())?;
    while store.write(|writer| writer.drop_retired())? {}
    Ok(model)
}

/// Embeds every stored text that has no vectors in `store`, so many at once, and stores
/// them some together. Waits for `pause`, which gets the number of texts, before each.
async fn embed_stored<F: Future<Output = ()>>(
    store: &Store,
    embedder: &Embedder,
    at_once: usize,
    pause: impl Fn(usize) -> F,
) -> Result<(), CorpusError> {
    let mut last = ContentId(0);
    loop {
        let reading = store.clone();
        let texts =
            blocking(move || Ok(reading.reader()?.view().unembedded(last, TOGETHER)?)).await?;
        let Some(&(end, _)) = texts.last() else {
            return Ok(());
        };
        last = end;
        let (contents, texts): (Vec<_>, Vec<Arc<str>>) =
            texts.into_iter().map(|(content, text)| (content, normalize(&text).into())).unzip();
        let mut vectors = Vec::new();
        for texts in texts.chunks(at_once) {
            pause(texts.len()).await;
            vectors.extend(embedder.embed(Purpose::ALONE, texts.to_vec()).await?);
        }
        let writing = store.clone();
        blocking(move || {
            Ok(writing.write(|writer| {
                let mut embedded = contents.iter().zip(&vectors);
                embedded.try_for_each(|(content, windows)| writer.add_vectors(*content, windows))
            })?)
        })
        .await?;
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CorpusError> + Send + 'static,
) -> Result<T, CorpusError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(CorpusError::Panicked))
}

impl Corpus {
    /// Changes the corpus to another model, in the background: every stored text is
    /// embedded with it while the present one answers, then the new one answers, in one
    /// step. What was embedded is kept if it breaks off; asked again, it goes on. Returns
    /// the new model as soon as it is loaded.
    ///
    /// # Errors
    ///
    /// If the model cannot be loaded, or a change is under way.
    pub async fn reembed(&self, setup: Setup) -> Result<Arc<ModelInfo>, CorpusError> {
        if let Some(model) = self.begin(&setup)? {
            return Ok(model);
        }
        // A task of its own: it goes on if the caller leaves.
        let corpus = self.clone();
        let loading = tokio::spawn(async move {
            let (model, next) = corpus.load_next(setup).await?;
            if let Some((store, embedder)) = next {
                let model = Arc::clone(&model);
                tokio::spawn(async move { corpus.run_change(model, store, embedder).await });
            }
            Ok(model)
        });
        loading.await.unwrap_or(Err(CorpusError::Panicked))
    }

    /// What is known of the change of model.
    pub(super) fn change(&self) -> Change {
        self.lock_change().clone()
    }

    fn lock_change(&self) -> MutexGuard<'_, Change> {
        self.desk.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a change begins: there is one at a time. If it is that one which is
    /// under way, its model.
    fn begin(&self, setup: &Setup) -> Result<Option<Arc<ModelInfo>>, CorpusError> {
        let mut change = self.lock_change();
        match &*change {
            Change::Loading => Err(CorpusError::Changing("that is being loaded".to_owned())),
            Change::UnderWay { asked, model, .. } if **asked == *setup => {
                Ok(Some(Arc::clone(model)))
            }
            Change::UnderWay { model, .. } => Err(CorpusError::Changing(model.id.clone())),
            Change::None | Change::Failed { .. } => {
                *change = Change::Loading;
                Ok(None)
            }
        }
    }

    /// Loads the new model, and notes it. `None` with it if it is the one that answers.
    async fn load_next(
        &self,
        setup: Setup,
    ) -> Result<(Arc<ModelInfo>, Option<(Store, Embedder)>), CorpusError> {
        let (parts, workers) = (self.parts(), self.desk.options.workers);
        let asked = Box::new(setup.clone());
        let loaded = blocking(move || {
            let embedder = Embedder::start(&setup, workers)?;
            let identity = ModelIdentity::from(embedder.model().as_ref());
            let number = parts.store.write(|writer| writer.add_model(&identity))?;
            Ok((embedder, parts.store.with_model(number), number == parts.store.model()))
        });
        let loaded = loaded.await;
        let mut change = self.lock_change();
        *change = Change::None;
        let (embedder, store, is_current) = loaded?;
        let model = Arc::clone(embedder.model());
        if is_current {
            return Ok((model, None));
        }
        *change = Change::UnderWay { asked, model: Arc::clone(&model), store: store.clone() };
        Ok((model, Some((store, embedder))))
    }

    async fn run_change(self, model: Arc<ModelInfo>, store: Store, embedder: Embedder) {
        let began = Instant::now();
        let former = self.parts().store.clone();
        if let Err(error) = self.change_over(store, embedder).await {
            tracing::error!(model = model.id, %error, "the model was not changed");
            *self.lock_change() = Change::Failed { model, cause: error.to_string() };
            return;
        }
        tracing::info!(model = model.id, took = ?began.elapsed(), "the model was changed");
        loop {
            let store = self.parts().store.clone();
            match blocking(move || Ok(store.write(|writer| writer.drop_retired())?)).await {
                Ok(true) => {}
                Ok(false) => {
                    indexing::forget(&former);
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "vectors of the former model stay until the next start");
                    break;
                }
            }
        }
    }

    /// Embeds all that is stored, and what comes in meanwhile, then lets the new model
    /// answer.
    async fn change_over(&self, store: Store, embedder: Embedder) -> Result<(), CorpusError> {
        embed_stored(&store, &embedder, 1, |_| self.give_way()).await?;
        // From here on nothing comes in; what came in during the last pass is little.
        let turn = Arc::clone(&self.desk.turn).lock_owned().await;
        embed_stored(&store, &embedder, TOGETHER, |_| ready(())).await?;
        let (desk, former) = (Arc::clone(&self.desk), self.parts());
        blocking(move || {
            let lexicon = Arc::clone(&former.lexicon);
            let parts = Parts::new(store.clone(), lexicon, embedder, desk.options.index)?;
            let parts = Arc::new(parts);
            store.write(|writer| writer.change_over())?;
            *desk.current.write().unwrap_or_else(PoisonError::into_inner) = parts;
            Ok(())
        })
        .await?;
        *self.lock_change() = Change::None;
        drop(turn);
        Ok(())
    }

    /// Lets those go first who wait for the model that answers, for a while.
    async fn give_way(&self) {
        let until = Instant::now() + GIVES_WAY;
        while Instant::now() < until && self.parts().embedder.stats().waiting_bytes() > 0 {
            tokio::time::sleep(LOOKS_AGAIN).await;
        }
    }
}
