//! The embedder, as it serves, against the STS benchmark (Cer et al., "SemEval-2017
//! Task 1", 2017): Spearman's rank correlation of cosines with human scores.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use copydesk::embed::{Embedder, ModelError, Precision, Purpose, Setup, SetupOptions};
use copydesk::text::normalize;

#[tokio::test]
async fn cosines_rank_sentence_pairs_as_people_do() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/stsb/test.jsonl");
    let Ok(data) = std::fs::read_to_string(&data) else {
        println!("skipped: {} is not there", data.display());
        return;
    };
    let rows: Vec<serde_json::Value> =
        data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts = |field: &str| -> Vec<Arc<str>> {
        rows.iter().map(|row| normalize(row[field].as_str().unwrap()).into()).collect()
    };
    let scores: Vec<f64> = rows.iter().map(|row| row["score"].as_f64().unwrap()).collect();
    for (precision, least) in [(Precision::F32, 0.8195), (Precision::Int8, 0.8175)] {
        let options = SetupOptions { precision: Some(precision), ..Default::default() };
        let setup = Setup::ensure(&options, &|_, _| {}).unwrap();
        let embedder = match Embedder::start(&setup, 2) {
            Err(ModelError::Inexact) => {
                println!("skipped: integer products are not exact here");
                continue;
            }
            embedder => embedder.unwrap(),
        };
        let left = embedder.embed(Purpose::ALONE, texts("s1")).await.unwrap();
        let right = embedder.embed(Purpose::ALONE, texts("s2")).await.unwrap();
        let cosines: Vec<f64> =
            left.iter().zip(&right).map(|(a, b)| f64::from(a.cosine(b))).collect();
        let spearman = pearson(&ranks(&cosines), &ranks(&scores));
        println!("{precision:?}, {} pairs: Spearman {spearman:.5}", rows.len());
        assert!(spearman >= least, "{precision:?}: Spearman {spearman:.5}");
    }
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = order[from..].iter().take_while(|&&i| values[i] == values[order[from]]).count();
        for &index in &order[from..from + same] {
            ranks[index] = from as f64 + (same - 1) as f64 / 2.0;
        }
        from += same;
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products: f64 = a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
    let square = |values: &[f64], mean: f64| -> f64 {
        values.iter().map(|value| (value - mean) * (value - mean)).sum()
    };
    products / (square(a, mean_a) * square(b, mean_b)).sqrt()
}
