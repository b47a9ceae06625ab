use tonic::server::NamedService;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;

use crate::proto::v1::admin_service_server::SERVICE_NAME as ADMIN;
use crate::proto::v1::corpus_service_server::SERVICE_NAME as CORPUS;
use crate::proto::v1::similarity_service_server::SERVICE_NAME as SIMILARITY;
use crate::proto::v1::story_service_server::SERVICE_NAME as STORY;

use super::super::refusal::Refusal;

/// gRPC reflection, in each of its versions.
const REFLECTION: &str = "grpc.reflection.";

/// What a caller may do. A higher right includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Right {
    /// All questions, gets and lists; ingest that only validates; fetching pages
    Read,
    /// Ingest, deleting a document, an editor's verdict
    Write,
    /// Everything: deleting by filter, exporting, the rest of AdminService
    Admin,
}

impl Right {
    /// As tokens files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The right of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|right| right.as_str() == name)
    }

    /// `Ok` if this includes `needed`.
    pub(in crate::server) fn check(self, needed: Self) -> Result<(), Refusal> {
        if self >= needed { Ok(()) } else { Err(Refusal::Forbidden { needed, held: self }) }
    }

    /// `Ok` if this is enough for an ingest: to validate, reading is.
    pub(in crate::server) fn check_ingest(self, validate_only: bool) -> Result<(), Refusal> {
        self.check(if validate_only { Self::Read } else { Self::Write })
    }
}

/// The right that a call needs, by its path (`/package.Service/Method`); `None` where
/// anybody may call. What is not listed is for administrators, so that a call of the
/// contract that was forgotten here is closed and not open.
pub(super) fn needed(path: &str) -> Option<Right> {
    let call = path.strip_prefix('/').and_then(|call| call.split_once('/'));
    let (service, method) = call.unwrap_or_default();
    match (service, method) {
        (service, _) if service == HealthServer::<HealthService>::NAME => None,
        (service, _) if service.starts_with(REFLECTION) => Some(Right::Read),
        (SIMILARITY | STORY, _) | (ADMIN, "GetServerInfo") => Some(Right::Read),
        (CORPUS, "GetDocument" | "BatchGetDocuments" | "ListDocuments" | "FetchPage") => {
            Some(Right::Read)
        }
        // What these need depends on the request: see `Right::check_ingest`.
        (CORPUS, "IngestDocument" | "IngestDocuments") => Some(Right::Read),
        (CORPUS, "DeleteDocument" | "SetVerdict") => Some(Right::Write),
        _ => Some(Right::Admin),
    }
}

#[cfg(test)]
mod tests {
    use super::{Right, needed};

    /// What each call of the contract needs is in `tests/access.rs`.
    #[test]
    fn only_health_is_open() {
        assert_eq!(needed("/grpc.health.v1.Health/Check"), None);
        assert_eq!(needed("/grpc.health.v1.Health/Watch"), None);
        let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        assert_eq!(needed(reflection), Some(Right::Read));
        for other in ["", "/", "//", "/nonsense", "/grpc.health.v1.Healthy/Check"] {
            assert_eq!(needed(other), Some(Right::Admin), "{other:?}");
        }
    }
}
