use std::path::PathBuf;

use tonic::{Request, Response, Status};

use crate::corpus::{Corpus, CorpusError, CorpusInfo, Limits};
use crate::embed::{ModelInfo, Precision, Setup, SetupOptions};
use crate::proto::v1::admin_service_server::AdminService;
use crate::proto::{timestamp, v1 as pb};
use crate::store::SnapshotName;

use super::gate::Gate;
use super::refusal::{Invalid, Refusal};

pub(super) struct Service {
    pub gate: Gate,
    /// Where the files of models are.
    pub setup: SetupOptions,
    /// Pages that are fetched at once.
    pub fetches: usize,
}

#[tonic::async_trait]
impl AdminService for Service {
    async fn get_server_info(
        &self,
        request: Request<pb::GetServerInfoRequest>,
    ) -> Result<Response<pb::GetServerInfoResponse>, Status> {
        let fetches = self.fetches;
        self.gate.answer(request, |corpus, _| async move { info(&corpus, fetches).await }).await
    }

    async fn create_snapshot(
        &self,
        request: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<pb::CreateSnapshotResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let name = snapshot_name(&request.snapshot_name)?;
                let made = corpus.snapshot(name).await?;
                Ok(pb::CreateSnapshotResponse {
                    snapshot_name: request.snapshot_name,
                    size_bytes: i64::try_from(made.size_bytes).unwrap_or(i64::MAX),
                    created_at: Some(timestamp(made.created_at)),
                })
            })
            .await
    }

    async fn compact_index(
        &self,
        request: Request<pb::CompactIndexRequest>,
    ) -> Result<Response<pb::CompactIndexResponse>, Status> {
        self.gate
            .answer(request, |corpus, _| async move {
                let compacted = corpus.compact().await?;
                Ok(pb::CompactIndexResponse {
                    segments_before: count(compacted.segments_before),
                    segments_after: count(compacted.segments_after),
                    reclaimed_bytes: compacted.reclaimed_bytes.max(0),
                })
            })
            .await
    }

    async fn reembed(
        &self,
        request: Request<pb::ReembedRequest>,
    ) -> Result<Response<pb::ReembedResponse>, Status> {
        let options = self.setup.clone();
        self.gate
            .answer(request, |corpus, request| async move {
                let setup = model_files(options, request).await?;
                let model = corpus.reembed(setup).await?;
                Ok(pb::ReembedResponse { model: Some(model_info(&model, 0.0)) })
            })
            .await
    }
}

fn snapshot_name(name: &str) -> Result<SnapshotName, Refusal> {
    SnapshotName::parse(name).ok_or_else(|| {
        let mut invalid = Invalid::default();
        invalid.add("snapshot_name", "is none; give 1 to 64 of a-z, 0-9 and -");
        Refusal::Invalid(invalid)
    })
}

/// The files of the model that a request names.
async fn model_files(
    mut options: SetupOptions,
    request: pb::ReembedRequest,
) -> Result<Setup, Refusal> {
    let mut invalid = Invalid::default();
    options.precision = match request.precision.as_str() {
        "" => None,
        name => Precision::parse(name).or_else(|| {
            invalid.add("precision", "is none; give f32, int8, or nothing");
            None
        }),
    };
    invalid.or(())?;
    options.model = Some(PathBuf::from(request.model)).filter(|it| !it.as_os_str().is_empty());
    let ensured = tokio::task::spawn_blocking(move || Setup::ensure(&options, &|_, _| {}));
    match ensured.await {
        Ok(Ok(setup)) => Ok(setup),
        Ok(Err(error)) => {
            let mut invalid = Invalid::default();
            invalid.add("model", error.to_string());
            Err(Refusal::Invalid(invalid))
        }
        Err(_) => Err(Refusal::Corpus(CorpusError::Panicked)),
    }
}

fn model_info(model: &ModelInfo, embedded_share: f32) -> pb::ModelInfo {
    pb::ModelInfo {
        model_id: model.id.clone(),
        weights_sha256: model.weights_sha256.clone(),
        dimension: count(model.dimension),
        max_tokens: count(model.max_tokens),
        precision: model.precision.as_str().to_owned(),
        pooling: model.pooling.as_str().to_owned(),
        embedded_share,
    }
}

/// What runs in the background, in words.
fn background_work(info: &CorpusInfo) -> Vec<String> {
    let changing = info.next_model.as_ref().map(|next| match &next.failure {
        None => format!("embedding with {} {:.0}%", next.model.id, next.embedded_share * 100.0),
        Some(failure) => format!("embedding with {} failed: {failure}", next.model.id),
    });
    let copying = info.copied_share.map(|share| format!("snapshot {:.0}%", share * 100.0));
    info.index.background.iter().cloned().chain(changing).chain(copying).collect()
}

async fn info(corpus: &Corpus, fetches: usize) -> Result<pb::GetServerInfoResponse, Refusal> {
    let info = corpus.info().await?;
    let background_work = background_work(&info);
    let next_model = info.next_model.as_ref().filter(|next| next.failure.is_none());
    Ok(pb::GetServerInfoResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: Some(model_info(&info.model, 1.0)),
        next_model: next_model.map(|next| model_info(&next.model, next.embedded_share)),
        corpus: Some(pb::CorpusInfo {
            document_count: info.totals.documents,
            passage_count: info.totals.passages,
            distinct_passage_count: info.totals.contents,
            story_count: info.totals.stories,
            index_segment_count: count(info.index.segments),
            index_coverage: info.index.coverage,
            disk_bytes: i64::try_from(info.disk_bytes).unwrap_or(i64::MAX),
            oldest_published_at: info.totals.oldest_published_at.map(timestamp),
            background_work,
        }),
        limits: Some(limits(corpus.limits(), fetches)),
        embedding: Some(pb::EmbeddingInfo {
            embedded_text_count: info.embedding.embedded as i64,
            known_text_count: info.known_texts as i64,
            recent_text_count: info.embedding.recent as i64,
            waiting_bytes: info.embedding.waiting_bytes() as i64,
            worker_count: count(info.embedding.workers),
        }),
    })
}

fn limits(limits: &Limits, fetches: usize) -> pb::LimitsInfo {
    pb::LimitsInfo {
        max_document_bytes: i64::try_from(limits.document_bytes).unwrap_or(i64::MAX),
        max_paragraphs_per_document: count(limits.paragraphs),
        max_message_bytes: i64::try_from(limits.message_bytes).unwrap_or(i64::MAX),
        max_limit: count(limits.answers),
        max_concurrent_requests: count(limits.concurrent_requests),
        max_concurrent_bytes: i64::try_from(limits.concurrent_bytes).unwrap_or(i64::MAX),
        max_held_bytes: i64::try_from(limits.held_bytes).unwrap_or(i64::MAX),
        max_ingest_streams: count(limits.ingest_streams),
        max_watches: count(limits.watches),
        max_fetches: count(fetches),
        max_field_bytes: count(limits.field_bytes),
        max_labels: count(limits.labels),
        max_filter_values: count(limits.filter_values),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
