//! What clients are promised: every call of the contract and every command, through a real server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod command_line;
mod deletion;
mod feeds;
mod fetching;
mod filters_and_paging;
mod follow;
mod furniture;
mod health;
mod ingest_and_ask;
mod known_ids;
mod manual;
mod map;
mod novelty;
mod observability;
mod operators;
mod pages;
mod related;
mod retention;
mod stories;
mod stream;
mod verdicts;
mod watch;
mod web;
