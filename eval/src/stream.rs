//! What becomes of a newswire: the Reuters stream, story by story.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use copydesk::article::DocumentId;
use copydesk::corpus::{Corpus, Detail, Ingest};
use copydesk::store::{Filter, StoredDocument};
use copydesk::verdict::Verdict;
use fastrand::Rng;
use futures::StreamExt;

use crate::data::{self, Failure, Story};

/// Stories that are read, embedded and compared at once; they are settled in order.
const AT_ONCE: usize = 8;

/// Largest families that are told.
const LARGEST: usize = 10;

/// Takes in all stories, prints what came of it, and writes some families down.
pub async fn run(corpus: &Corpus, data: &Path, read: usize, to: &Path) -> Result<(), Failure> {
    let mut stories = data::reuters(data)?;
    // Some are a headline and nothing else; that is what they report.
    for story in stories.iter_mut().filter(|story| story.words() == 0) {
        story.paragraphs = vec![story.title.clone()];
    }
    stories.retain(|story| story.words() > 0);
    let paragraphs: usize = stories.iter().map(|story| story.paragraphs.len()).sum();
    let started = Instant::now();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let prepared = stories.iter().map(|story| {
        let mut document = story.incoming();
        document.id = DocumentId::parse(&story.id).ok();
        let options = Ingest {
            document,
            validate_only: false,
            skip_duplicates: false,
            detail: Detail::Summary,
        };
        // A task of its own: it must go on while another story is settled.
        let corpus = corpus.clone();
        async move { tokio::spawn(async move { corpus.prepare(options).await }).await }
    });
    let mut prepared = futures::stream::iter(prepared).buffered(AT_ONCE);
    let quarter = stories.len().div_ceil(4);
    let mut quarters = vec![started];
    while let Some(prepared) = prepared.next().await {
        let ingested = corpus.settle(prepared??).await?;
        *verdicts.entry(format!("{:?}", ingested.verdict.verdict)).or_default() += 1;
        if verdicts.values().sum::<usize>().is_multiple_of(quarter) {
            quarters.push(Instant::now());
        }
    }
    quarters.push(Instant::now());
    let rate = |times: &[Instant]| match times {
        [from, to] => format!("{:.0}", quarter as f64 / (*to - *from).as_secs_f64()),
        _ => String::new(),
    };
    let rates: Vec<String> = quarters.windows(2).map(rate).collect();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} stories, {paragraphs} paragraphs in {seconds:.0} s: {:.0} stories/s, {:.0} paragraphs/s",
        stories.len(),
        stories.len() as f64 / seconds,
        paragraphs as f64 / seconds
    );
    println!("stories/s of each quarter: {}", rates.join(", "));
    println!("verdicts as they came in: {verdicts:?}");
    let families = families(corpus, stories.len()).await?;
    println!(
        "{} families, {} of them with several members",
        families.len(),
        families.iter().filter(|family| family.len() > 1).count()
    );
    let stories: HashMap<&str, &Story> =
        stories.iter().map(|story| (story.id.as_str(), story)).collect();
    let title = |document: &StoredDocument| {
        stories.get(document.id.as_str()).map_or("", |story| story.title.as_str())
    };
    for family in families.iter().take(LARGEST) {
        println!("{:5} {}", family.len(), family.first().map_or("", title));
    }
    largest_stories(corpus, stories.len()).await?;
    let mut several: Vec<&Vec<StoredDocument>> =
        families.iter().filter(|family| family.len() > 1).collect();
    Rng::with_seed(crate::SEED).shuffle(&mut several);
    std::fs::write(to, written(several.into_iter().take(read), &stories)?)?;
    println!("{read} families to read: {}", to.display());
    Ok(())
}

/// Prints how many stories there are, and the largest.
async fn largest_stories(corpus: &Corpus, count: usize) -> Result<(), Failure> {
    let page = corpus.stories(Filter::default(), 0, None, count).await?;
    let mut all = page.stories;
    all.sort_by_key(|story| std::cmp::Reverse(story.story.distinct_documents));
    let several = all.iter().filter(|story| story.story.distinct_documents > 1).count();
    println!("{} stories, {several} of them with several distinct documents", all.len());
    for story in all.iter().take(LARGEST) {
        println!("{:5} {}", story.story.distinct_documents, story.title);
    }
    Ok(())
}

/// All families, largest first, each with its canonical document first.
async fn families(corpus: &Corpus, count: usize) -> Result<Vec<Vec<StoredDocument>>, Failure> {
    let page = corpus.list(Filter::default(), None, count).await?;
    let mut families: BTreeMap<i64, Vec<StoredDocument>> = BTreeMap::new();
    for document in page.documents {
        families.entry(document.family).or_default().push(document);
    }
    let mut families: Vec<Vec<StoredDocument>> = families.into_values().collect();
    for family in &mut families {
        family.sort_by_key(|document| (document.published_at, document.key));
    }
    families.sort_by_key(|family| std::cmp::Reverse(family.len()));
    Ok(families)
}

fn written<'a>(
    families: impl Iterator<Item = &'a Vec<StoredDocument>>,
    stories: &HashMap<&str, &Story>,
) -> Result<String, Failure> {
    let mut text = String::new();
    for (number, family) in families.enumerate() {
        writeln!(text, "===== family {} of {} documents", number + 1, family.len())?;
        for document in family {
            let Some(story) = stories.get(document.id.as_str()) else { continue };
            let verdict = match document.verdict {
                Verdict::New => "canonical".to_owned(),
                other => format!("{other:?}"),
            };
            let body = story.paragraphs.join(" | ");
            writeln!(text, "--- {} {verdict} {}: {}", story.id, story.date, story.title)?;
            writeln!(text, "{}", body.chars().take(1_500).collect::<String>())?;
        }
    }
    Ok(text)
}
