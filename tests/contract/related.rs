//! What is about the same thing: passages by meaning and by words, and documents on the same
//! events.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::reports::{FERRY, LATER, MILL, QUAKE, Report};
use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, day, document, ingest, violations};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::{find_related_documents_request, find_related_passages_request};
use pb::RetrievalMode::{Hybrid, Lexical, Semantic};
use tonic::{Code, Status};

const MODES: [pb::RetrievalMode; 3] = [Hybrid, Semantic, Lexical];

const RARE: &str = "The inquiry will be led by Ottilie Brzezanski, a retired judge, who is to \
    report to parliament before the summer.";

fn by_mode(mode: pb::RetrievalMode) -> pb::RankingOptions {
    pb::RankingOptions { mode: mode.into(), ..Default::default() }
}

fn passages(text: &str, ranking: pb::RankingOptions) -> pb::FindRelatedPassagesRequest {
    pb::FindRelatedPassagesRequest {
        query: Some(find_related_passages_request::Query::Text(text.to_owned())),
        ranking: Some(ranking),
        limit: 1_000,
        ..Default::default()
    }
}

fn documents_by_id(id: &str, ranking: pb::RankingOptions) -> pb::FindRelatedDocumentsRequest {
    pb::FindRelatedDocumentsRequest {
        query: Some(find_related_documents_request::Query::DocumentId(id.to_owned())),
        ranking: Some(ranking),
        limit: 1_000,
        ..Default::default()
    }
}

fn documents_like(
    document: pb::Document,
    ranking: pb::RankingOptions,
) -> pb::FindRelatedDocumentsRequest {
    pb::FindRelatedDocumentsRequest {
        query: Some(find_related_documents_request::Query::Document(document)),
        ranking: Some(ranking),
        limit: 1_000,
        ..Default::default()
    }
}

fn days(days: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: days * 86_400, nanos: 0 })
}

fn from_source(source: &str) -> Option<pb::Filter> {
    Some(pb::Filter { sources: vec![source.to_owned()], ..Default::default() })
}

fn id(found: &pb::RelatedPassage) -> &str {
    &found.passage.as_ref().unwrap().passage_id
}

fn ids(found: &[pb::RelatedPassage]) -> Vec<&str> {
    found.iter().map(id).collect()
}

fn name(found: &pb::RelatedDocument) -> &str {
    &found.document.as_ref().unwrap().document_id
}

fn names(found: &[pb::RelatedDocument]) -> Vec<&str> {
    found.iter().map(name).collect()
}

async fn ask(desk: &mut Desk, text: &str, mode: pb::RetrievalMode) -> Vec<pb::RelatedPassage> {
    desk.related(passages(text, by_mode(mode))).await.unwrap().passages
}

async fn documents(
    desk: &mut Desk,
    request: pb::FindRelatedDocumentsRequest,
) -> Result<pb::FindRelatedDocumentsResponse, Status> {
    Ok(desk.client.similarity.find_related_documents(request).await?.into_inner())
}

/// All reports on the three events.
fn all() -> impl Iterator<Item = &'static Report> {
    MILL.iter().chain(&QUAKE).chain(&FERRY)
}

async fn filled() -> Desk {
    let mut desk = Desk::open().await;
    for report in all() {
        desk.ingest(ingest(report.document())).await.unwrap();
    }
    desk
}

