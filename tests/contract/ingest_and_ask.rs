//! Articles in; near-duplicates and related passages out, by all forms of a query.

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, document, seeds};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::{find_duplicates_request, find_related_passages_request};

#[tokio::test]
async fn the_seeds_are_new_and_read_as_an_editor_would() {
    let mut desk = Desk::open().await;
    for (name, text) in seeds() {
        let document =
            pb::Document { document_id: name.clone(), text: Some(text), ..Default::default() };
        let response = desk.ingest(crate::common::ingest(document)).await.unwrap();
        assert_eq!(crate::common::verdict_of(&response), pb::Verdict::New, "{name}");
        assert_eq!(response.outcome(), pb::IngestOutcome::Created);
        assert_eq!(response.revision, 1);
    }
    let sputnik = desk
        .get("sputnik-2023-10-20-lavrov-north-korea-trip", pb::VerdictView::Passages)
        .await
        .unwrap();
    let document = sputnik.document.unwrap();
    assert_eq!((document.source.as_str(), document.language.as_str()), ("Sputnik", "en"));
    assert_eq!(document.published_at.unwrap().seconds, 1_697_812_440);
    let caption = "North Korean soldiers salute at monument to the Liberation of Korea by the Soviet \
        Army in Pyongyang during Foreign Minister Sergei Lavov's visit to North Korea on Thursday, October 19, 2023.";
    assert!(desk.copies_of(caption).await.is_empty(), "a caption counts as evidence");
    assert!(!desk.related_to(caption).await.is_empty());

    let found = desk.related_to("How does China see the ties between Moscow and Pyongyang?").await;
    assert_eq!(found[0], "lowy-interpreter-2023-11-24-closer-but-not-too-close#27");
}

#[tokio::test]
async fn an_edited_copy_is_found_by_every_form_of_query() {
    let mut desk = Desk::open().await;
    desk.put("original", &[LEAD]).await;
    desk.put("elsewhere", &[OTHER]).await;
    let edited = LEAD.replace("its third increase this year", "the third such rise this year");
    let copy = desk.put("copy", &[&edited, THIRD]).await;
    assert_eq!(crate::common::verdict_of(&copy), pb::Verdict::Update);
    assert_eq!(copy.verdict.unwrap().canonical_document_id, "original");

    let document = document("", &[&edited, THIRD]);
    for (query, expected) in [
        (find_duplicates_request::Query::Text(edited.clone()), vec!["copy#0", "original#0"]),
        (find_duplicates_request::Query::PassageId("copy#0".to_owned()), vec!["original#0"]),
        (find_duplicates_request::Query::DocumentId("copy".to_owned()), vec!["original#0"]),
        (
            find_duplicates_request::Query::Document(document),
            vec!["copy#0", "copy#1", "original#0"],
        ),
    ] {
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        let matches = desk.duplicates(request).await.unwrap().matches;
        let ids: Vec<&str> =
            matches.iter().map(|m| m.passage.as_ref().unwrap().passage_id.as_str()).collect();
        assert_eq!(ids, expected);
        let original = &matches[matches.len() - 1];
        assert_eq!(original.verdict(), pb::Verdict::NearDuplicate);
        let evidence = original.evidence.as_ref().unwrap();
        assert!(
            evidence.cosine > 0.9
                && evidence.containment > 0.6
                && !evidence.aligned_spans.is_empty()
        );
    }
}

#[tokio::test]
async fn evidence_points_at_the_shared_words_and_the_differing_facts() {
    let mut desk = Desk::open().await;
    desk.put("original", &[LEAD]).await;
    let query = format!("  \u{2014} \n{}", LEAD.replace("5.5 pct", "5.75 pct"));
    let request = pb::FindDuplicatesRequest {
        query: Some(find_duplicates_request::Query::Text(query.clone())),
        min_probability: Some(0.0),
        ..Default::default()
    };
    let matches = desk.duplicates(request).await.unwrap().matches;
    let found = matches.iter().max_by(|a, b| a.probability.total_cmp(&b.probability)).unwrap();
    let evidence = found.evidence.as_ref().unwrap();
    assert_eq!(evidence.conflicts[0].query_value, "5.75 pct");
    assert_eq!(evidence.conflicts[0].match_value, "5.5 pct");
    let slice = |text: &str, start: u32, end: u32| -> String {
        text.chars().skip(start as usize).take((end - start) as usize).collect()
    };
    for span in &evidence.aligned_spans {
        let here = slice(&query, span.query_start, span.query_end);
        assert_eq!(here, slice(LEAD, span.match_start, span.match_end));
    }
}

#[tokio::test]
async fn related_passages_fold_copies_and_leave_the_query_out() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, THIRD]).await;
    desk.put("b", &[LEAD, OTHER]).await;
    desk.put("c", &[SECOND]).await;
    let ask = |query, include_duplicates, max_per_document| pb::FindRelatedPassagesRequest {
        query: Some(query),
        max_per_document,
        ranking: Some(pb::RankingOptions { include_duplicates, ..Default::default() }),
        ..Default::default()
    };
    let by_text = find_related_passages_request::Query::Text("Interest rates rise".to_owned());
    let found = desk.related(ask(by_text.clone(), false, 0)).await.unwrap();
    let best = &found.passages[0];
    assert_eq!(best.passage.as_ref().unwrap().passage_id, "a#0");
    assert_eq!(best.duplicate_passage_ids, ["b#0"]);
    assert_eq!(found.passages.len(), 4);
    assert!(found.passages.windows(2).all(|pair| pair[0].score >= pair[1].score));

    let apart = desk.related(ask(by_text.clone(), true, 0)).await.unwrap();
    assert_eq!(apart.passages.len(), 5);
    let bounded = desk.related(ask(by_text, false, 1)).await.unwrap();
    assert_eq!(bounded.passages.len(), 3);

    let by_passage = find_related_passages_request::Query::PassageId("a#0".to_owned());
    let found = desk.related(ask(by_passage, false, 0)).await.unwrap();
    assert_eq!(found.query_duplicate_ids, ["b#0"]);
    assert!(found.passages.iter().all(|p| p.document.as_ref().unwrap().document_id != "a"));
    for query in [
        find_related_passages_request::Query::DocumentId("a".to_owned()),
        find_related_passages_request::Query::Document(document("", &[LEAD, THIRD])),
    ] {
        let found = desk.related(ask(query, false, 0)).await.unwrap();
        assert!(found.query_duplicate_ids.contains(&"b#0".to_owned()));
        assert_eq!(found.passages[0].query_ordinals.len(), 2);
    }
}

#[tokio::test]
async fn a_long_passage_is_found_by_its_last_words() {
    let mut desk = Desk::open().await;
    // More tokens than a window of the model holds, in fewer characters than a passage.
    let filler = "ABX-9, ".repeat(120);
    let passage =
        format!("{filler} Fishermen in the northern harbour are on strike over catch quotas.");
    desk.put("long", &[&passage]).await;
    desk.put("other", &[LEAD, SECOND, THIRD]).await;
    assert_eq!(desk.related_to("harbour strike of fishermen over quotas").await[0], "long#0");
}

#[tokio::test]
async fn what_is_not_known_is_not_found() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD]).await;
    for query in [
        find_duplicates_request::Query::DocumentId("nobody".to_owned()),
        find_duplicates_request::Query::PassageId("nobody#0".to_owned()),
        find_duplicates_request::Query::PassageId("a#7".to_owned()),
    ] {
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        assert_eq!(desk.duplicates(request).await.unwrap_err().code(), tonic::Code::NotFound);
    }
}
