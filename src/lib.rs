//! Copydesk: an embedded semantic-similarity service for news.

pub mod article;
pub mod cli;
pub mod client;
pub mod corpus;
pub mod embed;
pub mod index;
pub mod layout;
pub mod lexical;
pub mod page;
pub mod proto;
pub mod related;
pub mod server;
pub mod store;
pub mod text;
pub mod verdict;