/// Ids of the passages that are found by the words of `text` alone; hybrid answers say the same.
async fn by_words(desk: &mut Desk, text: &str) -> Vec<String> {
    let lexical = ask(desk, text, Lexical).await;
    let hybrid = ask(desk, text, Hybrid).await;
    let sorted = |mut ids: Vec<&str>| {
        ids.sort_unstable();
        ids.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let both = hybrid.iter().filter(|found| found.lexical_score.is_some()).map(id).collect();
    let found = sorted(ids(&lexical));
    assert_eq!(sorted(both), found, "hybrid answers by words for {text:?}");
    found
}

#[tokio::test]
async fn passages_are_found_by_meaning_and_by_words() {
    let mut desk = filled().await;
    // No word of this stands in the report that it is about.
    let meaning = "layoffs in heavy industry";
    let about_mill = |found: &pb::RelatedPassage| id(found).starts_with("mill-");
    assert!(ask(&mut desk, meaning, Lexical).await.iter().all(|found| !about_mill(found)));
    for mode in [Semantic, Hybrid] {
        let found = ask(&mut desk, meaning, mode).await;
        assert!(about_mill(&found[0]), "{mode:?}: {:?}", ids(&found));
    }
    let words = "What did Ingrid Moe say?";
    for mode in [Lexical, Hybrid] {
        let found = ask(&mut desk, words, mode).await;
        assert_eq!(id(&found[0]), "ferry-2#2", "{mode:?}");
        assert!(found[0].lexical_score.unwrap() > 0.0);
    }
    let found = ask(&mut desk, words, Semantic).await;
    assert!(found.iter().all(|found| found.lexical_score.is_none()));
    // Meaning ranks all there is, and the server's best is both.
    assert_eq!(found.len(), all().map(|report| report.paragraphs.len()).sum::<usize>());
    let best = ask(&mut desk, words, pb::RetrievalMode::Unspecified).await;
    assert_eq!(best, ask(&mut desk, words, Hybrid).await);
    for mode in MODES {
        let found = ask(&mut desk, "the ferry Havsule on a reef near Bergen", mode).await;
        assert!(id(&found[0]).starts_with("ferry-"), "{mode:?}: {:?}", ids(&found));
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "{mode:?}");
        assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)), "{mode:?}");
        assert!(found.iter().all(|found| found.document.is_some()));
    }
}

#[tokio::test]
async fn a_rare_name_is_found_as_soon_as_it_stands_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("other", &[LEAD, SECOND, THIRD, OTHER]).await;
    let nothing: [&str; 0] = [];
    assert_eq!(by_words(&mut desk, "Brzezanski").await, nothing);
    desk.put("a", &[OTHER, RARE]).await;
    assert_eq!(by_words(&mut desk, "Brzezanski").await, ["a#1"]);
    assert_eq!(id(&ask(&mut desk, "Brzezanski", Hybrid).await[0]), "a#1");
    desk.put("b", &[RARE]).await;
    let both = pb::RankingOptions { include_duplicates: true, ..by_mode(Lexical) };
    let found = desk.related(passages("Brzezanski", both)).await.unwrap().passages;
    assert_eq!(ids(&found).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["a#1", "b#0"]));

    // One of two documents that say it goes: the other one still does.
    desk.delete("a").await.unwrap();
    assert_eq!(by_words(&mut desk, "Brzezanski").await, ["b#0"]);
    desk.terminate();
    assert!(desk.wait().await.success());
    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(by_words(&mut desk, "Brzezanski").await, ["b#0"]);

    // Another body under the same id.
    let other = RARE.replace("Ottilie Brzezanski", "Amadou Quansah");
    desk.put("b", &[&other]).await;
    assert_eq!(by_words(&mut desk, "Brzezanski").await, nothing);
    assert_eq!(by_words(&mut desk, "Quansah").await, ["b#0"]);
    desk.kill();
    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(by_words(&mut desk, "Brzezanski").await, nothing);
    assert_eq!(by_words(&mut desk, "Quansah").await, ["b#0"]);

    desk.delete("b").await.unwrap();
    assert_eq!(by_words(&mut desk, "Quansah").await, nothing);
    desk.terminate();
    assert!(desk.wait().await.success());
    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(by_words(&mut desk, "Quansah").await, nothing);
    // And back again.
    desk.put("c", &[RARE]).await;
    assert_eq!(by_words(&mut desk, "Brzezanski").await, ["c#0"]);
}

