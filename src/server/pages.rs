use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use crate::fetch::{FetchError, FetchOptions, Fetched, Fetcher, Found, Named, Validators};
use crate::page;
use crate::proto::v1 as pb;

use super::held::Share;
use super::refusal::{Invalid, Refusal};

/// Bytes of a page. With its address, it has room in a message.
const PAGE_BYTES: usize = (4 << 20) - (16 << 10);

/// Answers that a page may take, with its host's robots.txt and redirects, in time.
const ANSWERS: u32 = 2;

/// Pages of the web that are fetched for clients, if the operator wants that.
#[derive(Clone)]
pub(super) struct Pages(Option<Arc<Fetching>>);

struct Fetching {
    fetcher: Fetcher,
    /// For a page, whatever it takes to have it.
    timeout: Duration,
    places: Semaphore,
}

impl Pages {
    pub fn new(options: Option<FetchOptions>) -> Self {
        Self(options.map(|options| {
            let timeout = options.timeout * ANSWERS;
            // A proxy would look names up where nobody sees what they lead to.
            let options = FetchOptions { largest: PAGE_BYTES, uses_proxy: false, ..options };
            let places = Semaphore::new(Fetcher::AT_ONCE);
            Arc::new(Fetching { fetcher: Fetcher::new(options), timeout, places })
        }))
    }

    /// Pages that are fetched at once.
    pub fn at_once(&self) -> usize {
        if self.0.is_some() { Fetcher::AT_ONCE } else { 0 }
    }

    /// Fetches what is at `url`, while there is room for it among what is held for a client.
    pub async fn fetch(&self, url: &str, share: &Share) -> Result<pb::Document, Refusal> {
        let fetching = self.0.as_ref().ok_or(Refusal::FetchesNothing)?;
        let url = address(url)?;
        let limit = Fetcher::AT_ONCE;
        let _place =
            fetching.places.try_acquire().map_err(|_| Refusal::TooManyFetches { limit })?;
        let _room = share.room(PAGE_BYTES)?;
        let validators = Validators::default();
        let fetched = fetching.fetcher.get(&url, Named::ByClient, &validators);
        let slow = |_| Err(FetchError::Slow(fetching.timeout));
        let fetched = tokio::time::timeout(fetching.timeout, fetched).await.unwrap_or_else(slow);
        let found = fetched.and_then(Fetched::found).map_err(Refusal::NotFetched)?;
        page::check_type(&found.content_type).map_err(Refusal::NotAPage)?;
        Ok(document(found))
    }
}

fn document(found: Found) -> pb::Document {
    pb::Document {
        url: found.url.into(),
        html: Some(found.body),
        content_type: found.content_type,
        ..pb::Document::default()
    }
}

/// The address that a request names.
fn address(url: &str) -> Result<Url, Refusal> {
    let wrong = |description: &str| {
        let mut invalid = Invalid::default();
        invalid.add("url", description);
        Refusal::Invalid(invalid)
    };
    let url = Url::parse(url)
        .map_err(|_| wrong("is no address; give one such as https://news.example/article"))?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(wrong("holds a name or a password; give it without")),
    }
}
