//! A real server in this process, with the default model, over a corpus of its own.

#![allow(dead_code, reason = "each target uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::future;
use std::path::PathBuf;

use copydesk::client::Client;
use copydesk::corpus::{Options, Retention};
use copydesk::embed::{Setup, SetupOptions};
use copydesk::index;
use copydesk::proto::v1 as pb;
use copydesk::server::{AccessOptions, ServerConfig, serve};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

/// The server, and a way to it.
pub struct Desk {
    pub runtime: Runtime,
    pub client: Client,
    pub channel: Channel,
    folder: TempDir,
}

impl Desk {
    /// Starts it, with these documents.
    pub fn with(documents: &[pb::Document]) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
        let config = ServerConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            admin: None,
            web: None,
            data: folder.path().join("data"),
            setup,
            access: AccessOptions::default(),
            fetch: None,
            options: Options {
                workers: 1,
                // Small segments, so that some freeze.
                index: index::Options { segment_rows: 64, ..index::Options::default() },
                retention: Retention::default(),
                snapshots: Some(folder.path().join("snapshots")),
            },
        };
        let (client, channel) = runtime.block_on(async {
            let serving = serve(config, future::pending()).await.unwrap();
            serving.ready.await.unwrap();
            let address = serving.address.to_string();
            let client = Client::connect(&address).await.unwrap();
            let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
            (client, endpoint.connect().await.unwrap())
        });
        let mut desk = Self { runtime, client, channel, folder };
        documents.iter().for_each(|document| desk.put(document.clone()));
        desk
    }

    /// Takes a document in.
    pub fn put(&mut self, document: pb::Document) {
        let request = pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
        self.runtime.block_on(self.client.corpus.ingest_document(request)).unwrap();
    }

    /// Names in the folder beside that of the corpus: snapshots, and nothing else.
    pub fn outside(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| PathBuf::from(entry.unwrap().file_name()));
        names.filter(|name| name != "data" && name != "snapshots").collect()
    }

    pub fn snapshots(&self) -> PathBuf {
        self.folder.path().join("snapshots")
    }
}