#[tokio::test]
async fn a_filter_says_which_passages_answer_in_every_mode() {
    let mut desk = filled().await;
    for mode in MODES {
        let text = "workers at the Duluth steel mill, the Van earthquake, the Bergen ferry";
        let of =
            |filter| pb::FindRelatedPassagesRequest { filter, ..passages(text, by_mode(mode)) };
        let found = desk.related(of(from_source("Northern Wire"))).await.unwrap().passages;
        let answered: BTreeSet<&str> = ids(&found).iter().map(|id| &id[..id.len() - 2]).collect();
        assert_eq!(answered, BTreeSet::from(["ferry-1", "mill-1", "quake-1"]), "{mode:?}");

        let exclude_document_ids = vec!["mill-1".to_owned(), "ferry-1".to_owned()];
        let narrow = pb::Filter { exclude_document_ids, ..from_source("Northern Wire").unwrap() };
        let found = desk.related(of(Some(narrow))).await.unwrap().passages;
        assert!(!found.is_empty(), "{mode:?}");
        assert!(ids(&found).iter().all(|id| id.starts_with("quake-1#")), "{mode:?}");

        let late = pb::Filter { published_after: day("2024-03-07"), ..Default::default() };
        let found = desk.related(of(Some(late))).await.unwrap().passages;
        assert!(!found.is_empty(), "{mode:?}");
        assert!(ids(&found).iter().all(|id| id.starts_with("ferry-3#")), "{mode:?}");

        let found = desk.related(of(from_source("Nobody"))).await.unwrap().passages;
        assert!(found.is_empty(), "{mode:?}");
    }
}

