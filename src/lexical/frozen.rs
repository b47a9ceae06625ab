use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::collector::{Collector, FilterCollector, TopDocs};
use tantivy::directory::MmapDirectory;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    DocAddress, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher,
    TantivyDocument, TantivyError, Term,
};

use super::batch::Entry;
use super::counts::Counts;

/// Memory for what is being written.
const WRITER_BYTES: usize = 32 << 20;

/// Changes with what is in the files.
const FORMAT: &str = "1";

/// An index of words that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the index of words: {0}")]
pub struct LexicalError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl From<TantivyError> for LexicalError {
    fn from(error: TantivyError) -> Self {
        Self(error.into())
    }
}

impl From<std::io::Error> for LexicalError {
    fn from(error: std::io::Error) -> Self {
        Self(error.into())
    }
}

/// Segments in files.
pub(super) struct Frozen {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
    /// Of what its texts belong to.
    payload: String,
}

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    stamp: Field,
    words: Field,
}

impl Frozen {
    pub fn open(folder: &Path, identity: &str) -> Result<Self, LexicalError> {
        let payload = payload(identity);
        match Self::open_existing(folder, &payload) {
            Ok(frozen) => Ok(frozen),
            Err(reason) => {
                if folder.exists() {
                    tracing::info!(%reason, "the index of words is made anew");
                    fs::remove_dir_all(folder)?;
                }
                fs::create_dir_all(folder)?;
                Self::of(create(folder)?, payload)
            }
        }
    }

    fn open_existing(folder: &Path, payload: &str) -> Result<Self, LexicalError> {
        Self::of(sound(folder, payload)?, payload.to_owned())
    }

    fn of(index: Index, payload: String) -> Result<Self, LexicalError> {
        let schema = index.schema();
        let fields = Fields {
            id: schema.get_field("id")?,
            stamp: schema.get_field("stamp")?,
            words: schema.get_field("words")?,
        };
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = Mutex::new(index.writer_with_num_threads(1, WRITER_BYTES)?);
        Ok(Self { fields, reader, writer, payload })
    }

    pub fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// The texts that it holds, with their stamps, and how often terms stand in them.
    pub fn contents(&self) -> Result<(HashMap<u64, u64>, Counts), LexicalError> {
        let searcher = self.searcher();
        let mut counts = Counts::default();
        for segment in searcher.segment_readers() {
            let words = segment.inverted_index(self.fields.words)?;
            let mut terms = words.terms().stream()?;
            while let Some((bytes, info)) = terms.next() {
                let term = std::str::from_utf8(bytes).ok();
                if let Some(term) = term.and_then(|term| u32::from_str_radix(term, 16).ok()) {
                    counts.add_known(term, info.doc_freq);
                }
            }
            counts.texts += u64::from(segment.max_doc());
            counts.tokens += words.total_num_tokens();
        }
        Ok((stamps(&searcher)?, counts))
    }

    /// Takes texts out and others in.
    pub fn write(&self, entries: &[Entry], gone: &HashSet<u64>) -> Result<Searcher, LexicalError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.try_write(&mut writer, entries, gone);
        if written.is_err() {
            writer.rollback()?;
        }
        written?;
        self.reader.reload()?;
        Ok(self.reader.searcher())
    }

    fn try_write(
        &self,
        writer: &mut IndexWriter,
        entries: &[Entry],
        gone: &HashSet<u64>,
    ) -> Result<(), LexicalError> {
        for id in gone {
            writer.delete_term(Term::from_field_u64(self.fields.id, *id));
        }
        for entry in entries {
            let mut words = String::new();
            for (term, count) in entry.terms.weights() {
                for _ in 0..count as usize {
                    // Writing to a string cannot fail.
                    let _ = write!(words, "{term:08x} ");
                }
            }
            let mut document = TantivyDocument::new();
            document.add_u64(self.fields.id, entry.id);
            document.add_u64(self.fields.stamp, entry.stamp);
            document.add_text(self.fields.words, words);
            writer.add_document(document)?;
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&self.payload);
        commit.commit()?;
        Ok(())
    }

    /// The best texts that may answer and are not hidden.
    pub fn search(
        &self,
        searcher: &Searcher,
        question: &Question,
        limit: usize,
        may_answer: Option<Arc<dyn Fn(u64) -> bool + Send + Sync>>,
        is_hidden: impl Fn(u64) -> bool,
    ) -> Result<Vec<(u64, f32)>, LexicalError> {
        if limit == 0 || question.terms.is_empty() || searcher.num_docs() == 0 {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = searcher
            .segment_readers()
            .iter()
            .map(|segment| segment.fast_fields().u64("id"))
            .collect::<Result<_, _>>()?;
        let id = |address: DocAddress| ids.get(address.segment_ord as usize)?.first(address.doc_id);
        let query = question.query(self.fields.words);
        let mut wanted = limit;
        loop {
            let top = TopDocs::with_limit(wanted).order_by_score();
            let found = match &may_answer {
                None => question.ask(searcher, &*query, &top)?,
                Some(may_answer) => {
                    let may_answer = Arc::clone(may_answer);
                    let filter = move |id: u64| may_answer(id);
                    let top = FilterCollector::new("id".to_owned(), filter, top);
                    question.ask(searcher, &*query, &top)?
                }
            };
            let is_all = found.len() < wanted;
            let found: Vec<(u64, f32)> = found
                .into_iter()
                .filter_map(|(score, address)| Some((id(address)?, score)))
                .filter(|(id, _)| !is_hidden(*id))
                .collect();
            if is_all || found.len() >= limit {
                return Ok(found);
            }
            wanted *= 2;
        }
    }
}

