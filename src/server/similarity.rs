use futures::stream::BoxStream;
use prost::Message;
use tonic::{Request, Response, Status};

use crate::corpus::{Compared, Detail, DuplicateQuestion, Query, RelatedQuestion};
use crate::proto::v1 as pb;
use crate::proto::v1::similarity_service_server::SimilarityService;
use crate::proto::v1::{find_duplicates_request, find_related_passages_request};

use super::convert;
use super::corpus_service::is_page;
use super::gate::Gate;
use super::refusal::{ANSWER_BYTES, Refusal, fit, fit_ids};
use super::validate::Check;

pub(super) struct Service {
    pub gate: Gate,
}

#[tonic::async_trait]
impl SimilarityService for Service {
    async fn find_duplicates(
        &self,
        request: Request<pb::FindDuplicatesRequest>,
    ) -> Result<Response<pb::FindDuplicatesResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let asked = request.query.map(Asked::from);
                let is_page = asked.as_ref().is_some_and(Asked::is_page);
                let query = query(&mut check, asked);
                let min_probability = check.share("min_probability", request.min_probability);
                let filter = check.filter(request.filter);
                let limit = check.limit("limit", request.limit);
                let detail = check.detail(request.view, Detail::Evidence);
                let query = finish(check, query, is_page)?;
                let question = DuplicateQuestion { query, min_probability, filter, limit, detail };
                let answers = corpus.duplicates(question).await?;
                let matches = answers.matches.into_iter();
                let mut response = pb::FindDuplicatesResponse {
                    matches: matches.map(|found| convert::duplicate_match(found, detail)).collect(),
                    model_id: answers.model_id,
                    truncated: false,
                };
                response.truncated = !fit(&mut response.matches, 0);
                Ok(response)
            })
            .await
    }

    async fn find_related_passages(
        &self,
        request: Request<pb::FindRelatedPassagesRequest>,
    ) -> Result<Response<pb::FindRelatedPassagesResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let asked = request.query.map(Asked::from);
                let is_page = asked.as_ref().is_some_and(Asked::is_page);
                let query = query(&mut check, asked);
                let filter = check.filter(request.filter);
                let limit = check.limit("limit", request.limit);
                let max_per_document = check.bound("max_per_document", request.max_per_document);
                let min_score = check.share("min_score", request.min_score).unwrap_or(0.0);
                let ranking = request.ranking.unwrap_or_default();
                let missing = missing_ranking(&mut check, &ranking);
                let query = finish(check, query, is_page)?;
                if let Some(missing) = missing {
                    return Err(Refusal::Unimplemented(missing));
                }
                let question = RelatedQuestion {
                    query,
                    filter,
                    limit,
                    max_per_document,
                    min_score,
                    include_duplicates: ranking.include_duplicates,
                };
                let answers = corpus.related(question).await?;
                let copies = answers.query_duplicates.iter().map(convert::passage_id);
                let mut response = pb::FindRelatedPassagesResponse {
                    passages: Vec::new(),
                    model_id: answers.model_id,
                    query_duplicate_ids: copies.collect(),
                    truncated: false,
                };
                let all_ids = fit_ids(&mut response.query_duplicate_ids);
                let mut passages: Vec<_> =
                    answers.passages.into_iter().map(convert::related_passage).collect();
                let all_passages = fit(&mut passages, response.encoded_len());
                response.truncated = !(all_ids && all_passages);
                response.passages = passages;
                Ok(response)
            })
            .await
    }

    async fn find_related_documents(
        &self,
        _request: Request<pb::FindRelatedDocumentsRequest>,
    ) -> Result<Response<pb::FindRelatedDocumentsResponse>, Status> {
        Err(Refusal::Unimplemented("FindRelatedDocuments").into())
    }

    async fn compare_documents(
        &self,
        request: Request<pb::CompareDocumentsRequest>,
    ) -> Result<Response<pb::CompareDocumentsResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                use pb::compare_documents_request::{Left, Right};
                let mut check = Check::new(corpus.limits());
                let left = request.left.map(|left| match left {
                    Left::LeftDocumentId(id) => Asked::Document(id),
                    Left::LeftDocument(document) => Asked::Incoming(Box::new(document)),
                });
                let right = request.right.map(|right| match right {
                    Right::RightDocumentId(id) => Asked::Document(id),
                    Right::RightDocument(document) => Asked::Incoming(Box::new(document)),
                });
                let is_page = [&left, &right].into_iter().flatten().any(Asked::is_page);
                let left = compared(&mut check, "left", left);
                let right = compared(&mut check, "right", right);
                let detail = check.detail(request.view, Detail::Evidence);
                let (left, right) = finish(check, left.zip(right), is_page)?;
                let verdict = corpus.compare_documents(left, right, detail).await?;
                let verdict = convert::fitting_verdict(verdict, detail, ANSWER_BYTES - 1_024);
                Ok(pb::CompareDocumentsResponse { verdict: Some(verdict) })
            })
            .await
    }

    type WatchRelatedDocumentsStream =
        BoxStream<'static, Result<pb::WatchRelatedDocumentsResponse, Status>>;

    async fn watch_related_documents(
        &self,
        _request: Request<pb::WatchRelatedDocumentsRequest>,
    ) -> Result<Response<Self::WatchRelatedDocumentsStream>, Status> {
        Err(Refusal::Unimplemented("WatchRelatedDocuments").into())
    }
}

