//! What the server derives from its store may be lost: it answers all the same, at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::Desk;

/// Small segments, so that a few documents make some.
const OPTIONS: [&str; 2] = ["--segment-rows", "64"];
const DOCUMENTS: usize = 30;
const PARAGRAPHS: usize = 5;

fn text(corpus: &str, number: usize) -> String {
    format!(
        "Report {number} from {corpus}: the council of town {} voted {} to {} on its {}.",
        number * 7_919 % 10_007,
        number % 31,
        number % 17,
        ["harbour", "school", "railway", "market", "museum"][number % 5],
    )
}

async fn fill(folder: &Path, corpus: &str, first: usize) {
    let mut desk = Desk::with(folder, &OPTIONS).await;
    for document in 0..DOCUMENTS {
        let texts: Vec<String> = (0..PARAGRAPHS)
            .map(|part| text(corpus, first + PARAGRAPHS * document + part))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        desk.put(&format!("d{document}"), &texts).await;
    }
    until_frozen(folder).await;
    desk.kill();
}

/// Waits until there is a manifest, which comes after the segment that it names.
async fn until_frozen(folder: &Path) {
    let has_both = || {
        let files = files(folder);
        ["manifest", ".segment"].iter().all(|kind| files.iter().any(|file| is_of(file, kind)))
    };
    while !has_both() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_of(file: &Path, kind: &str) -> bool {
    file.to_string_lossy().ends_with(kind)
}

/// The files of the index.
fn files(folder: &Path) -> Vec<PathBuf> {
    let index = folder.join("index/1");
    let entries = fs::read_dir(index).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What may happen to a file, in place of which there could be `other`.
fn damage(file: &Path, other: &Path, way: usize) {
    let mut bytes = fs::read(file).unwrap();
    match way {
        0 => return fs::remove_file(file).unwrap(),
        1 => bytes.truncate(bytes.len() / 2),
        // In the codes of a segment.
        2 => {
            let at = bytes.len().min(2 * 4_096) / 2 + 7;
            bytes[at] ^= 4;
        }
        _ => bytes = fs::read(other).unwrap(),
    }
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn whatever_happens_to_a_derived_file_every_text_is_found_at_once() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(folder.path(), "here", 0).await;
    fill(elsewhere.path(), "elsewhere", 5_000).await;
    let of_kind = |folder: &Path, kind: &str| {
        files(folder).into_iter().find(|file| is_of(file, kind)).unwrap()
    };
    for kind in ["manifest", ".segment"] {
        for way in 0..4 {
            damage(&of_kind(folder.path(), kind), &of_kind(elsewhere.path(), kind), way);
            let mut desk = Desk::with(folder.path(), &OPTIONS).await;
            for number in (0..DOCUMENTS * PARAGRAPHS).step_by(11) {
                let expected = format!("d{}#{}", number / PARAGRAPHS, number % PARAGRAPHS);
                let found = desk.copies_of(&text("here", number)).await;
                assert!(found.contains(&expected), "{kind}, {way}: {number} is missing");
                let found = desk.copies_of(&text("elsewhere", number + 5_000)).await;
                assert!(found.is_empty(), "{kind}, {way}: {found:?} for a text from elsewhere");
            }
            // Made anew in the background, for the next round.
            until_frozen(folder.path()).await;
            desk.kill();
        }
    }
}
