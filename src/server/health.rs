use std::time::Duration;

use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use super::{admin, corpus_service, similarity, story};
use crate::proto::v1::admin_service_server::AdminServiceServer;
use crate::proto::v1::corpus_service_server::CorpusServiceServer;
use crate::proto::v1::similarity_service_server::SimilarityServiceServer;
use crate::proto::v1::story_service_server::StoryServiceServer;

/// What health is told for: the server as a whole, and each service.
const NAMES: [&str; 5] = [
    "",
    <CorpusServiceServer<corpus_service::Service> as NamedService>::NAME,
    <SimilarityServiceServer<similarity::Service> as NamedService>::NAME,
    <StoryServiceServer<story::Service> as NamedService>::NAME,
    <AdminServiceServer<admin::Service> as NamedService>::NAME,
];

/// How long watchers have to hear the last word before they are let go.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Tells who asks whether the server is serving (grpc.health.v1).
#[derive(Clone)]
pub(super) struct Reporter(HealthReporter);

impl Reporter {
    /// Not serving yet.
    pub async fn new() -> (Self, HealthServer<impl Health>) {
        let (reporter, service) = health_reporter();
        let reporter = Self(reporter);
        reporter.not_serving().await;
        (reporter, service)
    }

    pub async fn serving(&self) {
        self.set(ServingStatus::Serving).await;
    }

    pub async fn not_serving(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    /// Says that the server does not serve any more, and ends the watches, which would
    /// keep their connections open.
    pub async fn end(mut self) {
        self.not_serving().await;
        tokio::time::sleep(LAST_WORD).await;
        for name in NAMES {
            self.0.clear_service_status(name).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        for name in NAMES {
            self.0.set_service_status(name, status).await;
        }
    }
}