#[tokio::test]
async fn copies_fold_into_the_answer_and_no_document_answers_too_often() {
    let mut desk = filled().await;
    let reprint = MILL[0].reprint("reprint", "Valley News", "2024-03-09");
    desk.ingest(ingest(reprint)).await.unwrap();
    let text = "lay-offs at the Harper Steel rolling mill in Duluth";
    for mode in MODES {
        let found = ask(&mut desk, text, mode).await;
        let folded = found.iter().find(|found| id(found) == "mill-1#0").unwrap();
        assert_eq!(folded.duplicate_passage_ids, ["reprint#0"], "{mode:?}");
        assert!(ids(&found).iter().all(|id| !id.starts_with("reprint#")), "{mode:?}");
        assert!(id(&found[0]).starts_with("mill-"), "{mode:?}");

        let apart = pb::RankingOptions { include_duplicates: true, ..by_mode(mode) };
        let found = desk.related(passages(text, apart)).await.unwrap().passages;
        let score = |name: &str| found.iter().find(|found| id(found) == name).unwrap().score;
        assert_eq!(score("mill-1#0"), score("reprint#0"), "{mode:?}");
        assert!(found.iter().all(|found| found.duplicate_passage_ids.is_empty()), "{mode:?}");

        for most in [1, 2] {
            let request = pb::FindRelatedPassagesRequest {
                max_per_document: most,
                ..passages(text, by_mode(mode))
            };
            let found = desk.related(request).await.unwrap().passages;
            let mut of_document: BTreeMap<String, i32> = BTreeMap::new();
            for found in &found {
                let document = found.document.clone().unwrap().document_id;
                *of_document.entry(document).or_default() += 1;
            }
            assert_eq!(of_document.values().max(), Some(&most), "{mode:?}");
            assert!(of_document.len() >= 3, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn a_query_by_document_says_which_of_its_passages_are_answered() {
    let mut desk = filled().await;
    let query = document("", &[MILL[0].paragraphs[2], QUAKE[0].paragraphs[1]]);
    let request = pb::FindRelatedPassagesRequest {
        query: Some(find_related_passages_request::Query::Document(query)),
        limit: 1_000,
        ..Default::default()
    };
    let answer = desk.related(request).await.unwrap();
    let copies: BTreeSet<&str> = answer.query_duplicate_ids.iter().map(String::as_str).collect();
    assert_eq!(copies, BTreeSet::from(["mill-1#2", "quake-1#1"]));
    let answered =
        |id: &str| answer.passages.iter().find(|f| self::id(f) == id).unwrap().query_ordinals[0];
    assert_eq!((answered("mill-3#1"), answered("quake-2#0")), (0, 1));
    assert!(ids(&answer.passages).iter().all(|id| *id != "mill-1#2" && *id != "quake-1#1"));
}

#[tokio::test]
async fn diversity_changes_the_order_and_not_the_scores() {
    let mut desk = filled().await;
    let text = "steelworkers of the Duluth rolling mill and their union, a judge, an earthquake";
    let various = |mode, diversity| pb::RankingOptions { diversity, ..by_mode(mode) };
    for mode in [Hybrid, Semantic] {
        let plain = desk.related(passages(text, various(mode, 0.0))).await.unwrap().passages;
        let varied = desk.related(passages(text, various(mode, 0.7))).await.unwrap().passages;
        assert_ne!(ids(&plain), ids(&varied), "{mode:?}");
        assert_eq!(id(&plain[0]), id(&varied[0]), "the first one has nothing to differ from");
        let scores = |found: &[pb::RelatedPassage]| -> BTreeMap<String, f32> {
            found.iter().map(|found| (id(found).to_owned(), found.score)).collect()
        };
        assert_eq!(scores(&plain), scores(&varied), "{mode:?}");
    }
    let plain = documents(&mut desk, documents_by_id("mill-1", various(Hybrid, 0.0))).await;
    let varied = documents(&mut desk, documents_by_id("mill-1", various(Hybrid, 0.9))).await;
    let (plain, varied) = (plain.unwrap().documents, varied.unwrap().documents);
    assert_ne!(names(&plain), names(&varied));
    let scores = |found: &[pb::RelatedDocument]| -> BTreeMap<String, f32> {
        found.iter().map(|found| (name(found).to_owned(), found.score)).collect()
    };
    assert_eq!(scores(&plain), scores(&varied));
}

fn is_share(found: f32, whole: f32, share: f32) -> bool {
    (found - whole * share).abs() <= whole * 1e-3
}

#[tokio::test]
async fn a_score_halves_with_each_half_life() {
    let mut desk = filled().await;
    let text = "the Harper Steel rolling mill in Duluth";
    let aged = |half_life, as_of: &str| pb::RankingOptions {
        recency_half_life: half_life,
        as_of: if as_of.is_empty() { None } else { day(as_of) },
        ..Default::default()
    };
    let score = |found: &[pb::RelatedPassage]| {
        found.iter().find(|found| id(found) == "mill-1#0").unwrap().score
    };
    let whole = ask(&mut desk, text, Hybrid).await;
    let whole = score(&whole);
    assert!(whole > 0.0);
    // Published on March 4.
    for (half_life, as_of, share) in
        [(10, "2024-03-04", 1.0), (10, "2024-03-14", 0.5), (5, "2024-03-14", 0.25), (1, "", 0.0)]
    {
        let found = desk.related(passages(text, aged(days(half_life), as_of))).await.unwrap();
        assert!(
            is_share(score(&found.passages), whole, share),
            "{half_life} days, as of {as_of:?}: {} of {whole}",
            score(&found.passages)
        );
    }
    // Without a half-life no time matters.
    let found = desk.related(passages(text, aged(None, "2034-03-04"))).await.unwrap().passages;
    assert_eq!(score(&found), whole);

    let score = |found: &[pb::RelatedDocument]| {
        found.iter().find(|found| name(found) == "mill-2").unwrap().score
    };
    let whole = documents(&mut desk, documents_by_id("mill-1", aged(None, ""))).await.unwrap();
    let whole = score(&whole.documents);
    // Published on March 5, a day after the document that is asked about.
    for (half_life, as_of, share) in
        [(1, "", 0.5), (1, "2024-03-05", 1.0), (5, "2024-03-10", 0.5), (5, "2024-03-15", 0.25)]
    {
        let request = documents_by_id("mill-1", aged(days(half_life), as_of));
        let found = documents(&mut desk, request).await.unwrap();
        let score = score(&found.documents);
        assert!(is_share(score, whole, share), "{half_life}, {as_of:?}: {score} of {whole}");
    }
}

#[tokio::test]
async fn a_least_score_is_inclusive() {
    let mut desk = filled().await;
    for mode in MODES {
        let text = "the Harper Steel rolling mill in Duluth";
        let all = ask(&mut desk, text, mode).await;
        let least = all[2].score;
        let enough = all.iter().filter(|found| found.score >= least).count();
        assert!(enough < all.len(), "{mode:?}");
        let request = pb::FindRelatedPassagesRequest {
            min_score: Some(least),
            ..passages(text, by_mode(mode))
        };
        let found = desk.related(request).await.unwrap().passages;
        assert_eq!(found, all[..enough], "{mode:?}");
    }
    let all = documents(&mut desk, documents_by_id("mill-1", by_mode(Hybrid))).await.unwrap();
    let least = all.documents[1].score;
    assert!(all.documents[2].score < least);
    let request = pb::FindRelatedDocumentsRequest {
        min_score: Some(least),
        ..documents_by_id("mill-1", by_mode(Hybrid))
    };
    let found = documents(&mut desk, request).await.unwrap().documents;
    assert_eq!(found, all.documents[..2]);
}

#[tokio::test]
async fn furniture_never_answers() {
    let mut desk = Desk::open().await;
    let byline = "By Miriam Castellanos, Staff Writer";
    let subscribe = "Subscribe to our newsletter to get the latest news from the harbour.";
    desk.put("plain", &[byline, OTHER, subscribe]).await;
    let stored = desk.get("plain", pb::VerdictView::Unspecified).await.unwrap().passages;
    let kinds: Vec<pb::PassageKind> = stored.iter().map(pb::Passage::kind).collect();
    let (body, furniture) = (pb::PassageKind::Body, pb::PassageKind::Furniture);
    assert_eq!(kinds, [furniture, body, furniture]);

    // What an outlet repeats under one article after the other.
    let about = "The Daily Harbour is published six days a week in the old customs house. Readers \
                 who want to support its newsroom can become members at any branch library, and \
                 members receive the weekend magazine and two tickets to the summer concert.";
    let towns = [
        "Lagos", "Osaka", "Quito", "Turin", "Perth", "Dakar", "Cork", "Lviv", "Tampa", "Nantes",
        "Accra", "Busan", "Porto", "Izmir", "Malmo", "Davao", "Pune", "Graz", "Leeds", "Sousse",
    ];
    for (number, town) in towns.iter().enumerate() {
        let lead = format!(
            "Officials in {town} approved plan {} on Tuesday to rebuild the market hall at a cost \
             of {} million euros.",
            number * 37 + 11,
            number * 53 + 17
        );
        let document = pb::Document {
            source: "Daily Harbour".to_owned(),
            ..document(&format!("harbour-{number}"), &[&lead, about])
        };
        desk.ingest(ingest(document)).await.unwrap();
    }
    for mode in MODES {
        for text in [byline, subscribe, about, "Miriam Castellanos", "summer concert tickets"] {
            for include_duplicates in [false, true] {
                let ranking = pb::RankingOptions { include_duplicates, ..by_mode(mode) };
                let found = desk.related(passages(text, ranking)).await.unwrap().passages;
                for found in &found {
                    let text = &found.passage.as_ref().unwrap().text;
                    assert!(![byline, subscribe, about].contains(&text.as_str()), "{mode:?}");
                }
            }
        }
        let found = ask(&mut desk, "a strike in the northern harbour", mode).await;
        assert_eq!(id(&found[0]), "plain#1", "{mode:?}");
    }
}

/// What must hold for every answer of documents to a query of `passages` passages.
fn check(found: &[pb::RelatedDocument], passages: u32) {
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for found in found {
        assert!((0.0..=1.0).contains(&found.score));
        assert!(found.evidence.len() <= 5, "{}: {} pairs", name(found), found.evidence.len());
        assert!(found.evidence.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
        for pair in &found.evidence {
            assert!(pair.query_ordinal < passages);
            assert!((-1.0..=1.001).contains(&pair.cosine));
            assert_ne!(pair.verdict(), pb::Verdict::Unspecified);
            assert_eq!(pair.passage.as_ref().unwrap().document_id, name(found));
        }
    }
}

#[tokio::test]
async fn reports_on_the_same_event_come_first() {
    let mut desk = filled().await;
    for event in [&MILL, &QUAKE, &FERRY] {
        for (place, report) in event.iter().enumerate() {
            for mode in MODES {
                let request = documents_by_id(report.id, by_mode(mode));
                let found = documents(&mut desk, request).await.unwrap().documents;
                let expected: BTreeSet<&str> =
                    event.iter().map(|other| other.id).filter(|id| *id != report.id).collect();
                let first: BTreeSet<&str> = names(&found).into_iter().take(2).collect();
                assert_eq!(first, expected, "{} {mode:?}: {:?}", report.id, names(&found));
                check(&found, report.paragraphs.len() as u32);
                for found in &found[..2] {
                    assert_eq!(found.verdict(), pb::Verdict::New);
                    assert!(!found.evidence.is_empty(), "{} {}", report.id, name(found));
                }
                assert!(!names(&found).contains(&report.id), "it answers itself");
            }
            // The same of an article that is not stored.
            let mut others = Desk::open().await;
            for other in all().filter(|other| other.id != report.id) {
                others.ingest(ingest(other.document())).await.unwrap();
            }
            let query = pb::Document { document_id: String::new(), ..report.document() };
            let request = documents_like(query, by_mode(Hybrid));
            let found = documents(&mut others, request).await.unwrap();
            let stem = &report.id[..report.id.len() - 1];
            let first = names(&found.documents);
            assert!(first[..2].iter().all(|id| id.starts_with(stem)), "{place}: {first:?}");
            assert!(found.query_duplicate_ids.is_empty());
            check(&found.documents, report.paragraphs.len() as u32);
        }
    }
}

#[tokio::test]
async fn evidence_is_the_strongest_pairs_of_passages() {
    let mut desk = filled().await;
    let mut paragraphs = MILL[0].paragraphs.to_vec();
    paragraphs.extend([LATER, OTHER]);
    desk.put("long", &paragraphs).await;
    paragraphs.reverse();
    let ranking = pb::RankingOptions { include_duplicates: true, ..Default::default() };
    let found = documents(&mut desk, documents_like(document("", &paragraphs), ranking)).await;
    let found = found.unwrap().documents;
    check(&found, 7);
    let long = found.iter().find(|found| name(found) == "long").unwrap();
    assert_eq!(long.evidence.len(), 5);
    let mut used = BTreeSet::new();
    for pair in &long.evidence {
        // The same paragraph, counted from the other end.
        let passage = pair.passage.as_ref().unwrap();
        assert_eq!(pair.query_ordinal, 6 - passage.ordinal);
        assert_eq!(passage.text, paragraphs[pair.query_ordinal as usize]);
        assert_eq!(pair.verdict(), pb::Verdict::ExactDuplicate);
        assert!(pair.cosine > 0.99, "{}", pair.cosine);
        assert!(used.insert(pair.query_ordinal));
    }
}

#[tokio::test]
async fn copies_of_the_query_are_named_and_copies_of_answers_fold() {
    let mut desk = filled().await;
    desk.ingest(ingest(MILL[0].reprint("same", "Valley News", "2024-03-08"))).await.unwrap();
    let cut = pb::Document {
        paragraphs: document("", &MILL[0].paragraphs[..4]).paragraphs,
        ..MILL[0].reprint("cut", "Valley News", "2024-03-08")
    };
    desk.ingest(ingest(cut)).await.unwrap();
    let later = pb::Document {
        paragraphs: document("", &[MILL[0].paragraphs, &[LATER]].concat()).paragraphs,
        ..MILL[0].reprint("later", "Valley News", "2024-03-09")
    };
    desk.ingest(ingest(later)).await.unwrap();
    desk.ingest(ingest(MILL[1].reprint("folded", "Valley News", "2024-03-08"))).await.unwrap();

    let unstored = pb::Document { document_id: String::new(), ..MILL[0].document() };
    let by_default = pb::RankingOptions::default();
    for (request, copies) in [
        (documents_by_id("mill-1", by_default), vec!["cut", "same"]),
        (documents_like(unstored.clone(), by_default), vec!["cut", "mill-1", "same"]),
    ] {
        let answer = documents(&mut desk, request).await.unwrap();
        let mut named = answer.query_duplicate_ids.clone();
        named.sort();
        assert_eq!(named, copies);
        let found = answer.documents;
        check(&found, 5);
        for hidden in ["mill-1", "same", "cut", "folded"] {
            assert!(!names(&found).contains(&hidden), "{hidden}: {:?}", names(&found));
        }
        let of = |id: &str| found.iter().find(|found| name(found) == id).unwrap();
        assert_eq!(of("mill-2").duplicate_document_ids, ["folded"]);
        assert_eq!(of("mill-2").verdict(), pb::Verdict::New);
        assert_eq!(of("later").verdict(), pb::Verdict::Update);
    }

    let apart = pb::RankingOptions { include_duplicates: true, ..Default::default() };
    let answer = documents(&mut desk, documents_like(unstored, apart)).await.unwrap();
    assert!(answer.query_duplicate_ids.is_empty());
    let verdict = |id: &str| {
        let found = answer.documents.iter().find(|found| name(found) == id).unwrap();
        assert!(found.duplicate_document_ids.is_empty());
        found.verdict()
    };
    assert_eq!(verdict("mill-1"), pb::Verdict::ExactDuplicate);
    assert_eq!(verdict("same"), pb::Verdict::ExactDuplicate);
    assert_eq!(verdict("cut"), pb::Verdict::NearDuplicate);
    assert_eq!(verdict("later"), pb::Verdict::Update);
    assert_eq!((verdict("mill-2"), verdict("folded")), (pb::Verdict::New, pb::Verdict::New));
}

#[tokio::test]
async fn a_filter_and_a_limit_say_which_documents_answer() {
    let mut desk = filled().await;
    for mode in MODES {
        let all = documents_by_id("mill-1", by_mode(mode));
        let wire =
            pb::FindRelatedDocumentsRequest { filter: from_source("Lake Tribune"), ..all.clone() };
        let found = documents(&mut desk, wire).await.unwrap().documents;
        assert_eq!(names(&found), ["mill-2"], "{mode:?}");
        let filter = pb::Filter {
            exclude_document_ids: vec!["mill-2".to_owned()],
            published_before: day("2024-03-07"),
            ..Default::default()
        };
        let early = pb::FindRelatedDocumentsRequest { filter: Some(filter), ..all.clone() };
        let found = documents(&mut desk, early).await.unwrap().documents;
        assert_eq!(name(&found[0]), "mill-3", "{mode:?}");
        assert!(names(&found).iter().all(|id| *id != "mill-2" && *id != "ferry-3"), "{mode:?}");
        let one = pb::FindRelatedDocumentsRequest { limit: 1, ..all.clone() };
        let whole = documents(&mut desk, all).await.unwrap().documents;
        assert_eq!(documents(&mut desk, one).await.unwrap().documents, whole[..1], "{mode:?}");
    }
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused_by_their_field() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD]).await;
    let wrong = [
        (pb::RankingOptions { diversity: 2.0, ..Default::default() }, "ranking.diversity"),
        (pb::RankingOptions { diversity: -0.1, ..Default::default() }, "ranking.diversity"),
        (pb::RankingOptions { diversity: f32::NAN, ..Default::default() }, "ranking.diversity"),
        (
            pb::RankingOptions { recency_half_life: days(-1), ..Default::default() },
            "ranking.recency_half_life",
        ),
        (pb::RankingOptions { mode: 17, ..Default::default() }, "ranking.mode"),
        (
            pb::RankingOptions {
                as_of: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
                ..Default::default()
            },
            "ranking.as_of",
        ),
    ];
    let mut refusals = Vec::new();
    for (ranking, field) in wrong {
        let status = desk.related(passages("rates", ranking)).await.unwrap_err();
        refusals.push((status, field));
        let request = documents_by_id("a", ranking);
        refusals.push((documents(&mut desk, request).await.unwrap_err(), field));
    }
    refusals.push((desk.related(Default::default()).await.unwrap_err(), "query"));
    refusals.push((documents(&mut desk, Default::default()).await.unwrap_err(), "query"));
    let request = pb::FindRelatedDocumentsRequest {
        min_score: Some(1.5),
        ..documents_by_id("a", Default::default())
    };
    refusals.push((documents(&mut desk, request).await.unwrap_err(), "min_score"));
    let request = pb::FindRelatedPassagesRequest {
        max_per_document: -1,
        ..passages("rates", Default::default())
    };
    refusals.push((desk.related(request).await.unwrap_err(), "max_per_document"));
    let empty = documents_like(document("", &[" "]), Default::default());
    refusals.push((documents(&mut desk, empty).await.unwrap_err(), "document.paragraphs"));
    for (status, field) in refusals {
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
        assert_eq!(violations(&status), [field]);
    }
    let unknown = documents_by_id("nobody", Default::default());
    let status = documents(&mut desk, unknown).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}
