//! The map of the corpus.

use std::collections::HashMap;
use std::fs;

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD};
use copydesk::proto::v1 as pb;
use tokio_stream::StreamExt;

async fn map(desk: &mut Desk, filter: Option<pb::Filter>) -> HashMap<String, pb::MappedDocument> {
    let request = pb::MapDocumentsRequest { filter };
    let answers = desk.client.similarity.map_documents(request).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    let documents: Vec<_> =
        answers.iter().flat_map(|answer| answer.documents.iter().cloned()).collect();
    assert!(answers.iter().all(|answer| answer.document_count == documents.len() as i64));
    documents.into_iter().map(|document| (document.document_id.clone(), document)).collect()
}

fn distance(one: &pb::MappedDocument, other: &pb::MappedDocument) -> f32 {
    (one.x - other.x).hypot(one.y - other.y)
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_stand_near_to_what_means_the_same_and_stay_there() {
    let mut desk = Desk::open().await;
    assert!(map(&mut desk, None).await.is_empty());
    let rates = [LEAD, SECOND, THIRD];
    for (n, text) in rates.into_iter().enumerate() {
        desk.put(&format!("rates-{n}"), &[text, LEAD]).await;
        desk.put(&format!("fish-{n}"), &[OTHER, &format!("{n} boats stayed in the harbour.")])
            .await;
    }
    let before = map(&mut desk, None).await;
    assert_eq!(before.len(), 6);
    let near = distance(&before["fish-0"], &before["fish-1"]);
    let far = distance(&before["fish-0"], &before["rates-0"]);
    assert!(near < far, "{near} and {far}");
    assert!(before.values().all(|document| !document.story_id.is_empty()));

    desk.put("fish-late", &[OTHER]).await;
    let after = map(&mut desk, None).await;
    for (id, document) in &before {
        assert_eq!((after[id].x, after[id].y), (document.x, document.y), "{id}");
    }
    let near = distance(&after["fish-late"], &after["fish-0"]);
    assert!(near < distance(&after["fish-late"], &after["rates-0"]));

    let filter = pb::Filter { exclude_document_ids: vec!["fish-0".into()], ..Default::default() };
    let filtered = map(&mut desk, Some(filter)).await;
    assert_eq!((filtered.len(), filtered.contains_key("fish-0")), (6, false));
}

fn places(map: &HashMap<String, pb::MappedDocument>) -> HashMap<&str, (f32, f32)> {
    map.iter().map(|(id, document)| (id.as_str(), (document.x, document.y))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_there_after_a_restart_and_drawn_anew_if_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("index/1/map");
    let mut desk = Desk::over(folder.path()).await;
    for n in 0..8 {
        desk.put(&format!("fish-{n}"), &[OTHER, &format!("{n} boats stayed in port.")]).await;
    }
    map(&mut desk, None).await;
    // They stand beside what was drawn: a map that is drawn anew is another one.
    for (n, text) in [LEAD, SECOND, THIRD].into_iter().enumerate() {
        desk.put(&format!("rates-{n}"), &[text]).await;
    }
    let before = map(&mut desk, None).await;
    desk.kill();
    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(places(&map(&mut desk, None).await), places(&before));
    desk.put("rates-4", &[LEAD, THIRD]).await;
    let after = map(&mut desk, None).await;
    assert_eq!(after.len(), 12);
    assert!(before.iter().all(|(id, it)| (after[id].x, after[id].y) == (it.x, it.y)));
    desk.kill();

    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped, b""] {
        fs::write(&file, damaged).unwrap();
        let mut desk = Desk::over(folder.path()).await;
        let anew = map(&mut desk, None).await;
        assert_eq!(anew.len(), 12);
        assert_ne!(places(&anew), places(&after));
        desk.kill();
        assert_ne!(fs::read(&file).unwrap(), damaged);
    }
}
