use prost::Message;
use tonic::{Request, Response, Status};

use crate::proto::v1 as pb;
use crate::proto::v1::story_service_server::StoryService;

use super::convert;
use super::gate::Gate;
use super::page_token;
use super::refusal::fit;
use super::validate::Check;

pub(super) struct Service {
    pub gate: Gate,
}

#[tonic::async_trait]
impl StoryService for Service {
    async fn get_story(
        &self,
        request: Request<pb::GetStoryRequest>,
    ) -> Result<Response<pb::GetStoryResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let key = check.story_id("story_id", &request.story_id);
                let size = check.page_size(request.page_size);
                let query = ("GetStory", &request.story_id);
                let from = check.page_token(&query, &request.page_token).unwrap_or(0);
                let page = corpus.story(check.finish(key)?, from, size).await?;
                let mut response = pb::GetStoryResponse {
                    story: Some(convert::story(page.story)),
                    documents: Vec::new(),
                    next_page_token: String::new(),
                };
                let mut documents: Vec<_> =
                    page.documents.into_iter().map(convert::summary).collect();
                let is_whole = fit(&mut documents, response.encoded_len());
                let next = match is_whole {
                    true => page.next,
                    false => Some(from + documents.len() as i64),
                };
                response.documents = documents;
                response.next_page_token =
                    next.map(|next| page_token::encode(&query, next)).unwrap_or_default();
                Ok(response)
            })
            .await
    }

    async fn list_stories(
        &self,
        request: Request<pb::ListStoriesRequest>,
    ) -> Result<Response<pb::ListStoriesResponse>, Status> {
        self.gate
            .answer(request, |corpus, request| async move {
                let mut check = Check::new(corpus.limits());
                let filter = check.filter(request.filter);
                let distinct = request.min_distinct_documents;
                if distinct < 0 {
                    check.fail("min_distinct_documents", format!("is {distinct}; give 0 or more"));
                }
                let size = check.page_size(request.page_size);
                let query = ("ListStories", &filter, distinct);
                let after = check.page_token(&query, &request.page_token);
                check.finish(Some(()))?;
                let page = corpus.stories(filter.clone(), i64::from(distinct), after, size).await?;
                let changes: Vec<i64> =
                    page.stories.iter().map(|story| story.story.change).collect();
                let mut stories: Vec<_> = page.stories.into_iter().map(convert::story).collect();
                let next = match fit(&mut stories, 0) {
                    true => page.next,
                    false => stories.len().checked_sub(1).and_then(|at| changes.get(at).copied()),
                };
                Ok(pb::ListStoriesResponse {
                    stories,
                    next_page_token: next
                        .map(|next| page_token::encode(&query, next))
                        .unwrap_or_default(),
                })
            })
            .await
    }
}
