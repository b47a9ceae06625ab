use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;

use super::model::Model;
use super::{ModelError, ModelInfo, Setup, Windows};

/// Texts that may wait for each worker. More wait with their callers.
const QUEUE_PER_WORKER: usize = 2;

/// Why a text has no vectors.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The workers are gone.
    #[error("the embedder was shut down")]
    Closed,
}

struct Job {
    text: Arc<str>,
    answer: oneshot::Sender<Result<Windows, ModelError>>,
}

/// The worker threads. Clones share them; they end with the last clone.
#[derive(Clone)]
pub struct Embedder {
    jobs: flume::Sender<Job>,
    info: Arc<ModelInfo>,
    workers: usize,
}

impl Embedder {
    /// Loads the model once for each of `workers` threads and starts them. Blocks
    /// until all are ready.
    ///
    /// # Errors
    ///
    /// If the runtime or the model cannot be loaded.
    pub fn start(setup: &Setup, workers: usize) -> Result<Self, ModelError> {
        let workers = workers.max(1);
        let mut first = Model::load(setup)?;
        let info = Arc::new(first.info(&setup.model)?);
        let mut models = vec![first];
        for _ in 1..workers {
            models.push(Model::load(setup)?);
        }
        let (jobs, queue) = flume::bounded(workers * QUEUE_PER_WORKER);
        for (index, model) in models.into_iter().enumerate() {
            let queue = queue.clone();
            thread::Builder::new()
                .name(format!("embed-{index}"))
                .spawn(move || work(model, &queue))
                .map_err(|error| {
                    ModelError::Run(format!("cannot start a worker thread: {error}"))
                })?;
        }
        Ok(Self { jobs, info, workers })
    }

    /// The model in use.
    pub fn model(&self) -> &ModelInfo {
        &self.info
    }

    /// Embeds normalised texts, on all workers, and returns their vectors in order.
    /// Dropping the future takes what was not begun out of the queue.
    ///
    /// # Errors
    ///
    /// If the model fails on one of them.
    pub async fn embed(&self, texts: Vec<Arc<str>>) -> Result<Vec<Windows>, EmbedError> {
        stream::iter(texts)
            .map(|text| self.embed_one(text))
            .buffered(self.workers * QUEUE_PER_WORKER)
            .try_collect()
            .await
    }

    async fn embed_one(&self, text: Arc<str>) -> Result<Windows, EmbedError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send_async(Job { text, answer }).await.map_err(|_| EmbedError::Closed)?;
        let windows = answered.await.map_err(|_| EmbedError::Closed)?;
        Ok(windows?)
    }
}

/// Embeds one text after the other. A panic in a library ends its text, not the
/// thread.
fn work(mut model: Model, queue: &flume::Receiver<Job>) {
    for job in queue {
        if job.answer.is_closed() {
            continue;
        }
        let windows = catch_unwind(AssertUnwindSafe(|| model.embed(&job.text)))
            .unwrap_or_else(|_| Err(ModelError::Run("it panicked".to_owned())));
        let _ = job.answer.send(windows);
    }
}
