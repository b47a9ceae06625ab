use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use crate::article::DocumentId;
use crate::corpus::{Corpus, Detail, Ingest, Limits};
use crate::proto::v1::corpus_service_server::CorpusService;
use crate::proto::{timestamp, v1 as pb};

use super::access::right_of;
use super::convert;
use super::gate::{Gate, client_of};
use super::ingest_stream;
use super::outgoing::{Outgoing, outgoing};
use super::page_token;
use super::pages::Pages;
use super::refusal::{ANSWER_BYTES, Refusal, fit};
use super::validate::Check;

/// Documents that are read at once for an export.
pub(super) const EXPORT_CHUNK: usize = 32;

pub(super) struct Service {
    pub gate: Gate,
    pub pages: Pages,
}

#[tonic::async_trait]
impl CorpusService for Service {
    async fn ingest_document(
        &self,
        request: Request<pb::IngestDocumentRequest>,
    ) -> Result<Response<pb::IngestDocumentResponse>, Status> {
        let right = right_of(&request);
        self.gate
            .answer(request, |corpus, request| async move {
                right.check_ingest(request.validate_only)?;
                let ingest = ingest(corpus.limits(), request)?;
                let detail = ingest.detail;
                Ok(convert::ingested(corpus.ingest(ingest).await?, detail))
            })
            .await
    }

    type IngestDocumentsStream = BoxStream<'static, Result<pb::IngestDocumentsResponse, Status>>;

    async fn ingest_documents(
        &self,
        request: Request<Streaming<pb::IngestDocumentsRequest>>,
    ) -> Result<Response<Self::IngestDocumentsStream>, Status> {
        let (client, right) = (client_of(&request), right_of(&request));
        let share = self.gate.share_of(&request);
        let (metadata, _, requests) = request.into_parts();
        let pass = self.gate.enter_stream(&metadata, client)?;
        let answers = ingest_stream::answers(self.gate.clone(), pass, right, share, requests);
        Ok(Response::new(answers.boxed()))
    }

