use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::article::{Body, Incoming, Metadata, paragraphs_of};
use crate::corpus::{
    Compared, Corpus, Detail, DocumentQuery, DuplicateQuestion, Query, RelatedDocumentsQuestion,
    RelatedQuestion, WatchQuestion, Watching,
};
use crate::proto::v1::similarity_service_server::SimilarityService;
use crate::proto::v1::{
    find_duplicates_request, find_related_documents_request, find_related_passages_request,
    watch_related_documents_request,
};
use crate::proto::{SEQUENCE, v1 as pb};
use crate::store::Filter;

use super::convert;
use super::gate::{Gate, client_of};
use super::outgoing::{Outgoing, outgoing};
use super::refusal::{ANSWER_BYTES, Refusal, fit, fit_ids};
use super::validate::Check;

/// What a map costs while it is on its way, in answers of other calls: it has many, but small ones.
pub(super) const MAP_COST: usize = 256;

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
                let query = query(&mut check, asked);
                let min_probability = check.share("min_probability", request.min_probability);
                let filter = check.filter(request.filter);
                let limit = check.limit("limit", request.limit);
                let detail = check.detail(request.view, Detail::Evidence);
                let query = check.finish(query)?;
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
                let query = query(&mut check, asked);
                let filter = check.filter(request.filter);
                let limit = check.limit("limit", request.limit);
                let max_per_document = check.bound("max_per_document", request.max_per_document);
                let min_score = check.share("min_score", request.min_score).unwrap_or(0.0);
                let ranking = check.ranking(request.ranking);
                let query = check.finish(query)?;
                let question =
                    RelatedQuestion { query, filter, limit, max_per_document, min_score, ranking };
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
        request: Request<pb::FindRelatedDocumentsRequest>,
    ) -> Result<Response<pb::FindRelatedDocumentsResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                use find_related_documents_request::Query;
                let mut check = Check::new(corpus.limits());
                let asked = request.query.map(|query| match query {
                    Query::DocumentId(id) => Asked::Document(id),
                    Query::Document(document) => Asked::Incoming(Box::new(document)),
                });
                let query = document_query(&mut check, asked);
                let filter = check.filter(request.filter);
                let limit = check.limit("limit", request.limit);
                let min_score = check.share("min_score", request.min_score).unwrap_or(0.0);
                let ranking = check.ranking(request.ranking);
                let query = check.finish(query)?;
                let question =
                    RelatedDocumentsQuestion { query, filter, limit, min_score, ranking };
                let answers = corpus.related_documents(question).await?;
                let copies = answers.query_duplicates.iter().map(ToString::to_string);
                let mut response = pb::FindRelatedDocumentsResponse {
                    documents: Vec::new(),
                    model_id: answers.model_id,
                    query_duplicate_ids: copies.collect(),
                    truncated: false,
                };
                let all_ids = fit_ids(&mut response.query_duplicate_ids);
                let mut documents: Vec<_> =
                    answers.documents.into_iter().map(convert::related_document).collect();
                let all_documents = fit(&mut documents, response.encoded_len());
                response.truncated = !(all_ids && all_documents);
                response.documents = documents;
                Ok(response)
            })
            .await
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
                let left = compared(&mut check, "left", left);
                let right = compared(&mut check, "right", right);
                let detail = check.detail(request.view, Detail::Evidence);
                let (left, right) = check.finish(left.zip(right))?;
                let verdict = corpus.compare_documents(left, right, detail).await?;
                let verdict = convert::fitting_verdict(verdict, detail, ANSWER_BYTES - 1_024);
                Ok(pb::CompareDocumentsResponse { verdict: Some(verdict) })
            })
            .await
    }

    type MapDocumentsStream = BoxStream<'static, Result<pb::MapDocumentsResponse, Status>>;

    async fn map_documents(
        &self,
        request: Request<pb::MapDocumentsRequest>,
    ) -> Result<Response<Self::MapDocumentsStream>, Status> {
        let (client, share) = (client_of(&request), self.gate.share_of(&request));
        let (metadata, _, request) = request.into_parts();
        let pass = self.gate.enter(&metadata, client, &request)?;
        let mut check = Check::new(pass.corpus.limits());
        let filter = check.filter(request.filter);
        check.finish(Some(()))?;
        let work = |corpus, answers| async move { map(&corpus, filter, answers).await };
        Ok(Response::new(outgoing(pass, share, work)))
    }

    type WatchRelatedDocumentsStream =
        BoxStream<'static, Result<pb::WatchRelatedDocumentsResponse, Status>>;

    async fn watch_related_documents(
        &self,
        request: Request<pb::WatchRelatedDocumentsRequest>,
    ) -> Result<Response<Self::WatchRelatedDocumentsStream>, Status> {
        use watch_related_documents_request::Query;
        let client = client_of(&request);
        let (metadata, _, request) = request.into_parts();
        let pass = self.gate.enter(&metadata, client, &request)?;
        let mut check = Check::new(pass.corpus.limits());
        let query = match request.query {
            Some(Query::Text(text)) => check.query_text("text", text).map(|text| {
                let body = Body::Paragraphs(paragraphs_of(&text));
                let incoming = Incoming { id: None, metadata: Metadata::default(), body };
                DocumentQuery::Incoming(Box::new(incoming))
            }),
            Some(Query::DocumentId(id)) => {
                check.document_id("document_id", &id).map(DocumentQuery::Stored)
            }
            None => {
                check.fail("query", "is not set; give one of text and document_id");
                None
            }
        };
        let filter = check.filter(request.filter);
        let min_score = check.share("min_score", request.min_score);
        let after = request.after_sequence;
        if let Some(after) = after.filter(|after| *after < 0) {
            check.fail("after_sequence", format!("is {after}; give the sequence of an answer"));
        }
        let query = check.finish(query)?;
        let question = WatchQuestion { query, filter, min_score, after };
        let Watching { after, answers } =
            pass.corpus.watch(question).await.map_err(Refusal::from)?;
        // Standing questions have a bound of their own; this one is not worked on any more.
        drop(pass);
        let gate = self.gate.clone();
        let answers = ReceiverStream::new(answers).map(|answer| match answer {
            Ok(answer) => Ok(convert::watched(answer)),
            Err(error) => Err(Refusal::from(error).into()),
        });
        let draining = futures::stream::once(async move {
            gate.draining().await;
            Err(Status::from(Refusal::Draining))
        });
        let answers = futures::stream::select(answers, draining);
        // An error is the last word.
        let answers = answers.scan(false, |has_ended, answer| {
            let goes_on = !std::mem::replace(has_ended, answer.is_err());
            futures::future::ready(goes_on.then_some(answer))
        });
        let mut response = Response::new(answers.boxed());
        response.metadata_mut().insert(SEQUENCE, after.into());
        Ok(response)
    }
}

/// Sends the places of all documents that `filter` lets through, until the reader is gone.
async fn map(
    corpus: &Corpus,
    filter: Filter,
    answers: Outgoing<pb::MapDocumentsResponse>,
) -> Result<(), Refusal> {
    let (mut before, mut total) = (None, 0);
    loop {
        let page = corpus.map(filter.clone(), before).await?;
        (before, total) = (page.next, page.total.unwrap_or(total));
        let goes_on = answers.send(convert::mapped(page.documents, total)).await?;
        if !goes_on || before.is_none() {
            return Ok(());
        }
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

/// A document that is asked about.
fn document_query(check: &mut Check<'_>, asked: Option<Asked>) -> Option<DocumentQuery> {
    match asked {
        Some(Asked::Document(id)) => {
            check.document_id("document_id", &id).map(DocumentQuery::Stored)
        }
        Some(Asked::Incoming(document)) => check
            .document("document", Some(*document))
            .map(|incoming| DocumentQuery::Incoming(Box::new(incoming))),
        Some(Asked::Text(_) | Asked::Passage(_)) | None => {
            check.fail("query", "is not set; give one of document_id and document");
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
