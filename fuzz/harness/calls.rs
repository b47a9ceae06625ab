//! Whole requests: any bytes as the message of any method, by a real client to a real server.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use copydesk::proto::{DESCRIPTORS, v1 as pb};
use futures::StreamExt;
use prost::bytes::{Buf, BufMut, Bytes};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::desk::Desk;

/// Another model is a matter of its files, and those of the machine are not the fuzzer's.
const LEFT_OUT: [&str; 1] = ["Reembed"];

/// What never ends by itself.
const ENDLESS: &str = "WatchRelatedDocuments";

/// How the names of methods begin that change nothing.
const QUESTIONS: [&str; 8] =
    ["BatchGet", "Compare", "Export", "Fetch", "Find", "Get", "List", "Watch"];

/// What is known before each call.
fn documents() -> Vec<pb::Document> {
    let texts = [
        "The central bank raised its key interest rate by half a point to 5.5 pct on Monday.",
        "The central bank raised its key interest rate by half a point to 5.5 pct on Monday.",
        "Fishermen in the northern harbour have been on strike over quotas since last week.",
    ];
    let document = |(id, text): (&str, &str)| pb::Document {
        document_id: id.to_owned(),
        text: Some(text.to_owned()),
        ..Default::default()
    };
    ["a", "b", "c"].into_iter().zip(texts).map(document).collect()
}

/// A server, and the methods of its contract.
pub struct Calls {
    desk: Desk,
    methods: Vec<MethodDescriptor>,
}

impl Calls {
    /// Starts it.
    pub fn new() -> Self {
        Self { desk: Desk::with(&documents()), methods: methods() }
    }

    /// The first byte says which method, the rest is its message. A stream of them gets it
    /// twice.
    pub fn call(&mut self, data: &[u8]) {
        let Some((&which, message)) = data.split_first() else { return };
        let Some(method) = self.methods.get(usize::from(which) % self.methods.len()) else {
            return;
        };
        let method = method.clone();
        let message = Bytes::copy_from_slice(message);
        let answers = ask(self.desk.channel.clone(), &method, message);
        match self.desk.runtime.block_on(answers) {
            Ok(answers) => {
                for answer in answers {
                    DynamicMessage::decode(method.output(), answer).unwrap();
                }
            }
            Err(status) => check_refusal(&status),
        }
        if !QUESTIONS.iter().any(|begin| method.name().starts_with(begin)) {
            self.restore();
        }
    }

    /// Brings the corpus back to what it was, so that a finding is one of its own bytes.
    fn restore(&mut self) {
        assert_eq!(self.desk.outside(), Vec::<PathBuf>::new(), "beside the folders of the server");
        let _ = fs::remove_dir_all(self.desk.snapshots());
        let request = pb::ListDocumentsRequest { page_size: 1_000, ..Default::default() };
        let listed = self.desk.runtime.block_on(self.desk.client.corpus.list_documents(request));
        let listed = listed.unwrap().into_inner().documents;
        let known: Vec<String> = listed.into_iter().map(|found| found.document_id).collect();
        for document_id in known.iter().filter(|id| !["a", "b", "c"].contains(&id.as_str())) {
            let request = pb::DeleteDocumentRequest { document_id: document_id.clone() };
            self.desk.runtime.block_on(self.desk.client.corpus.delete_document(request)).unwrap();
        }
        for document in documents().into_iter().filter(|it| !known.contains(&it.document_id)) {
            self.desk.put(document);
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self::new()
    }
}

/// The methods of the contract, in a fixed order.
pub fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let ours = pool.services().filter(|service| service.full_name().starts_with("copydesk."));
    let methods = ours.flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut methods: Vec<_> = methods.filter(|it| !LEFT_OUT.contains(&it.name())).collect();
    methods.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    methods
}

/// The answers to a message, as they came.
async fn ask(
    channel: Channel,
    method: &MethodDescriptor,
    message: Bytes,
) -> Result<Vec<Bytes>, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = path.parse().unwrap();
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    if !method.is_server_streaming() {
        return Ok(vec![client.unary(Request::new(message), path, Raw).await?.into_inner()]);
    }
    let answers = match method.is_client_streaming() {
        true => {
            let twice = futures::stream::iter([message.clone(), message]);
            client.streaming(Request::new(twice), path, Raw).await?
        }
        false => client.server_streaming(Request::new(message), path, Raw).await?,
    };
    let answers = answers.into_inner().take(if method.name() == ENDLESS { 0 } else { usize::MAX });
    answers.collect::<Vec<_>>().await.into_iter().collect()
}

/// A refusal is the caller's affair, says so, and has a reason for machines.
fn check_refusal(status: &Status) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str()).unwrap_or_default();
    match status.code() {
        Code::InvalidArgument => {
            let fields = details.bad_request().map_or(0, |bad| bad.field_violations.len());
            assert!(fields > 0 && !reason.is_empty(), "{status:?}");
        }
        Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::NotFound
        | Code::OutOfRange
        | Code::ResourceExhausted
        | Code::Unimplemented => assert!(!reason.is_empty(), "{status:?}"),
        _ => panic!("{status:?}"),
    }
}

/// Messages as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
