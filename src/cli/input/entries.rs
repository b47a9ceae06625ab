use url::Url;

use super::{Article, InputError, Reading};
use crate::feed::{self, Entry, Feed};
use crate::fetch::{Found, without_secret};
use crate::proto::{timestamp, v1 as pb};

/// The label for whoever wrote an article, as pages get it.
const AUTHOR: &str = "author";

/// The articles of a feed that is called `name`. `address` is where it came from; without,
/// what it gives as its own stands in.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    content_type: &str,
    address: Option<&Url>,
    reading: &mut Reading<'_>,
) {
    let feed = match feed::read(bytes, content_type, address) {
        Ok(feed) => feed,
        Err(source) => {
            let error = InputError::NotAFeed { name: name.to_owned(), source };
            reading.pass(name.to_owned(), Err(error));
            return;
        }
    };
    let identity = address.or(feed.address.as_ref());
    let identity = identity.map_or(feed.title.clone(), |url| without_secret(url).to_string());
    for entry in &feed.entries {
        let name = format!("{name}: {}", name_of(entry));
        let link = entry.link.clone().filter(|_| reading.follow_links);
        let article = match &link {
            None if entry.html.is_empty() => Err(InputError::NoText { name: name.clone() }),
            _ => Ok(Article {
                document: Box::new(document(entry, &feed, &identity)),
                page: link,
                has_text: !entry.html.is_empty(),
                feed: address.cloned(),
                is_known_by_id: reading.follow_links,
            }),
        };
        if !reading.pass(name, article) {
            break;
        }
    }
}

/// What to call an entry: its link says most.
fn name_of(entry: &Entry) -> &str {
    entry.link.as_ref().map_or(entry.id.as_str(), Url::as_str)
}

/// An entry of a feed as a document, with what the feed has of its text.
pub fn document(entry: &Entry, feed: &Feed, identity: &str) -> pb::Document {
    let author = Some(entry.author.clone()).filter(|author| !author.is_empty());
    pb::Document {
        document_id: entry.document_id(identity),
        title: entry.title.clone(),
        html: Some(entry.page().into_bytes()),
        content_type: "text/html; charset=utf-8".to_owned(),
        source: feed.title.clone(),
        url: entry.link.as_ref().map(Url::to_string).unwrap_or_default(),
        language: entry.language.clone(),
        published_at: entry.published_at.map(timestamp),
        labels: author.map(|author| (AUTHOR.to_owned(), author)).into_iter().collect(),
        ..pb::Document::default()
    }
}

/// Puts the page that an entry links to in place of what the feed has of its text. Its outlet
/// is for the page to say.
pub fn take_page(document: &mut pb::Document, found: Found) {
    document.url = found.url.to_string();
    document.html = Some(found.body);
    document.content_type = found.content_type;
    document.source = String::new();
}