/// The forms of a query that both questions have.
enum Asked {
    Text(String),
    Passage(String),
    Document(String),
    Incoming(Box<pb::Document>),
}

impl From<find_duplicates_request::Query> for Asked {
    fn from(query: find_duplicates_request::Query) -> Self {
        use find_duplicates_request::Query;
        match query {
            Query::Text(text) => Self::Text(text),
            Query::PassageId(id) => Self::Passage(id),
            Query::DocumentId(id) => Self::Document(id),
            Query::Document(document) => Self::Incoming(Box::new(document)),
        }
    }
}

impl From<find_related_passages_request::Query> for Asked {
    fn from(query: find_related_passages_request::Query) -> Self {
        use find_related_passages_request::Query;
        match query {
            Query::Text(text) => Self::Text(text),
            Query::PassageId(id) => Self::Passage(id),
            Query::DocumentId(id) => Self::Document(id),
            Query::Document(document) => Self::Incoming(Box::new(document)),
        }
    }
}

impl Asked {
    fn is_page(&self) -> bool {
        matches!(self, Self::Incoming(document) if is_page(Some(document)))
    }
}

fn query(check: &mut Check<'_>, asked: Option<Asked>) -> Option<Query> {
    match asked {
        Some(Asked::Text(text)) => check.query_text("text", text).map(Query::Text),
        Some(Asked::Passage(name)) => check.passage_name("passage_id", &name).map(Query::Passage),
        Some(Asked::Document(id)) => check.document_id("document_id", &id).map(Query::Document),
        Some(Asked::Incoming(document)) => check
            .document("document", Some(*document))
            .map(|incoming| Query::Incoming(Box::new(incoming))),
        None => {
            check.fail(
                "query",
                "is not set; give one of text, passage_id, document_id and document",
            );
            None
        }
    }
}

/// One of two documents that are compared.
fn compared(check: &mut Check<'_>, side: &str, asked: Option<Asked>) -> Option<Compared> {
    match asked {
        Some(Asked::Document(id)) => {
            check.document_id(&format!("{side}_document_id"), &id).map(Compared::Stored)
        }
        Some(Asked::Incoming(document)) => check
            .document(&format!("{side}_document"), Some(*document))
            .map(|incoming| Compared::Incoming(Box::new(incoming))),
        Some(Asked::Text(_) | Asked::Passage(_)) | None => {
            check.fail(
                side,
                format!("is not set; give one of {side}_document_id and {side}_document"),
            );
            None
        }
    }
}

/// What is asked about, if nothing is wrong with the request and none of it is a page.
fn finish<T>(check: Check<'_>, query: Option<T>, is_page: bool) -> Result<T, Refusal> {
    if is_page {
        check.finish(Some(()))?;
        return Err(Refusal::Unimplemented("a body in html"));
    }
    check.finish(query)
}

/// Checks the options of ranking and names one that is not there yet, if it is used.
fn missing_ranking(check: &mut Check<'_>, ranking: &pb::RankingOptions) -> Option<&'static str> {
    check.share("ranking.diversity", Some(ranking.diversity));
    check.time("ranking.as_of", ranking.as_of);
    match pb::RetrievalMode::try_from(ranking.mode) {
        Ok(pb::RetrievalMode::Unspecified | pb::RetrievalMode::Semantic) => {}
        Ok(pb::RetrievalMode::Hybrid) => return Some("RETRIEVAL_MODE_HYBRID"),
        Ok(pb::RetrievalMode::Lexical) => return Some("RETRIEVAL_MODE_LEXICAL"),
        Err(_) => check.unknown("ranking.mode", ranking.mode),
    }
    if ranking.diversity > 0.0 {
        return Some("ranking.diversity");
    }
    ranking.recency_half_life.map(|_| "ranking.recency_half_life")
}
