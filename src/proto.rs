//! The contract: messages, clients and servers generated from `proto/`.

/// Everything in package `copydesk.v1`.
#[allow(missing_docs, rustdoc::invalid_html_tags, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("copydesk.v1");
}

/// The compiled contract (an encoded `FileDescriptorSet`), its imports included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
