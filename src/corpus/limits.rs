use super::watch::WATCHERS;

/// What a request may hold. Published by GetServerInfo, and enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a document's body.
    pub document_bytes: usize,
    /// Paragraphs of a document.
    pub paragraphs: usize,
    /// Bytes of a gRPC message.
    pub message_bytes: usize,
    /// Answers; more is lowered to it.
    pub answers: usize,
    /// Requests that are worked on at once.
    pub concurrent_requests: usize,
    /// Bytes of all requests that are worked on at once.
    pub concurrent_bytes: usize,
    /// Bytes that are held for clients that are slow.
    pub held_bytes: usize,
    /// Streams of ingests that are open at once.
    pub ingest_streams: usize,
    /// Standing questions at once.
    pub watches: usize,
    /// Bytes of title, source, url, and of each key and value of labels.
    pub field_bytes: usize,
    /// Labels of a document.
    pub labels: usize,
    /// Values in each list of a filter, and ids in a batch.
    pub filter_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 2 << 20,
            paragraphs: 10_000,
            message_bytes: 4 << 20,
            answers: 1_000,
            concurrent_requests: 256,
            concurrent_bytes: 32 << 20,
            held_bytes: 256 << 20,
            ingest_streams: 1_024,
            watches: WATCHERS,
            field_bytes: 4_096,
            labels: 64,
            filter_values: 1_000,
        }
    }
}