/// What is written beside segments of texts that belong to `identity`.
fn payload(identity: &str) -> String {
    format!("{FORMAT} {identity}")
}

/// The index in a folder, every byte of it checked.
fn sound(folder: &Path, payload: &str) -> Result<Index, LexicalError> {
    let index = Index::open_in_dir(folder)?;
    let metas = index.load_metas()?;
    match metas.payload.as_deref() {
        Some(stated) if stated == payload => {}
        // There was too little yet to write any of it.
        None if metas.segments.is_empty() => {}
        _ => return Err(LexicalError("it is of another corpus or format".into())),
    }
    if !index.validate_checksum()?.is_empty() {
        return Err(LexicalError("it is damaged".into()));
    }
    Ok(index)
}

/// The texts that the segments in a folder hold, with their stamps. Changes nothing.
pub(super) fn held(folder: &Path, identity: &str) -> Result<HashMap<u64, u64>, LexicalError> {
    if !folder.exists() {
        return Ok(HashMap::new());
    }
    let index = sound(folder, &payload(identity))?;
    let reader: IndexReader =
        index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    stamps(&reader.searcher())
}

fn stamps(searcher: &Searcher) -> Result<HashMap<u64, u64>, LexicalError> {
    let mut texts = HashMap::new();
    for segment in searcher.segment_readers() {
        let ids = segment.fast_fields().u64("id")?;
        let stamps = segment.fast_fields().u64("stamp")?;
        for document in segment.doc_ids_alive() {
            if let (Some(id), Some(stamp)) = (ids.first(document), stamps.first(document)) {
                texts.insert(id, stamp);
            }
        }
    }
    Ok(texts)
}

fn create(folder: &Path) -> Result<Index, LexicalError> {
    let mut schema = Schema::builder();
    schema.add_u64_field("id", FAST | INDEXED);
    schema.add_u64_field("stamp", FAST);
    let words = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::WithFreqs);
    schema.add_text_field("words", TextOptions::default().set_indexing_options(words));
    let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
    Ok(Index::create(directory, schema.build(), IndexSettings::default())?)
}

/// Terms that are looked for, with statistics over all texts.
pub(super) struct Question {
    terms: Vec<(u32, f32)>,
    with_term: HashMap<Vec<u8>, u64>,
    texts: u64,
    tokens: u64,
}

impl Question {
    pub fn new(terms: &[(u32, f32)], counts: &Counts) -> Self {
        let with = |(term, _): &(u32, f32)| (token(*term).into_bytes(), counts.with(*term));
        Self {
            terms: terms.to_vec(),
            with_term: terms.iter().map(with).collect(),
            texts: counts.texts,
            tokens: counts.tokens,
        }
    }

    fn query(&self, words: Field) -> Box<dyn Query> {
        let term = |&(term, factor): &(u32, f32)| -> (Occur, Box<dyn Query>) {
            let term = Term::from_field_text(words, &token(term));
            let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
            (Occur::Should, Box::new(BoostQuery::new(Box::new(query), factor)))
        };
        Box::new(BooleanQuery::new(self.terms.iter().map(term).collect()))
    }

    fn ask<C: Collector>(
        &self,
        searcher: &Searcher,
        query: &dyn Query,
        collector: &C,
    ) -> Result<C::Fruit, TantivyError> {
        searcher.search_with_statistics_provider(query, collector, self)
    }
}

fn token(term: u32) -> String {
    format!("{term:08x}")
}

impl Bm25StatisticsProvider for Question {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.texts)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let known = self.with_term.get(term.serialized_value_bytes()).copied();
        Ok(known.unwrap_or_default().min(self.texts))
    }
}
