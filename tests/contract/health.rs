//! gRPC health, for the server as a whole and for each service; and reflection.

use crate::common::Desk;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

const SERVICES: [&str; 5] = [
    "",
    "copydesk.v1.CorpusService",
    "copydesk.v1.SimilarityService",
    "copydesk.v1.StoryService",
    "copydesk.v1.AdminService",
];

async fn channel(desk: &Desk) -> tonic::transport::Channel {
    Endpoint::from_shared(format!("http://{}", desk.address)).unwrap().connect().await.unwrap()
}

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn every_service_is_serving_once_the_corpus_is_ready_and_not_while_draining() {
    let mut desk = Desk::open().await;
    let mut health = HealthClient::new(channel(&desk).await);
    let mut watches = Vec::new();
    for service in SERVICES {
        let status = health.check(check(service)).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
        let mut watch = health.watch(check(service)).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        watches.push(watch);
    }
    let unknown = health.check(check("nobody")).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);

    desk.terminate();
    for mut watch in watches {
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    }
    assert!(desk.wait().await.success());
}

#[tokio::test]
async fn the_server_is_not_serving_until_the_corpus_is_ready() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut child = crate::common::program()
        // Every worker loads the model: long enough to ask in the meantime.
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "8", "--data"])
        .arg(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address =
        lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned())).unwrap();
    let channel =
        Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel.clone());
    let early = health.check(check("")).await.unwrap().into_inner().status();
    let mut admin = copydesk::proto::v1::admin_service_client::AdminServiceClient::new(channel);
    let refused = admin.get_server_info(copydesk::proto::v1::GetServerInfoRequest {}).await;
    assert!(lines.any(|line| line == format!("ready on {address}")));
    let late = health.check(check("")).await.unwrap().into_inner().status();
    child.kill().unwrap();
    child.wait().unwrap();
    // The model takes a while to load; this call does not.
    assert_eq!((early, late), (ServingStatus::NotServing, ServingStatus::Serving));
    assert_eq!(refused.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_generic_client_learns_the_contract_by_reflection() {
    let desk = Desk::open().await;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(channel(&desk).await);
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1::server_reflection_response::MessageResponse::ListServicesResponse(listed) = answer
    else {
        panic!("{answer:?}")
    };
    let names: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    for service in &SERVICES[1..] {
        assert!(names.iter().any(|name| name == service), "{names:?}");
    }

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "copydesk.v1.SimilarityService".to_owned(),
            ),
        ),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&desk).await);
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(files) =
        answer
    else {
        panic!("{answer:?}")
    };
    assert!(!files.file_descriptor_proto.is_empty());
}
