use tonic::{Request, Response, Status};

use crate::proto::v1 as pb;
use crate::proto::v1::story_service_server::StoryService;

use super::refusal::Refusal;

pub(super) struct Service;

#[tonic::async_trait]
impl StoryService for Service {
    async fn get_story(
        &self,
        _request: Request<pb::GetStoryRequest>,
    ) -> Result<Response<pb::GetStoryResponse>, Status> {
        Err(Refusal::Unimplemented("GetStory").into())
    }

    async fn list_stories(
        &self,
        _request: Request<pb::ListStoriesRequest>,
    ) -> Result<Response<pb::ListStoriesResponse>, Status> {
        Err(Refusal::Unimplemented("ListStories").into())
    }
}
