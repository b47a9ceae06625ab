//! Labelled collections: which documents or passages are about the same events.

use std::path::Path;

use serde::Deserialize;

use crate::data::{self, Failure, Story};

/// Stories of the newswire, the first ones.
const NEWSWIRE: usize = 5_000;

/// Documents, or single sentences of documents, of which some are about the same event.
pub struct Collection {
    pub name: &'static str,
    /// What is stored, in the order of the file.
    pub stories: Vec<Story>,
    /// What is asked about and answers: a document, or a passage of one.
    pub rows: Vec<Row>,
    /// Wanted.
    pub wanted: &'static str,
    /// Whether people said which rows are about one event. Where this was derived, it is believed
    /// only of rows that are alike.
    pub is_labelled: bool,
}

/// One of those that are asked about and answer.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its document.
    pub story: usize,
    /// The passage of it, where passages answer.
    pub ordinal: Option<u32>,
    /// What happened.
    pub event: String,
    /// Rows of one topic are never on both sides of a fold.
    pub topic: String,
}

impl Collection {
    /// Whether a row answers a query: not itself, and no passage of its own document.
    pub fn answers(&self, query: usize, row: usize) -> bool {
        let story = |row: usize| self.rows.get(row).map(|row| row.story);
        story(query) != story(row)
    }

    /// Whether it should.
    pub fn is_relevant(&self, query: usize, row: usize) -> bool {
        let event = |row: usize| self.rows.get(row).map(|row| &row.event);
        self.answers(query, row) && event(query) == event(row)
    }

    /// The text of a row.
    pub fn text(&self, row: &Row) -> String {
        let Some(story) = self.stories.get(row.story) else { return String::new() };
        match row.ordinal {
            Some(ordinal) => story.paragraphs.get(ordinal as usize).cloned().unwrap_or_default(),
            None => format!("{}\n{}", story.title, story.paragraphs.join("\n")),
        }
    }

    fn of_documents(
        name: &'static str,
        wanted: &'static str,
        all: impl IntoIterator<Item = (Story, String, String)>,
    ) -> Self {
        let (mut stories, mut rows) = (Vec::new(), Vec::new());
        for (story, event, topic) in all {
            rows.push(Row { story: stories.len(), ordinal: None, event, topic });
            stories.push(story);
        }
        Self { name, stories, rows, wanted, is_labelled: true }
    }
}

#[derive(Deserialize)]
struct Article {
    id: String,
    topic: i64,
    event: String,
    sentences: Vec<String>,
    text: String,
}

/// ECB+ articles, a sentence to a paragraph (Cybulska and Vossen, "Using a sledgehammer to crack
/// a nut?", 2014).
pub fn ecb_documents(data: &Path) -> Result<Collection, Failure> {
    let articles: Vec<Article> = data::lines(&data.join("ecbplus/docs.jsonl"))?;
    let story = |article: Article| {
        let story = Story::of(&article.id, article.sentences);
        (story, article.event, article.topic.to_string())
    };
    Ok(Collection::of_documents("ECB+ documents", ">= .96", articles.into_iter().map(story)))
}

/// The same articles, each one paragraph, which the server cuts.
pub fn ecb_texts(data: &Path) -> Result<Collection, Failure> {
    let articles: Vec<Article> = data::lines(&data.join("ecbplus/docs.jsonl"))?;
    let story = |article: Article| {
        let story = Story::of(&article.id, vec![article.text]);
        (story, article.event, article.topic.to_string())
    };
    let name = "ECB+ documents, unbroken";
    Ok(Collection::of_documents(name, ">= .96", articles.into_iter().map(story)))
}

/// The reviewed sentences of ECB+, beside those of other articles.
pub fn ecb_sentences(data: &Path) -> Result<Collection, Failure> {
    #[derive(Deserialize)]
    struct Sentence {
        doc: String,
        topic: i64,
        event: String,
        text: String,
    }
    let sentences: Vec<Sentence> = data::lines(&data.join("ecbplus/sentences.jsonl"))?;
    let mut stories: Vec<Story> = Vec::new();
    let mut rows = Vec::new();
    for sentence in sentences {
        if stories.last().is_none_or(|story| story.id != sentence.doc) {
            stories.push(Story::of(&sentence.doc, Vec::new()));
        }
        let story = stories.len() - 1;
        let Some(last) = stories.last_mut() else { continue };
        rows.push(Row {
            story,
            ordinal: Some(last.paragraphs.len() as u32),
            event: sentence.event,
            topic: sentence.topic.to_string(),
        });
        last.paragraphs.push(sentence.text);
    }
    let (name, wanted) = ("ECB+ sentences", ">= .80");
    Ok(Collection { name, stories, rows, wanted, is_labelled: true })
}

/// Headlines of articles about one claim (Ferreira and Vlachos, "Emergent", 2016).
pub fn emergent(data: &Path) -> Result<Collection, Failure> {
    #[derive(Deserialize)]
    struct Headline {
        claim_id: String,
        article_id: String,
        headline: String,
    }
    let headlines: Vec<Headline> = data::lines(&data.join("emergent/dev.jsonl"))?;
    let story = |row: Headline| {
        let story = Story::of(&row.article_id, vec![row.headline]);
        (story, row.claim_id.clone(), row.claim_id)
    };
    Ok(Collection::of_documents("Emergent", ">= .945", headlines.into_iter().map(story)))
}

/// Articles that Wikinews editors cited for one event.
pub fn wikinews(data: &Path) -> Result<Collection, Failure> {
    let story = |cited: data::Cited| {
        let event = cited.event.to_string();
        (cited.story, event.clone(), event)
    };
    let all = data::wikinews(data)?.into_iter().map(story);
    Ok(Collection::of_documents("Wikinews", ">= .77", all))
}

/// The start of the Reuters stream. Of stories whose headlines name companies by their symbols,
/// those that are alike are of one event if they name the same one, and of one template if not.
pub fn newswire(data: &Path) -> Result<Collection, Failure> {
    let mut stories = data::reuters(data)?;
    stories.retain(|story| story.words() > 0);
    stories.truncate(NEWSWIRE);
    let row = |(story, of): (usize, &Story)| {
        let event = symbol(&of.title)?.to_owned();
        Some(Row { story, ordinal: None, topic: event.clone(), event })
    };
    let rows = stories.iter().enumerate().filter_map(row).collect();
    Ok(Collection { name: "Reuters", stories, rows, wanted: "", is_labelled: false })
}

/// The one symbol of a company that a headline has: capitals in angle brackets.
fn symbol(headline: &str) -> Option<&str> {
    let (_, rest) = headline.split_once('<')?;
    let (symbol, rest) = rest.split_once('>')?;
    let is_symbol = symbol.chars().all(|c| c.is_ascii_uppercase() || c == '.');
    (is_symbol && !rest.contains('<')).then_some(symbol)
}
