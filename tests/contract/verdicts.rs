//! Verdicts as clients get them: what copies, updates and templates are called, by which
//! evidence, and how families and editors' words hold through time.

use crate::common::{Desk, day, document, ingest, verdict_of, violations};
use copydesk::proto::v1 as pb;
use pb::compare_documents_request::{Left, Right};
use tonic::Code;

const STORY: [&str; 5] = [
    "Harper Steel Corp said it will close its rolling mill in Duluth, Minnesota, on June 30 and lay \
     off 1,240 workers because of a fall in orders from car makers.",
    "The company took a charge of 86.5 mln dlrs against earnings in the second quarter, after a loss \
     of 12.3 mln dlrs a year earlier.",
    "Union officials said they had not been told before the announcement and would ask a judge to \
     delay the closing until talks are held.",
    "Chairman Robert Lane told reporters that no other plants of the group would be shut this year.",
    "The mill was opened in 1911 and employed 4,600 people at its peak, making plate for shipyards \
     on the Great Lakes.",
];

const LATER: &str = "A federal judge in Minneapolis later ordered the company to keep the mill open \
    for 30 days while both sides meet with a mediator.";

fn balances(day: &str, to: &str, from: &str) -> String {
    format!(
        "Treasury balances at the Federal Reserve rose on {day} to {to} billion dlrs from {from} \
         billion dlrs on the previous business day, the Treasury said in its latest budget \
         statement."
    )
}

async fn compare(
    desk: &mut Desk,
    left: Left,
    right: Right,
) -> Result<pb::DocumentVerdict, tonic::Status> {
    let request = pb::CompareDocumentsRequest {
        left: Some(left),
        right: Some(right),
        view: pb::VerdictView::Unspecified.into(),
    };
    let response = desk.client.similarity.compare_documents(request).await?.into_inner();
    Ok(response.verdict.unwrap())
}

fn left(paragraphs: &[&str]) -> Left {
    Left::LeftDocument(document("", paragraphs))
}

fn right(paragraphs: &[&str]) -> Right {
    Right::RightDocument(document("", paragraphs))
}

