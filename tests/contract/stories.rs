//! Stories: documents on the same events, filed as they come in, read in pages, merged, and
//! kept as editors say.

use std::collections::BTreeSet;

use crate::common::reports::{FERRY, MILL, QUAKE, Report};
use crate::common::{Desk, day, document, ingest, violations};
use copydesk::proto::v1 as pb;
use tonic::{Code, Status};

async fn story(
    desk: &mut Desk,
    id: &str,
    page_size: i32,
    page_token: &str,
) -> Result<pb::GetStoryResponse, Status> {
    let page_token = page_token.to_owned();
    let request = pb::GetStoryRequest { story_id: id.to_owned(), page_size, page_token };
    Ok(desk.client.story.get_story(request).await?.into_inner())
}

async fn list(
    desk: &mut Desk,
    request: pb::ListStoriesRequest,
) -> Result<pb::ListStoriesResponse, Status> {
    Ok(desk.client.story.list_stories(request).await?.into_inner())
}

/// All stories, latest changed first.
async fn stories(desk: &mut Desk) -> Vec<pb::Story> {
    list(desk, pb::ListStoriesRequest::default()).await.unwrap().stories
}

fn ids(stories: &[pb::Story]) -> Vec<&str> {
    stories.iter().map(|story| story.story_id.as_str()).collect()
}

fn names(documents: &[pb::DocumentSummary]) -> Vec<&str> {
    documents.iter().map(|document| document.document_id.as_str()).collect()
}

/// The story of a document, as of now.
async fn story_of(desk: &mut Desk, id: &str) -> String {
    let summary = desk.get(id, pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert!(!summary.story_id.is_empty(), "{id} is in no story");
    summary.story_id
}

async fn file(desk: &mut Desk, document: pb::Document) -> pb::IngestDocumentResponse {
    desk.ingest(ingest(document)).await.unwrap()
}

/// The documents of all stories; each story holds what it says, and is what its documents say.
async fn filed(desk: &mut Desk) -> BTreeSet<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for listed in stories(desk).await {
        let page = story(desk, &listed.story_id, 0, "").await.unwrap();
        let found = page.story.unwrap();
        assert_eq!(found, listed);
        assert_eq!(found.document_count, page.documents.len() as i64);
        let canonical: BTreeSet<&str> =
            page.documents.iter().map(|document| document.canonical_document_id.as_str()).collect();
        assert_eq!(found.distinct_document_count, canonical.len() as i64);
        assert!(page.documents.iter().all(|document| document.story_id == found.story_id));
        assert_eq!(found.first_published_at, page.documents[0].published_at);
        assert_eq!(found.last_published_at, page.documents.last().unwrap().published_at);
        all.insert(names(&page.documents).into_iter().map(str::to_owned).collect());
    }
    all
}