    async fn get_document(
        &self,
        request: Request<pb::GetDocumentRequest>,
    ) -> Result<Response<pb::GetDocumentResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let id = check.document_id("document_id", &request.document_id);
                let detail = check.detail(request.view, Detail::Summary);
                let answer = corpus.document(check.finish(id)?, detail).await?;
                let mut response = pb::GetDocumentResponse {
                    document: Some(convert::summary(answer.document)),
                    passages: answer.passages.into_iter().map(convert::passage).collect(),
                    verdict: None,
                };
                let room = ANSWER_BYTES.saturating_sub(response.encoded_len());
                response.verdict = Some(convert::fitting_verdict(answer.verdict, detail, room));
                Ok(response)
            })
            .await
    }

    async fn batch_get_documents(
        &self,
        request: Request<pb::BatchGetDocumentsRequest>,
    ) -> Result<Response<pb::BatchGetDocumentsResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let ids = batch(corpus.limits(), &request.document_ids)?;
                let (documents, unknown) = corpus.documents(ids).await?;
                let response = pb::BatchGetDocumentsResponse {
                    documents: documents.into_iter().map(convert::summary).collect(),
                    unknown_document_ids: unknown.iter().map(DocumentId::to_string).collect(),
                };
                match response.encoded_len() <= ANSWER_BYTES {
                    true => Ok(response),
                    false => Err(Refusal::AnswerTooLarge),
                }
            })
            .await
    }

    async fn list_documents(
        &self,
        request: Request<pb::ListDocumentsRequest>,
    ) -> Result<Response<pb::ListDocumentsResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let filter = check.filter(request.filter);
                let size = check.page_size(request.page_size);
                let query = ("ListDocuments", &filter);
                let after = check.page_token(&query, &request.page_token);
                check.finish(Some(()))?;
                let page = corpus.list(filter.clone(), after, size).await?;
                let sequences: Vec<i64> =
                    page.documents.iter().map(|document| document.sequence).collect();
                let mut documents = page.documents.into_iter().map(convert::summary).collect();
                let all_fit = fit(&mut documents, 0);
                let next = match all_fit {
                    true => page.next,
                    false => {
                        documents.len().checked_sub(1).and_then(|last| sequences.get(last).copied())
                    }
                };
                let next_page_token = next.map(|next| page_token::encode(&query, next));
                Ok(pb::ListDocumentsResponse {
                    documents,
                    next_page_token: next_page_token.unwrap_or_default(),
                })
            })
            .await
    }

    async fn delete_document(
        &self,
        request: Request<pb::DeleteDocumentRequest>,
    ) -> Result<Response<pb::DeleteDocumentResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let id = check.document_id("document_id", &request.document_id);
                let deleted_at = corpus.delete(check.finish(id)?).await?;
                Ok(pb::DeleteDocumentResponse { deleted_at: Some(timestamp(deleted_at)) })
            })
            .await
    }

    async fn delete_documents(
        &self,
        request: Request<pb::DeleteDocumentsRequest>,
    ) -> Result<Response<pb::DeleteDocumentsResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let filter = check.filter(request.filter);
                if filter.only_excludes() {
                    check.fail(
                        "filter",
                        "names nothing but exclusions; say which documents to delete",
                    );
                }
                check.finish(Some(()))?;
                let deleted_count = corpus.delete_all(filter, request.validate_only).await?;
                Ok(pb::DeleteDocumentsResponse { deleted_count })
            })
            .await
    }

    type ExportDocumentsStream = BoxStream<'static, Result<pb::ExportDocumentsResponse, Status>>;

    async fn export_documents(
        &self,
        request: Request<pb::ExportDocumentsRequest>,
    ) -> Result<Response<Self::ExportDocumentsStream>, Status> {
        let (client, share) = (client_of(&request), self.gate.share_of(&request));
        let (metadata, _, request) = request.into_parts();
        let pass = self.gate.enter(&metadata, client, &request)?;
        let mut check = Check::new(pass.corpus.limits());
        let filter = check.filter(request.filter);
        check.finish(Some(()))?;
        let work = |corpus, answers| async move { export(&corpus, filter, answers).await };
        Ok(Response::new(outgoing(pass, share, work)))
    }

    async fn set_verdict(
        &self,
        request: Request<pb::SetVerdictRequest>,
    ) -> Result<Response<pb::SetVerdictResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let id = check.document_id("document_id", &request.document_id);
                let other = check.document_id("other_document_id", &request.other_document_id);
                if id.is_some() && id == other {
                    check.fail("other_document_id", "is document_id; give another document");
                }
                let verdict = check.verdict("verdict", request.verdict);
                let said = id.zip(other).zip(verdict);
                let ((id, other), verdict) = check.finish(said)?;
                let document = corpus.set_verdict(id, other, verdict, request.same_story).await?;
                Ok(pb::SetVerdictResponse { document: Some(convert::summary(document)) })
            })
            .await
    }

    async fn fetch_page(
        &self,
        request: Request<pb::FetchPageRequest>,
    ) -> Result<Response<pb::FetchPageResponse>, Status> {
        let (client, share) = (client_of(&request), self.gate.share_of(&request));
        let (metadata, _, request) = request.into_parts();
        let mut pass = self.gate.enter(&metadata, client, &request)?;
        let mut check = Check::new(pass.corpus.limits());
        check.length("url", &request.url);
        check.finish(Some(()))?;
        // Fetching has a bound of its own: who waits for others' servers keeps no question out.
        pass.place = None;
        pass.answer(async {
            let document = self.pages.fetch(&request.url, &share).await?;
            Ok(pb::FetchPageResponse { document: Some(document) })
        })
        .await
    }
}

/// A checked ingest.
pub(super) fn ingest(
    limits: &Limits,
    request: pb::IngestDocumentRequest,
) -> Result<Ingest, Refusal> {
    let mut check = Check::new(limits);
    let document = check.document("document", request.document);
    let detail = check.detail(request.view, Detail::Summary);
    let skip_duplicates = match pb::DuplicatePolicy::try_from(request.duplicate_policy) {
        Ok(policy) => policy == pb::DuplicatePolicy::Skip,
        Err(_) => {
            check.unknown("duplicate_policy", request.duplicate_policy);
            false
        }
    };
    let validate_only = request.validate_only;
    check.finish(document.map(|document| Ingest {
        document,
        validate_only,
        skip_duplicates,
        detail,
    }))
}

fn batch(limits: &Limits, ids: &[String]) -> Result<Vec<DocumentId>, Refusal> {
    let mut check = Check::new(limits);
    check.count("document_ids", ids.len(), limits.filter_values);
    let parsed: Vec<DocumentId> = ids
        .iter()
        .enumerate()
        .filter_map(|(index, id)| check.document_id(&format!("document_ids[{index}]"), id))
        .collect();
    check.finish(Some(parsed))
}

/// Sends all documents that `filter` lets through, until the reader is gone.
async fn export(
    corpus: &Corpus,
    filter: crate::store::Filter,
    answers: Outgoing<pb::ExportDocumentsResponse>,
) -> Result<(), Refusal> {
    let keys = corpus.keys(filter).await?;
    for chunk in keys.chunks(EXPORT_CHUNK) {
        for exported in corpus.export(chunk.to_vec()).await? {
            let document = Some(convert::exported(exported));
            if !answers.send(pb::ExportDocumentsResponse { document }).await? {
                return Ok(());
            }
        }
    }
    Ok(())
}
