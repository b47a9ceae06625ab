//! A corpus to look at with the desk, without waiting for a model to embed it:
//!
//!     cargo bench --bench desk -- DIR [DOCUMENTS]
//!
//! makes DIR/desk-DOCUMENTS, with 20,000 documents if nothing else is asked, in stories of one to
//! forty of them, a quarter of those that are not alone copies; vectors are as in `scale`
//! (DIR/a.base.npy). `npm run measure` in `web` opens it in a browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use common::made::{Mixtures, all_new, model};
use common::reuters;
use copydesk::article::{Article, Body, DocumentId, Incoming, Metadata, read};
use copydesk::corpus::open_index;
use copydesk::embed::Windows;
use copydesk::index::{ContentId, Options, VectorIndex};
use copydesk::store::{DocumentKey, ModelIdentity, NewDocument, Store, StoreError, Writer};
use copydesk::text::ContentHash;
use copydesk::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

const DOCUMENTS: usize = 20_000;

/// Paragraphs of a document.
const PARAGRAPHS: usize = 2;

/// Stories that are stored in one transaction.
const TOGETHER: usize = 500;

/// How much of a story's vector those of its documents have.
const OF_STORY: f32 = 0.75;

const OUTLETS: usize = 50;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [folder] => build(Path::new(folder), DOCUMENTS),
        [folder, documents] => build(Path::new(folder), documents.parse().unwrap()),
        _ => println!("usage: cargo bench --bench desk -- DIR [DOCUMENTS]"),
    }
}

fn build(folder: &Path, documents: usize) {
    let data = folder.join(format!("desk-{documents}"));
    let _ = std::fs::remove_dir_all(&data);
    let model = model();
    let store = Store::open(&data, &ModelIdentity::from(model.as_ref())).unwrap();
    let index = open_index(&store, &model, Options::default()).unwrap();
    let mixtures = Mixtures::of(&folder.join("a.base.npy"));
    let mut made = Made { texts: reuters(), mixtures, documents: 0, added: Vec::new() };
    let begun = Instant::now();
    while made.documents < documents {
        let more = |made: &mut Made, writer: &Writer<'_>| -> Result<(), StoreError> {
            for _ in 0..TOGETHER {
                let left = documents - made.documents;
                if left > 0 {
                    made.story(writer, left)?;
                }
            }
            Ok(())
        };
        store.write(|writer| more(&mut made, writer)).unwrap();
        for (content, check, windows) in made.added.drain(..) {
            index.add(content, check, &windows);
        }
    }
    index.settle();
    println!("{documents} documents in {} after {:.0?}", data.display(), begun.elapsed());
}

/// What was made so far.
struct Made {
    texts: Vec<String>,
    mixtures: Mixtures,
    documents: usize,
    /// Texts that are not in the index yet.
    added: Vec<(ContentId, u32, Windows)>,
}

impl Made {
    /// A story of at most so many documents: the first one, reports of others, and copies.
    fn story(&mut self, writer: &Writer<'_>, most: usize) -> Result<(), StoreError> {
        let centre = self.mixtures.next();
        let rng = &mut self.mixtures.rng;
        let size = if rng.f32() < 0.6 { 1 } else { 2 + (38.0 * rng.f32().powi(6)) as usize };
        let (mut first, mut keys) = (None, Vec::new());
        for _ in 0..size.min(most) {
            let copied = first.as_ref().filter(|_| self.mixtures.rng.f32() < 0.25);
            let article = match copied {
                Some((_, _, former)) => self.article(Some(former)),
                None => self.article(None),
            };
            let vectors = article
                .reporting()
                .map(|passage| (passage.hash, self.mixtures.near(&centre, OF_STORY)))
                .map(|(hash, vector)| (hash, Windows::new(vec![vector]).unwrap()))
                .collect();
            let of = copied.map(|(key, family, _)| (*key, *family));
            let (key, family) = self.insert(writer, &article, &vectors, of)?;
            first.get_or_insert((key, family, article));
            keys.push(key);
        }
        let story = writer.new_story(Timestamp::now())?;
        writer.file(&keys, story, Timestamp::now())
    }

    /// A report that is new, or a copy of one.
    fn article(&mut self, of: Option<&Article>) -> Article {
        let number = self.documents;
        self.documents += 1;
        let paragraph = |at: usize| {
            let text = &self.texts[(number * PARAGRAPHS + at) % self.texts.len()];
            format!("{text} Report {number}.{at}.")
        };
        let (title, paragraphs) = match of {
            Some(former) => {
                let paragraphs = former.paragraphs.iter().map(|it| it.text.clone()).collect();
                (former.metadata.title.clone(), paragraphs)
            }
            None => {
                let paragraphs: Vec<String> = (0..PARAGRAPHS).map(paragraph).collect();
                let words = paragraphs[0].split(' ').take(8);
                (words.collect::<Vec<_>>().join(" "), paragraphs)
            }
        };
        let published_at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(number as i64);
        let metadata = Metadata {
            title,
            source: format!("Outlet {}", self.mixtures.rng.usize(..OUTLETS)),
            published_at: Some(published_at),
            ..Metadata::default()
        };
        let id = DocumentId::parse(&format!("report-{number}")).ok();
        read(Incoming { id, metadata, body: Body::Paragraphs(paragraphs) }).unwrap()
    }

    fn insert(
        &mut self,
        writer: &Writer<'_>,
        article: &Article,
        vectors: &HashMap<ContentHash, Windows>,
        of: Option<(DocumentKey, i64)>,
    ) -> Result<(DocumentKey, i64), StoreError> {
        let mut verdict = all_new(article);
        if let Some((key, _)) = of {
            (verdict.verdict, verdict.of) = (Verdict::ExactDuplicate, Some(key));
            (verdict.probability, verdict.duplicate_share, verdict.novelty) = (1.0, 1.0, 0.0);
        }
        let published_at = article.metadata.published_at.unwrap();
        let written = writer.insert(&NewDocument {
            article,
            vectors,
            words: 60,
            published_at,
            ingested_at: published_at,
            verdict: &verdict,
            family: of.map(|(_, family)| family),
        })?;
        let added = written.added.into_iter();
        self.added
            .extend(added.map(|(content, hash)| (content, hash.check(), vectors[&hash].clone())));
        Ok((written.key, written.family))
    }
}