fn sets(expected: &[&[&str]]) -> BTreeSet<BTreeSet<String>> {
    let set = |ids: &&[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    expected.iter().map(set).collect()
}

async fn say(
    desk: &mut Desk,
    id: &str,
    other: &str,
    same_story: Option<bool>,
) -> Result<pb::DocumentSummary, Status> {
    let request = pb::SetVerdictRequest {
        document_id: id.to_owned(),
        other_document_id: other.to_owned(),
        verdict: pb::Verdict::New.into(),
        same_story,
    };
    Ok(desk.client.corpus.set_verdict(request).await?.into_inner().document.unwrap())
}

#[tokio::test]
async fn two_events_are_two_stories_whatever_the_order_of_arrival() {
    let reports: Vec<&Report> = MILL.iter().chain(&QUAKE).collect();
    let events: [&[&str]; 2] =
        [&["mill-1", "mill-2", "mill-3"], &["quake-1", "quake-2", "quake-3"]];
    for order in [[0, 1, 2, 3, 4, 5], [5, 2, 4, 1, 3, 0], [2, 3, 0, 5, 1, 4], [1, 4, 2, 5, 0, 3]] {
        let mut desk = Desk::open().await;
        for place in order {
            let came = file(&mut desk, reports[place].document()).await.verdict.unwrap();
            assert_eq!(came.verdict(), pb::Verdict::New);
            let id = reports[place].id;
            assert_eq!(came.story_id, story_of(&mut desk, id).await, "{order:?} {id}");
        }
        assert_eq!(filed(&mut desk).await, sets(&events), "{order:?}");
    }
}

#[tokio::test]
async fn asking_says_the_story_of_what_is_not_stored() {
    let mut desk = Desk::open().await;
    file(&mut desk, MILL[0].document()).await;
    let mill = story_of(&mut desk, "mill-1").await;
    let request = pb::IngestDocumentRequest { validate_only: true, ..ingest(MILL[1].document()) };
    assert_eq!(desk.ingest(request).await.unwrap().verdict.unwrap().story_id, mill);
    let request = pb::IngestDocumentRequest { validate_only: true, ..ingest(QUAKE[1].document()) };
    assert_ne!(desk.ingest(request).await.unwrap().verdict.unwrap().story_id, mill);
    assert_eq!(filed(&mut desk).await, sets(&[&["mill-1"]]));
}

#[tokio::test]
async fn a_story_says_what_it_holds_page_by_page_earliest_first() {
    let mut desk = Desk::open().await;
    // Who had it first comes in last.
    for report in [&MILL[2], &MILL[1], &QUAKE[0], &MILL[0]] {
        file(&mut desk, report.document()).await;
    }
    file(&mut desk, MILL[1].reprint("mill-4", "Northern Wire", "2024-03-08")).await;
    let id = story_of(&mut desk, "mill-1").await;
    let whole = story(&mut desk, &id, 0, "").await.unwrap();
    assert_eq!(names(&whole.documents), ["mill-1", "mill-2", "mill-3", "mill-4"]);
    assert_eq!(whole.next_page_token, "");
    let found = whole.story.unwrap();
    assert!(MILL.iter().any(|report| report.title == found.title), "{:?}", found.title);
    assert_eq!(found.sources, ["Northern Wire", "Labor Daily", "Lake Tribune"]);
    assert_eq!((found.document_count, found.distinct_document_count), (4, 3));
    assert_eq!(found.first_published_at, day("2024-03-04"));
    assert_eq!(found.last_published_at, day("2024-03-08"));
    assert!(found.merged_story_ids.iter().all(|merged| *merged != id));
    assert!(found.updated_at.is_some());

    for size in [1, 2, 3] {
        let (mut token, mut paged) = (String::new(), Vec::new());
        loop {
            let page = story(&mut desk, &id, size, &token).await.unwrap();
            assert!(page.documents.len() <= size as usize);
            assert_eq!(page.story.as_ref(), Some(&found));
            paged.extend(page.documents);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, whole.documents, "{size}");
    }
    let token = story(&mut desk, &id, 1, "").await.unwrap().next_page_token;
    let quake = story_of(&mut desk, "quake-1").await;
    for (id, token) in [(quake.as_str(), token.as_str()), (id.as_str(), "nonsense")] {
        let status = story(&mut desk, id, 1, token).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(violations(&status), ["page_token"]);
    }
}

#[tokio::test]
async fn stories_are_listed_latest_changed_first_with_filters_and_pages() {
    let mut desk = Desk::open().await;
    for report in [&MILL[0], &QUAKE[0], &FERRY[0]] {
        file(&mut desk, report.document()).await;
    }
    let mill = story_of(&mut desk, "mill-1").await;
    let quake = story_of(&mut desk, "quake-1").await;
    let ferry = story_of(&mut desk, "ferry-1").await;
    assert_eq!(ids(&stories(&mut desk).await), [&ferry, &quake, &mill]);
    file(&mut desk, MILL[1].document()).await;
    assert_eq!(ids(&stories(&mut desk).await), [&mill, &ferry, &quake]);
    file(&mut desk, QUAKE[0].reprint("quake-4", "Valley News", "2024-03-07")).await;
    let all = stories(&mut desk).await;
    assert_eq!(ids(&all), [&quake, &mill, &ferry]);

    let from =
        |source: &str| Some(pb::Filter { sources: vec![source.to_owned()], ..Default::default() });
    let late = Some(pb::Filter { published_after: day("2024-03-07"), ..Default::default() });
    for (filter, min_distinct_documents, expected) in [
        (from("Northern Wire"), 0, vec![&quake, &mill, &ferry]),
        (from("Lake Tribune"), 0, vec![&mill]),
        (from("Nobody"), 0, vec![]),
        (late, 0, vec![&quake]),
        (None, 1, vec![&quake, &mill, &ferry]),
        // A copy does not make another report.
        (None, 2, vec![&mill]),
        (from("Northern Wire"), 2, vec![&mill]),
        (None, 3, vec![]),
    ] {
        let request = pb::ListStoriesRequest {
            filter: filter.clone(),
            min_distinct_documents,
            ..Default::default()
        };
        let found = list(&mut desk, request).await.unwrap();
        assert_eq!(ids(&found.stories), expected, "{filter:?} {min_distinct_documents}");
        assert_eq!(found.next_page_token, "");
    }

    let page = |page_token: &str| pb::ListStoriesRequest {
        page_size: 1,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let (mut token, mut paged) = (String::new(), Vec::new());
    loop {
        let found = list(&mut desk, page(&token)).await.unwrap();
        assert_eq!(found.stories.len(), 1);
        paged.extend(found.stories);
        token = found.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);

    let token = list(&mut desk, page("")).await.unwrap().next_page_token;
    for wrong in [
        page("nonsense"),
        pb::ListStoriesRequest { filter: from("Northern Wire"), ..page(&token) },
        pb::ListStoriesRequest { min_distinct_documents: 2, ..page(&token) },
    ] {
        let status = list(&mut desk, wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(violations(&status), ["page_token"]);
    }
    let few = pb::ListStoriesRequest { min_distinct_documents: -1, ..Default::default() };
    let status = list(&mut desk, few).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violations(&status), ["min_distinct_documents"]);
}

#[tokio::test]
async fn ids_that_name_no_story_are_told_apart() {
    let mut desk = Desk::open().await;
    file(&mut desk, MILL[0].document()).await;
    let known = story_of(&mut desk, "mill-1").await;
    assert_eq!(story(&mut desk, &known, 0, "").await.unwrap().story.unwrap().story_id, known);
    let status = story(&mut desk, "story-987654321", 0, "").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    for malformed in ["", "mill-1", "story-", "story-01", "story-one", "story-99999999999999999999"]
    {
        let status = story(&mut desk, malformed, 0, "").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{malformed:?}");
        assert_eq!(violations(&status), ["story_id"], "{malformed:?}");
    }
}

#[tokio::test]
async fn a_copy_and_an_update_are_in_the_story_of_what_they_copy() {
    let mut desk = Desk::open().await;
    for report in [&MILL[0], &QUAKE[0]] {
        file(&mut desk, report.document()).await;
    }
    let mill = story_of(&mut desk, "mill-1").await;
    let same = file(&mut desk, MILL[0].reprint("same", "Valley News", "2024-03-05")).await;
    let cut = pb::Document {
        paragraphs: document("", &MILL[0].paragraphs[..3]).paragraphs,
        ..MILL[0].reprint("cut", "Evening Post", "2024-03-05")
    };
    let cut = file(&mut desk, cut).await;
    let later = [MILL[0].paragraphs, &[crate::common::reports::LATER]].concat();
    let later = pb::Document {
        paragraphs: document("", &later).paragraphs,
        ..MILL[0].reprint("later", "Evening Post", "2024-03-06")
    };
    let later = file(&mut desk, later).await;
    for (came, verdict) in [
        (same, pb::Verdict::ExactDuplicate),
        (cut, pb::Verdict::NearDuplicate),
        (later, pb::Verdict::Update),
    ] {
        let came = came.verdict.unwrap();
        assert_eq!((came.verdict(), came.story_id.as_str()), (verdict, mill.as_str()));
    }
    let all = sets(&[&["mill-1", "same", "cut", "later"], &["quake-1"]]);
    assert_eq!(filed(&mut desk).await, all);
    let found = story(&mut desk, &mill, 0, "").await.unwrap().story.unwrap();
    assert_eq!((found.document_count, found.distinct_document_count), (4, 1));
}

#[tokio::test]
async fn deleting_keeps_counts_right_and_a_story_of_nothing_is_gone() {
    let mut desk = Desk::open().await;
    for report in MILL.iter().chain(&QUAKE[..1]) {
        file(&mut desk, report.document()).await;
    }
    file(&mut desk, MILL[0].reprint("copy", "Valley News", "2024-03-09")).await;
    let mill = story_of(&mut desk, "mill-1").await;
    let mut counts = Vec::new();
    for gone in ["copy", "mill-2"] {
        desk.delete(gone).await.unwrap();
        filed(&mut desk).await;
        let found = story(&mut desk, &mill, 0, "").await.unwrap().story.unwrap();
        assert!(!found.sources.contains(&"Valley News".to_owned()));
        counts.push((found.document_count, found.distinct_document_count));
    }
    assert_eq!(counts, [(3, 3), (2, 2)]);
    // All at once, with the other story's left alone.
    let filter = pb::Filter {
        sources: vec!["Northern Wire".to_owned(), "Labor Daily".to_owned()],
        exclude_document_ids: vec!["quake-1".to_owned()],
        ..Default::default()
    };
    let request = pb::DeleteDocumentsRequest { filter: Some(filter), validate_only: false };
    let deleted = desk.client.corpus.delete_documents(request).await.unwrap().into_inner();
    assert_eq!(deleted.deleted_count, 2);
    assert_eq!(story(&mut desk, &mill, 0, "").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(filed(&mut desk).await, sets(&[&["quake-1"]]));
    // Its id is never given to another one.
    file(&mut desk, MILL[0].document()).await;
    assert_ne!(story_of(&mut desk, "mill-1").await, mill);
    assert_eq!(story(&mut desk, &mill, 0, "").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn another_body_moves_a_document_to_another_story() {
    let mut desk = Desk::open().await;
    for report in [&MILL[0], &MILL[1], &QUAKE[0], &QUAKE[1]] {
        file(&mut desk, report.document()).await;
    }
    file(&mut desk, QUAKE[2].reprint("mill-2", "World Report", "2024-03-06")).await;
    let expected = sets(&[&["mill-1"], &["quake-1", "quake-2", "mill-2"]]);
    assert_eq!(filed(&mut desk).await, expected);
}

/// Two sides of one affair that have little in common, and the report that tells both.
const AUDIT: Report = Report {
    id: "audit",
    title: "Auditor quits Calder Bank over missing loan papers",
    source: "Money Weekly",
    date: "2024-05-06",
    paragraphs: &[
        "The accounting firm Pryce Holt resigned as auditor of Calder Bank on Monday, saying that \
         it had not been shown the papers for loans of 640 million pounds to shipping companies.",
        "Its letter to shareholders said the accounts for last year could no longer be relied on.",
    ],
};
const ARREST: Report = Report {
    id: "arrest",
    title: "Police hold shipowner Andreas Kallis at Athens airport",
    source: "Athens Today",
    date: "2024-05-07",
    paragraphs: &[
        "Greek police arrested the shipowner Andreas Kallis at Athens airport on Tuesday as he was \
         about to board a flight to Dubai with two suitcases of cash.",
        "He is wanted in Britain on a charge of fraud. His lawyer said he would fight extradition.",
    ],
};
const BRIDGE: Report = Report {
    id: "bridge",
    title: "Calder Bank: shipowner Kallis arrested in Athens after auditor quits",
    source: "Northern Wire",
    date: "2024-05-08",
    paragraphs: &[
        "The affair around Calder Bank widened when the shipowner Andreas Kallis was arrested at \
         Athens airport on Tuesday, a day after the bank's auditor, Pryce Holt, had resigned.",
        "Mr Kallis, who was stopped by Greek police on his way to Dubai with suitcases of cash, is \
         wanted in Britain for fraud and means to fight extradition, his lawyer said.",
        "Pryce Holt told shareholders on Monday that the bank's accounts could not be relied on, \
         because papers for 640 million pounds of loans to shipping companies were missing.",
        "Most of the loans went to companies of Mr Kallis, two people at the bank said.",
    ],
};

#[tokio::test]
async fn the_id_of_a_merged_story_leads_to_the_other_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    for report in [&QUAKE[0], &FERRY[0], &AUDIT, &ARREST] {
        file(&mut desk, report.document()).await;
    }
    let audit = story_of(&mut desk, "audit").await;
    let arrest = story_of(&mut desk, "arrest").await;
    assert_ne!(audit, arrest, "the two are of one story before they are bridged");
    file(&mut desk, BRIDGE.document()).await;
    let expected = sets(&[&["audit", "arrest", "bridge"], &["quake-1"], &["ferry-1"]]);
    assert_eq!(filed(&mut desk).await, expected);
    let standing = story_of(&mut desk, "bridge").await;
    assert!([&audit, &arrest].contains(&&standing), "{standing}");
    let merged = if standing == audit { arrest } else { audit };
    desk.terminate();
    assert!(desk.wait().await.success());

    let mut desk = Desk::over(folder.path()).await;
    let found = story(&mut desk, &merged, 0, "").await.unwrap();
    assert_eq!(names(&found.documents), ["audit", "arrest", "bridge"]);
    let found = found.story.unwrap();
    assert_eq!(found.story_id, standing);
    assert_eq!(found.merged_story_ids, std::slice::from_ref(&merged));
    assert!(!ids(&stories(&mut desk).await).contains(&merged.as_str()));
    // Without documents neither name is one.
    for gone in ["audit", "arrest", "bridge"] {
        desk.delete(gone).await.unwrap();
    }
    for id in [merged, standing] {
        assert_eq!(story(&mut desk, &id, 0, "").await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test]
async fn an_editors_word_on_stories_moves_documents_and_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    for report in [&MILL[0], &MILL[1], &QUAKE[0], &FERRY[0]] {
        file(&mut desk, report.document()).await;
    }
    file(&mut desk, FERRY[0].reprint("ferry-copy", "Valley News", "2024-03-09")).await;
    let before: &[&[&str]] = &[&["mill-1", "mill-2"], &["quake-1"], &["ferry-1", "ferry-copy"]];
    assert_eq!(filed(&mut desk).await, sets(before));

    let apart = say(&mut desk, "mill-2", "mill-1", Some(false)).await.unwrap();
    assert_eq!(apart.story_id, story_of(&mut desk, "mill-2").await);
    assert_ne!(apart.story_id, story_of(&mut desk, "mill-1").await);
    // A family moves as one.
    let emptied = story_of(&mut desk, "ferry-1").await;
    let joined = say(&mut desk, "ferry-1", "quake-1", Some(true)).await.unwrap();
    let found = story(&mut desk, &emptied, 0, "").await.unwrap().story.unwrap();
    assert_eq!(found.story_id, joined.story_id);
    assert_eq!(found.merged_story_ids, [emptied]);
    assert_eq!(joined.story_id, story_of(&mut desk, "quake-1").await);
    let said: &[&[&str]] = &[&["mill-1"], &["mill-2"], &["quake-1", "ferry-1", "ferry-copy"]];
    assert_eq!(filed(&mut desk).await, sets(said));
    desk.terminate();
    assert!(desk.wait().await.success());

    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(filed(&mut desk).await, sets(said));
    // What comes in makes the stories around it be grouped anew.
    file(&mut desk, MILL[2].document()).await;
    file(&mut desk, QUAKE[1].document()).await;
    file(&mut desk, FERRY[1].document()).await;
    file(&mut desk, FERRY[2].document()).await;
    assert_ne!(story_of(&mut desk, "mill-1").await, story_of(&mut desk, "mill-2").await);
    let quake = story_of(&mut desk, "quake-1").await;
    for id in ["ferry-1", "ferry-copy"] {
        assert_eq!(story_of(&mut desk, id).await, quake, "{id}");
    }
    filed(&mut desk).await;
    // Another body of one of the two changes nothing in what was said.
    file(&mut desk, MILL[0].reprint("mill-2", "Lake Tribune", "2024-03-05")).await;
    assert_ne!(story_of(&mut desk, "mill-1").await, story_of(&mut desk, "mill-2").await);

    // The last word counts.
    say(&mut desk, "mill-2", "mill-1", Some(true)).await.unwrap();
    assert_eq!(story_of(&mut desk, "mill-1").await, story_of(&mut desk, "mill-2").await);
    let status = say(&mut desk, "mill-2", "nobody", Some(true)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

/// Results of four companies in the same words, as a wire reports them on one day.
fn results() -> Vec<pb::Document> {
    let report = |[company, town, chief, net, before, sales, share]: [&str; 7]| {
        let lead = format!(
            "{company} said on Tuesday that its net profit in the fourth quarter came to {net} \
             million dollars, or {share} cents a share, after {before} million dollars a year \
             earlier."
        );
        let sales = format!(
            "Revenue for the quarter was {sales} million dollars, the {town} company said."
        );
        let outlook = format!(
            "Chief executive {chief} said the results were in line with what the company had \
             expected and that it was confident for the year."
        );
        pb::Document {
            title: format!("{company} reports fourth-quarter results"),
            source: "Northern Wire".to_owned(),
            published_at: day("2024-02-06"),
            ..document(&company.to_lowercase().replace(' ', "-"), &[&lead, &sales, &outlook])
        }
    };
    let companies = [
        ["Alden Tool Works", "Toledo", "Martha Quill", "14.2", "11.8", "212", "34"],
        ["Pacific Paper Group", "Tacoma", "Owen Bright", "63.7", "70.1", "905", "118"],
        ["Sunbelt Pharmacies", "Tampa", "Lucia Reyes", "8.9", "3.3", "447", "21"],
        ["Granite State Insurance", "Concord", "Paul Emery", "120.4", "98.6", "1,630", "256"],
    ];
    companies.into_iter().map(report).collect()
}

/// Files results, each of which must be a story of its own.
async fn file_results(desk: &mut Desk) {
    for document in results() {
        let came = file(desk, document).await;
        assert_eq!(crate::common::verdict_of(&came), pb::Verdict::New);
    }
    let all = filed(desk).await;
    for document in results() {
        assert!(all.contains(&BTreeSet::from([document.document_id])), "{all:?}");
    }
}

#[tokio::test]
async fn results_of_different_companies_are_different_stories() {
    file_results(&mut Desk::open().await).await;
}

#[tokio::test]
async fn results_of_different_companies_are_different_stories_among_other_news() {
    let mut desk = Desk::open().await;
    for report in MILL.iter().chain(&QUAKE).chain(&FERRY).chain([&AUDIT, &ARREST]) {
        file(&mut desk, report.document()).await;
    }
    file_results(&mut desk).await;
}
