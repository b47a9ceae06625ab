//! The contract: messages, clients and servers generated from `proto/`.

/// Everything in package `copydesk.v1`.
#[allow(missing_docs, rustdoc::invalid_html_tags, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("copydesk.v1");
}

/// The compiled contract (an encoded `FileDescriptorSet`), its imports included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The name of the number among the response headers of `WatchRelatedDocuments`.
pub(crate) const SEQUENCE: &str = "copydesk-sequence";

/// After which answer a standing question goes on until there is one, as the response headers of
/// `WatchRelatedDocuments` say.
///
/// ```
/// let mut headers = tonic::metadata::MetadataMap::new();
/// headers.insert("copydesk-sequence", 7.into());
/// assert_eq!(copydesk::proto::sequence_of(&headers), Some(7));
/// ```
pub fn sequence_of(headers: &tonic::metadata::MetadataMap) -> Option<i64> {
    headers.get(SEQUENCE)?.to_str().ok()?.parse().ok()
}

/// A time as the contract writes it, to the microsecond.
pub fn timestamp(time: jiff::Timestamp) -> prost_types::Timestamp {
    let microseconds = time.as_microsecond();
    prost_types::Timestamp {
        seconds: microseconds.div_euclid(1_000_000),
        nanos: (microseconds.rem_euclid(1_000_000) * 1_000) as i32,
    }
}
