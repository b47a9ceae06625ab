use tonic::{Request, Response, Status};

use crate::corpus::{Corpus, Limits};
use crate::proto::v1::admin_service_server::AdminService;
use crate::proto::{timestamp, v1 as pb};

use super::gate::Gate;
use super::refusal::Refusal;

pub(super) struct Service {
    pub gate: Gate,
}

#[tonic::async_trait]
impl AdminService for Service {
    async fn get_server_info(
        &self,
        request: Request<pb::GetServerInfoRequest>,
    ) -> Result<Response<pb::GetServerInfoResponse>, Status> {
        self.gate.answer(request, |corpus, _| async move { info(&corpus).await }).await
    }

    async fn create_snapshot(
        &self,
        _request: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<pb::CreateSnapshotResponse>, Status> {
        Err(Refusal::Unimplemented("CreateSnapshot").into())
    }

    async fn compact_index(
        &self,
        _request: Request<pb::CompactIndexRequest>,
    ) -> Result<Response<pb::CompactIndexResponse>, Status> {
        Err(Refusal::Unimplemented("CompactIndex").into())
    }
}

async fn info(corpus: &Corpus) -> Result<pb::GetServerInfoResponse, Refusal> {
    let info = corpus.info().await?;
    let model = corpus.model();
    let building = info.index.graph_built.filter(|built| *built < 1.0);
    Ok(pb::GetServerInfoResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: Some(pb::ModelInfo {
            model_id: model.id.clone(),
            weights_sha256: model.weights_sha256.clone(),
            dimension: count(model.dimension),
            max_tokens: count(model.max_tokens),
            precision: model.precision.to_owned(),
            pooling: model.pooling.to_owned(),
            embedded_share: 1.0,
        }),
        corpus: Some(pb::CorpusInfo {
            document_count: info.totals.documents,
            passage_count: info.totals.passages,
            distinct_passage_count: info.totals.contents,
            story_count: 0,
            index_segment_count: count(info.index.segments),
            index_coverage: info.index.coverage,
            disk_bytes: i64::try_from(info.disk_bytes).unwrap_or(i64::MAX),
            oldest_published_at: info.totals.oldest_published_at.map(timestamp),
            background_work: building
                .map(|built| format!("building the graph {:.0}%", built * 100.0))
                .into_iter()
                .collect(),
        }),
        limits: Some(limits(corpus.limits())),
    })
}

fn limits(limits: &Limits) -> pb::LimitsInfo {
    pb::LimitsInfo {
        max_document_bytes: i64::try_from(limits.document_bytes).unwrap_or(i64::MAX),
        max_paragraphs_per_document: count(limits.paragraphs),
        max_message_bytes: i64::try_from(limits.message_bytes).unwrap_or(i64::MAX),
        max_limit: count(limits.answers),
        max_concurrent_requests: count(limits.concurrent_requests),
        max_field_bytes: count(limits.field_bytes),
        max_labels: count(limits.labels),
        max_filter_values: count(limits.filter_values),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
