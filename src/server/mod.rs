//! The gRPC services over a corpus: limits, errors, health, and the life of a server.
//!
//! Besides the client, this is the only module that knows the messages of the
//! contract.

mod access;
mod admin;
mod bound;
mod connections;
mod convert;
mod corpus_service;
mod cost;
mod figures;
mod gate;
mod health;
mod held;
mod ingest_stream;
mod operators;
mod outgoing;
mod page_token;
mod pages;
mod refusal;
mod requests;
mod serve;
mod similarity;
mod story;
mod transport;
mod validate;
mod web;

pub use access::{AccessError, AccessOptions, NewToken, Right, TlsFiles};
pub use serve::{ServeError, ServerConfig, Serving, serve};
pub use web::WebOptions;
