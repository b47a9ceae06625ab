//! Telling furniture from reporting, measured on lines of Wikinews sources that a
//! reader marked before the rules were written: `tests/data/furniture_marks.tsv`
//! holds F (furniture) or B (reporting) and the SHA-256 of each line.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use copydesk::article::{Body, Incoming, Metadata, PassageKind, read};
use sha2::{Digest, Sha256};

#[test]
fn marked_lines_are_told_apart_and_reporting_is_not_lost() {
    let articles =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/wikinews/wikinews_big.jsonl");
    let Ok(articles) = fs::read_to_string(&articles) else {
        println!("skipped: {} is not there", articles.display());
        return;
    };
    let marks: HashMap<&str, bool> = include_str!("../data/furniture_marks.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(mark, hash)| (hash, mark == "F"))
        .collect();

    let mut kinds: HashMap<String, (bool, String)> = HashMap::new();
    for article in articles.lines() {
        let article: serde_json::Value = serde_json::from_str(article).unwrap();
        let lines = article["paragraphs"].as_array().unwrap();
        let lines = lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect();
        let metadata = Metadata {
            title: article["title"].as_str().unwrap_or_default().to_owned(),
            ..Metadata::default()
        };
        let article = read(Incoming { id: None, metadata, body: Body::Paragraphs(lines) }).unwrap();
        for paragraph in article.paragraphs {
            let text = paragraph.text.trim();
            let hash: String =
                Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            kinds.insert(hash, (paragraph.kind == PassageKind::Furniture, text.to_owned()));
        }
    }

    let (mut right, mut lost, mut kept) = (0, Vec::new(), Vec::new());
    for (hash, is_furniture) in &marks {
        let (called_furniture, text) = &kinds[*hash];
        match (is_furniture, called_furniture) {
            (true, true) => right += 1,
            (true, false) => kept.push(text),
            (false, true) => lost.push(text),
            (false, false) => {}
        }
    }
    let precision = f64::from(right) / (f64::from(right) + lost.len() as f64);
    let recall = f64::from(right) / (f64::from(right) + kept.len() as f64);
    println!("{} lines: precision {precision:.3}, recall {recall:.3}", marks.len());
    println!("reporting called furniture: {lost:#?}\nfurniture kept as reporting: {kept:#?}");
    assert!(precision >= 0.95, "reporting is lost: {lost:#?}");
    assert!(recall >= 0.6, "furniture is kept: {kept:#?}");
}
