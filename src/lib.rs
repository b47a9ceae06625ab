//! Copydesk: an embedded semantic-similarity service for news.
//!
//! Who talks to a server starts at [`client`]; who has one within a process of their own, at
//! [`server::serve()`]. The other modules are what the server consists of; `ARCHITECTURE.md` is
//! their map.

pub mod article;
pub mod cli;
pub mod client;
pub mod corpus;
pub mod embed;
pub mod feed;
pub mod fetch;
pub mod index;
pub mod layout;
pub mod lexical;
pub mod page;
pub mod proto;
pub mod related;
mod sealed;
pub mod server;
pub mod store;
pub mod text;
pub mod verdict;
pub mod warc;
