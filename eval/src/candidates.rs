//! Whether the documents that a copy is made from are found at all, each side by itself.

use std::collections::BTreeMap;

use comfy_table::Table;
use copydesk::article::DocumentId;
use copydesk::corpus::Corpus;

use crate::cases::{Case, Task};
use crate::data::Failure;

/// Cases of a kind, and of how many the earlier story was found.
#[derive(Default)]
struct Found {
    cases: usize,
    by_passages: usize,
    by_fingerprints: usize,
    compared: usize,
}

/// Prints how many of the earlier stories, which the corpus holds with many others, are among
/// the candidates of their copies and later versions.
pub async fn print(corpus: &Corpus, cases: &[Case]) -> Result<(), Failure> {
    let mut kinds: BTreeMap<String, Found> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.is_same()) {
        let kind = match case.task {
            Task::Pairs => format!("Reuters pairs, {}", case.kind),
            Task::Likest => format!("likest of the stream, {}", case.kind),
            Task::Damage | Task::Changes | Task::Retold => case.kind.clone(),
            Task::Rewriting | Task::Tickers | Task::Strangers | Task::Unrelated => continue,
        };
        let mut document = case.right.incoming();
        // Both of these are in the stream.
        if matches!(case.task, Task::Pairs | Task::Likest) {
            document.id = DocumentId::parse(&case.right.id).ok();
        }
        let candidates = corpus.candidates(document).await?;
        let is_earlier = |id: &DocumentId| id.as_str() == case.left.id;
        let found = kinds.entry(kind).or_default();
        found.cases += 1;
        found.by_passages += usize::from(candidates.by_passages.iter().any(is_earlier));
        found.by_fingerprints += usize::from(candidates.by_fingerprints.iter().any(is_earlier));
        found.compared += usize::from(candidates.compared.iter().any(is_earlier));
    }
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["recall of candidates", "cases", "by vectors", "by shingles", "compared"]);
    for (kind, found) in kinds {
        let share = |count: usize| format!("{:.3}", count as f64 / found.cases as f64);
        table.add_row([
            kind,
            found.cases.to_string(),
            share(found.by_passages),
            share(found.by_fingerprints),
            share(found.compared),
        ]);
    }
    println!("{table}");
    Ok(())
}
