//! Compiles the contract in `proto/` without an installed protoc, and keeps its
//! descriptors for server reflection and for JSON.

use std::path::{Path, PathBuf};

use prost_types::field_descriptor_proto::Label;
use prost_types::{DescriptorProto, FileDescriptorSet, OneofDescriptorProto};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files: Vec<PathBuf> = std::fs::read_dir("proto/copydesk/v1")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "proto"));
    files.sort();

    let mut descriptors = protox::compile(&files, [Path::new("proto")])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let encoded = prost::Message::encode_to_vec(&descriptors);
    std::fs::write(out.join("descriptors.bin"), encoded)?;
    separate_bodies(&mut descriptors);
    tonic_prost_build::configure().compile_fds(descriptors)?;

    println!("cargo:rerun-if-changed=src/embed/onnx/onnx.proto");
    let onnx = protox::compile(["onnx.proto"], ["src/embed/onnx"])?;
    tonic_prost_build::configure().compile_fds(onnx)?;
    Ok(())
}

/// Makes the choices of `Document.body` optional fields of their own in the generated
/// code. On the wire that is the same; but where a oneof silently keeps the last of
/// several bodies that were sent, the server can see them all and refuse.
fn separate_bodies(descriptors: &mut FileDescriptorSet) {
    let messages = descriptors.file.iter_mut().flat_map(|file| &mut file.message_type);
    for message in messages.filter(|message| message.name() == "Document") {
        separate(message, "body");
    }
}

/// Dissolves one oneof into optional fields (each in a synthetic oneof, as the
/// compiler represents `optional`).
fn separate(message: &mut DescriptorProto, oneof: &str) {
    let index = message.oneof_decl.iter().position(|decl| decl.name() == oneof);
    let Some(index) = index.and_then(|index| i32::try_from(index).ok()) else {
        return;
    };
    message.oneof_decl.remove(index as usize);
    for field in &mut message.field {
        match field.oneof_index {
            Some(own) if own == index => {
                let synthetic = format!("_{}", field.name());
                field.oneof_index = i32::try_from(message.oneof_decl.len()).ok();
                field.proto3_optional = Some(true);
                field.set_label(Label::Optional);
                message
                    .oneof_decl
                    .push(OneofDescriptorProto { name: Some(synthetic), options: None });
            }
            Some(other) if other > index => field.oneof_index = Some(other - 1),
            _ => {}
        }
    }
}