/// The canonical document and the verdict of a document, as of now.
async fn now(desk: &mut Desk, id: &str) -> (String, pb::Verdict) {
    let summary = desk.get(id, pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    (summary.canonical_document_id.clone(), summary.verdict())
}

async fn say(
    desk: &mut Desk,
    id: &str,
    other: &str,
    verdict: pb::Verdict,
) -> Result<pb::DocumentSummary, tonic::Status> {
    let request = pb::SetVerdictRequest {
        document_id: id.to_owned(),
        other_document_id: other.to_owned(),
        verdict: verdict.into(),
        same_story: None,
    };
    Ok(desk.client.corpus.set_verdict(request).await?.into_inner().document.unwrap())
}

#[tokio::test]
async fn comparing_and_ingesting_say_the_same_of_two_documents() {
    let mut desk = Desk::open().await;
    desk.put("story", &STORY).await;
    let damage = |text: &str| text.replace("er", "cr").replace("ll", "l1");
    let damaged: Vec<String> = STORY.iter().map(|text| damage(text)).collect();
    let damaged: Vec<&str> = damaged.iter().map(String::as_str).collect();
    let with = |text| [STORY.as_slice(), &[text]].concat();
    let fishermen = "Fishermen have been on strike over quotas since last week, officials said.";
    for (paragraphs, expected) in [
        (STORY.to_vec(), pb::Verdict::ExactDuplicate),
        (STORY[..3].to_vec(), pb::Verdict::NearDuplicate),
        (vec![STORY[2], STORY[0], STORY[4], STORY[1], STORY[3]], pb::Verdict::NearDuplicate),
        (damaged, pb::Verdict::NearDuplicate),
        (with(LATER), pb::Verdict::Update),
        (vec![fishermen, crate::common::OTHER], pb::Verdict::New),
    ] {
        let stored = Left::LeftDocumentId("story".to_owned());
        let compared = compare(&mut desk, stored, right(&paragraphs)).await.unwrap();
        let request = pb::IngestDocumentRequest {
            validate_only: true,
            view: pb::VerdictView::Evidence.into(),
            ..ingest(document("", &paragraphs))
        };
        let ingested = desk.ingest(request).await.unwrap().verdict.unwrap();
        assert_eq!(compared.verdict(), expected, "{paragraphs:?}");
        assert_eq!(ingested.verdict(), expected, "{paragraphs:?}");
        assert_eq!(compared.duplicate_probability, ingested.duplicate_probability);
        assert_eq!(compared.canonical_document_id == "story", expected != pb::Verdict::New);
        assert_eq!(compared.passages.len(), paragraphs.len());
        let same = compare(&mut desk, left(&STORY), right(&paragraphs)).await.unwrap();
        assert_eq!(same.duplicate_probability, compared.duplicate_probability);
    }
    assert_eq!(desk.info().await.corpus.unwrap().document_count, 1);
}

#[tokio::test]
async fn the_same_template_with_other_facts_is_new_and_says_which() {
    let mut desk = Desk::open().await;
    let march = balances("March 12", "3.083", "2.906");
    let october = balances("October 16", "12.813", "9.985");
    desk.put("march", &[&march]).await;
    let request = pb::IngestDocumentRequest {
        view: pb::VerdictView::Evidence.into(),
        ..ingest(document("october", &[&october]))
    };
    let verdict = desk.ingest(request).await.unwrap().verdict.unwrap();
    assert_eq!(verdict.verdict(), pb::Verdict::New);
    let found = verdict.passages[0].r#match.clone().unwrap();
    assert_eq!(found.verdict(), pb::Verdict::New);
    let evidence = found.evidence.unwrap();
    assert!(evidence.cosine > 0.85 && evidence.containment > 0.4, "{evidence:?}");
    let conflicts: Vec<(&str, &str)> = evidence
        .conflicts
        .iter()
        .map(|conflict| (conflict.query_value.as_str(), conflict.match_value.as_str()))
        .collect();
    assert_eq!(
        conflicts,
        [
            ("October 16", "March 12"),
            ("12.813 billion", "3.083 billion"),
            ("9.985 billion", "2.906 billion")
        ]
    );
    assert!(desk.copies_of(&october).await == ["october#0"]);
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_by_its_field() {
    let mut desk = Desk::open().await;
    desk.put("story", &STORY).await;
    let nothing = desk.client.similarity.compare_documents(pb::CompareDocumentsRequest::default());
    let status = nothing.await.unwrap_err();
    assert_eq!(
        (status.code(), violations(&status)),
        (Code::InvalidArgument, vec!["left".into(), "right".into()])
    );
    let unknown = Left::LeftDocumentId("nobody".to_owned());
    let status = compare(&mut desk, unknown, right(&STORY)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let status = compare(&mut desk, left(&[" "]), right(&STORY)).await.unwrap_err();
    assert_eq!(violations(&status), ["left_document.paragraphs"]);

    let status = say(&mut desk, "story", "story", pb::Verdict::New).await.unwrap_err();
    assert_eq!(violations(&status), ["other_document_id"]);
    let status = say(&mut desk, "story", "nobody", pb::Verdict::Unspecified).await.unwrap_err();
    assert_eq!(violations(&status), ["verdict"]);
    let status = say(&mut desk, "story", "nobody", pb::Verdict::New).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

/// A sentence of its own for each number.
fn report(number: usize) -> String {
    const PLACES: [&str; 5] = ["Lagos", "Osaka", "Quito", "Turin", "Perth"];
    const THINGS: [&str; 7] =
        ["a bridge", "two schools", "a ferry line", "the port", "a tunnel", "its airport", "a dam"];
    let (place, thing) = (PLACES[number % 5], THINGS[number % 7]);
    format!(
        "Officials in {place} approved plan {} on Tuesday to rebuild {thing} at a cost of {} mln \
         dlrs over {} years.",
        number * 37 + 11,
        number * 53 + 17,
        number % 9 + 2,
    )
}

#[tokio::test]
async fn text_that_an_outlet_repeats_stops_counting() {
    let mut desk = Desk::open().await;
    let about = "The Daily Harbour is published six days a week in the old customs house. Readers \
                 who want to support its newsroom can become members at any branch library, and \
                 members receive the weekend magazine, two tickets to the summer concert and an \
                 invitation to the yearly meeting with the editors.";
    let of = |id: &str, paragraphs: &[&str]| pb::Document {
        source: "harbour".to_owned(),
        ..document(id, paragraphs)
    };
    for number in 0..20 {
        desk.ingest(ingest(of(&format!("story-{number}"), &[&report(number), about])))
            .await
            .unwrap();
    }
    let one = "The mayor resigned on Friday after the council rejected the budget.";
    let two = "Heavy rain closed the coast road near the lighthouse on Saturday.";
    desk.ingest(ingest(of("one", &[one, about]))).await.unwrap();
    let verdict = desk.ingest(ingest(of("two", &[two, about]))).await.unwrap();
    assert_eq!(verdict_of(&verdict), pb::Verdict::New);
    let elsewhere = pb::Document { source: "elsewhere".to_owned(), ..of("", &[two, about]) };
    let elsewhere = pb::Document { document_id: "three".to_owned(), ..elsewhere };
    let verdict = desk.ingest(ingest(elsewhere)).await.unwrap();
    assert_eq!(verdict.verdict.unwrap().canonical_document_id, "two");
    // Without what is repeated the two have nothing in common; a copy is one nevertheless.
    let compared = compare(
        &mut desk,
        Left::LeftDocumentId("one".to_owned()),
        Right::RightDocumentId("two".to_owned()),
    );
    assert!(compared.await.unwrap().duplicate_probability < 0.2);
    let copy = desk.ingest(ingest(of("copy", &[one, about]))).await.unwrap();
    assert_eq!(verdict_of(&copy), pb::Verdict::ExactDuplicate);
}

#[tokio::test]
async fn a_hundred_clients_at_once_make_one_new_document() {
    let desk = Desk::open().await;
    let copies = (0..100).map(|index| {
        let mut client = desk.client.clone();
        tokio::spawn(async move {
            let edited = STORY[index % 5].replace(" said", " said,").replace("The ", "Its ");
            let mut paragraphs: Vec<String> = STORY.iter().map(|text| (*text).to_owned()).collect();
            paragraphs[index % 5] = format!("{edited} ({index})");
            let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
            let document = document(&format!("copy-{index}"), &paragraphs);
            client.corpus.ingest_document(ingest(document)).await.unwrap().into_inner()
        })
    });
    let copies: Vec<_> = copies.collect();
    let mut canonical = std::collections::BTreeSet::new();
    let mut new = 0;
    for copy in copies {
        let copy = copy.await.unwrap();
        new += usize::from(verdict_of(&copy) == pb::Verdict::New);
        canonical.insert(copy.verdict.unwrap().canonical_document_id);
    }
    assert_eq!((new, canonical.len()), (1, 1));
}

#[tokio::test]
async fn a_chain_of_small_edits_does_not_make_one_family() {
    let mut desk = Desk::open().await;
    // Each version replaces one paragraph of the one before it.
    let mut paragraphs: Vec<String> = (0..8).map(report).collect();
    for version in 0..16 {
        let texts: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
        desk.put(&format!("v{version:02}"), &texts).await;
        paragraphs[version % 8] = report(100 + version);
    }
    let mut families = std::collections::BTreeSet::new();
    for version in 0..16 {
        let id = format!("v{version:02}");
        let (canonical, verdict) = now(&mut desk, &id).await;
        families.insert(canonical.clone());
        if canonical == id {
            assert_eq!(verdict, pb::Verdict::New);
            continue;
        }
        let (left, right) = (Left::LeftDocumentId(canonical), Right::RightDocumentId(id));
        let compared = compare(&mut desk, left, right).await.unwrap();
        assert_eq!(compared.verdict(), verdict, "an edge that does not hold");
        assert_ne!(verdict, pb::Verdict::New);
    }
    assert!(families.len() > 1, "{families:?}");
}

#[tokio::test]
async fn a_copy_of_a_notice_that_came_every_year_is_found_among_the_others() {
    let mut desk = Desk::open().await;
    let notice = |id: &str, year: usize| {
        let text = "The Bundesbank left credit policies unchanged after today's regular meeting of \
                    its council, a spokesman said in answer to enquiries.";
        let mut document = document(id, &[text]);
        document.title = "BUNDESBANK LEAVES CREDIT POLICIES UNCHANGED".to_owned();
        document.published_at = day(&format!("20{year:02}-03-05"));
        ingest(document)
    };
    for year in 0..20 {
        let came = desk.ingest(notice(&format!("n{year}"), year)).await.unwrap();
        assert_ne!(verdict_of(&came), pb::Verdict::ExactDuplicate, "year {year}");
    }
    for year in [3, 11, 19] {
        let copy = desk.ingest(notice(&format!("copy{year}"), year)).await.unwrap();
        assert_eq!(verdict_of(&copy), pb::Verdict::ExactDuplicate, "year {year}");
    }
}

#[tokio::test]
async fn a_family_follows_the_earliest_and_goes_on_without_it() {
    let mut desk = Desk::open().await;
    let of = |id: &str, date: &str, paragraphs: &[&str]| {
        ingest(pb::Document { published_at: day(date), ..document(id, paragraphs) })
    };
    desk.ingest(of("second", "2024-02-02", &STORY)).await.unwrap();
    desk.ingest(of("third", "2024-02-03", &STORY[..4])).await.unwrap();
    let late = [STORY.as_slice(), &[LATER]].concat();
    desk.ingest(of("fourth", "2024-02-04", &late)).await.unwrap();
    assert_eq!(now(&mut desk, "fourth").await, ("second".into(), pb::Verdict::Update));
    desk.ingest(of("first", "2024-02-01", &STORY)).await.unwrap();
    assert_eq!(now(&mut desk, "first").await, ("first".into(), pb::Verdict::New));
    assert_eq!(now(&mut desk, "second").await, ("first".into(), pb::Verdict::ExactDuplicate));
    assert_eq!(now(&mut desk, "third").await, ("first".into(), pb::Verdict::NearDuplicate));
    assert_eq!(now(&mut desk, "fourth").await, ("first".into(), pb::Verdict::Update));
    desk.delete("first").await.unwrap();
    desk.delete("second").await.unwrap();
    assert_eq!(now(&mut desk, "third").await, ("third".into(), pb::Verdict::New));
    assert_eq!(now(&mut desk, "fourth").await, ("third".into(), pb::Verdict::Update));
}

#[tokio::test]
async fn an_editors_word_outlives_recomputation_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &STORY).await;
    desk.put("b", &STORY[..4]).await;
    desk.put("c", &[&report(1), &report(2)]).await;
    assert_eq!(now(&mut desk, "b").await.0, "a");
    let apart = say(&mut desk, "b", "a", pb::Verdict::New).await.unwrap();
    assert_eq!((apart.canonical_document_id.as_str(), apart.verdict()), ("b", pb::Verdict::New));
    let joined = say(&mut desk, "c", "a", pb::Verdict::Update).await.unwrap();
    assert_eq!(
        (joined.canonical_document_id.as_str(), joined.verdict()),
        ("a", pb::Verdict::Update)
    );
    desk.terminate();
    assert!(desk.wait().await.success());

    let mut desk = Desk::over(folder.path()).await;
    // An earlier copy makes all members be judged again.
    let first = pb::Document { published_at: day("2001-01-01"), ..document("first", &STORY) };
    desk.ingest(ingest(first)).await.unwrap();
    assert_eq!(now(&mut desk, "a").await, ("first".into(), pb::Verdict::ExactDuplicate));
    desk.delete("first").await.unwrap();
    assert_eq!(now(&mut desk, "b").await.0, "b");
    let (left, right) = (Left::LeftDocumentId("a".into()), Right::RightDocumentId("b".into()));
    assert_eq!(compare(&mut desk, left, right).await.unwrap().verdict(), pb::Verdict::New);
    // Another body of the same document does not bring it back either.
    desk.put("b", &STORY[..3]).await;
    assert_eq!(now(&mut desk, "b").await.0, "b");
}

#[tokio::test]
async fn a_language_that_the_model_does_not_speak_is_judged_by_words_and_facts() {
    let mut desk = Desk::open().await;
    let german = [
        "Die Zentralbank hat den Leitzins am Montag um einen halben Punkt auf 5,5 Prozent erhöht, \
         die dritte Anhebung in diesem Jahr.",
        "Präsidentin Jana Krause sagte vor Journalisten, die Inflation sei hartnäckiger, als die \
         Bank im März erwartet habe, und schloss weitere Schritte nicht aus.",
        "Die Aktien der Geschäftsbanken fielen nach der Ankündigung deutlich, während die Währung \
         gegenüber dem Dollar fast ein Prozent gewann.",
    ];
    desk.put("a", &german).await;
    let cut = desk.put("b", &german[..2]).await.verdict.unwrap();
    assert_eq!((cut.verdict(), cut.lexical_only), (pb::Verdict::NearDuplicate, true));
    let other = "Die Fischer im Nordhafen streiken seit voriger Woche gegen die neuen Fangquoten, \
                 und die Gespräche mit dem Ministerium sind am Freitag gescheitert.";
    let new = desk.put("c", &[other]).await.verdict.unwrap();
    assert_eq!((new.verdict(), new.lexical_only), (pb::Verdict::New, true));
}
