//! Which documents answer, page by page.

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, day, document, ingest, violations};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::{find_duplicates_request, find_related_passages_request};

/// Six documents that differ in what filters look at.
async fn filled() -> Desk {
    let mut desk = Desk::open().await;
    for (id, source, language, date, label, paragraph) in [
        ("a", "Alpha", "en", "2024-01-01", "economy", LEAD),
        ("b", "Beta", "en-GB", "2024-02-01", "economy", LEAD),
        ("c", "Beta", "en", "2024-03-01", "sports", SECOND),
        ("d", "Gamma", "fr", "2024-04-01", "economy", THIRD),
        ("e", "Gamma", "eng", "2024-05-01", "sports", OTHER),
        ("f", "", "", "2024-06-01", "", OTHER),
    ] {
        let labels = if label.is_empty() {
            Default::default()
        } else {
            [("desk".to_owned(), label.to_owned())].into()
        };
        let document = pb::Document {
            source: source.to_owned(),
            language: language.to_owned(),
            published_at: day(date),
            url: format!("https://example.org/{id}"),
            labels,
            ..document(id, &[paragraph])
        };
        desk.ingest(ingest(document)).await.unwrap();
    }
    desk
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn cases() -> Vec<(pb::Filter, &'static str)> {
    let desk = |label: &str| [("desk".to_owned(), label.to_owned())].into();
    vec![
        (pb::Filter::default(), "fedcba"),
        (pb::Filter { sources: strings(&["Beta", "Gamma"]), ..Default::default() }, "edcb"),
        (pb::Filter { exclude_sources: strings(&["Beta"]), ..Default::default() }, "feda"),
        (pb::Filter { languages: strings(&["en"]), ..Default::default() }, "fcba"),
        (pb::Filter { languages: strings(&["EN-gb", "fr"]), ..Default::default() }, "db"),
        (pb::Filter { published_after: day("2024-03-01"), ..Default::default() }, "fedc"),
        (pb::Filter { published_before: day("2024-03-01"), ..Default::default() }, "ba"),
        (pb::Filter { labels: desk("sports"), ..Default::default() }, "ec"),
        (pb::Filter { urls: strings(&["https://example.org/d"]), ..Default::default() }, "d"),
        (pb::Filter { exclude_document_ids: strings(&["a", "f"]), ..Default::default() }, "edcb"),
        (pb::Filter { canonical_document_ids: strings(&["a", "f"]), ..Default::default() }, "ba"),
        (pb::Filter { canonical_document_ids: strings(&["e"]), ..Default::default() }, "fe"),
        (pb::Filter { ingested_before: day("2024-06-01"), ..Default::default() }, ""),
        (pb::Filter { ingested_after: day("2024-06-01"), ..Default::default() }, "fedcba"),
        (
            pb::Filter {
                sources: strings(&["Beta"]),
                labels: desk("economy"),
                ..Default::default()
            },
            "b",
        ),
        (pb::Filter { sources: strings(&["it's \"quoted\" %_"]), ..Default::default() }, ""),
    ]
}

#[tokio::test]
async fn filters_hold_for_lists_questions_exports_and_counts() {
    let mut desk = filled().await;
    for (filter, expected) in cases() {
        let list = pb::ListDocumentsRequest { filter: Some(filter.clone()), ..Default::default() };
        let listed = desk.client.corpus.list_documents(list).await.unwrap().into_inner().documents;
        let ids: String = listed.iter().map(|document| document.document_id.as_str()).collect();
        assert_eq!(ids, expected, "{filter:?}");

        let export = pb::ExportDocumentsRequest { filter: Some(filter.clone()) };
        let mut exported = desk.client.corpus.export_documents(export).await.unwrap().into_inner();
        let mut ids = Vec::new();
        while let Some(document) = exported.message().await.unwrap() {
            ids.push(document.document.unwrap().document_id);
        }
        ids.sort();
        ids.reverse();
        assert_eq!(ids.concat(), expected, "{filter:?}");

        let related = pb::FindRelatedPassagesRequest {
            query: Some(find_related_passages_request::Query::Text("news".to_owned())),
            filter: Some(filter.clone()),
            ranking: Some(pb::RankingOptions { include_duplicates: true, ..Default::default() }),
            ..Default::default()
        };
        let passages = desk.related(related).await.unwrap().passages;
        let mut ids: Vec<String> =
            passages.into_iter().map(|p| p.document.unwrap().document_id).collect();
        ids.sort();
        ids.reverse();
        assert_eq!(ids.concat(), expected, "{filter:?}");

        let duplicates = pb::FindDuplicatesRequest {
            query: Some(find_duplicates_request::Query::Text(LEAD.to_owned())),
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let matches = desk.duplicates(duplicates).await.unwrap().matches;
        let mut ids: Vec<String> =
            matches.into_iter().map(|m| m.document.unwrap().document_id).collect();
        ids.reverse();
        let of_lead: String = expected.chars().filter(|id| "ab".contains(*id)).collect();
        assert_eq!(ids.concat(), of_lead, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_hold_every_document_once_and_tokens_are_bound_to_their_query() {
    let mut desk = filled().await;
    let request = |page_token: &str, filter| pb::ListDocumentsRequest {
        filter,
        page_size: 2,
        page_token: page_token.to_owned(),
    };
    let mut token = String::new();
    let mut pages = Vec::new();
    loop {
        let page =
            desk.client.corpus.list_documents(request(&token, None)).await.unwrap().into_inner();
        let ids: String =
            page.documents.iter().map(|document| document.document_id.as_str()).collect();
        pages.push(ids);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        // What is deleted or comes in between moves nothing.
        if pages.len() == 1 {
            desk.delete("f").await.unwrap();
            desk.put("g", &[SECOND]).await;
        }
    }
    assert_eq!(pages, ["fe", "dc", "ba"]);

    let first = desk.client.corpus.list_documents(request("", None)).await.unwrap().into_inner();
    let other = Some(pb::Filter { sources: strings(&["Beta"]), ..Default::default() });
    for (token, filter) in [(first.next_page_token.as_str(), other), ("nonsense", None)] {
        let refused = desk.client.corpus.list_documents(request(token, filter)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        assert_eq!(violations(&refused), ["page_token"]);
    }
}

#[tokio::test]
async fn a_batch_keeps_its_order_and_names_what_is_unknown() {
    let mut desk = filled().await;
    let request = pb::BatchGetDocumentsRequest { document_ids: strings(&["c", "x", "a", "y"]) };
    let batch = desk.client.corpus.batch_get_documents(request).await.unwrap().into_inner();
    let ids: Vec<&str> =
        batch.documents.iter().map(|document| document.document_id.as_str()).collect();
    assert_eq!(ids, ["c", "a"]);
    assert_eq!(batch.unknown_document_ids, ["x", "y"]);
}

#[tokio::test]
async fn what_is_exported_can_be_ingested_again() {
    let mut desk = filled().await;
    for (name, text) in crate::common::seeds() {
        let document = pb::Document { document_id: name, text: Some(text), ..Default::default() };
        desk.ingest(ingest(document)).await.unwrap();
    }
    let mut exported = desk
        .client
        .corpus
        .export_documents(pb::ExportDocumentsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut copy = Desk::open().await;
    while let Some(document) = exported.message().await.unwrap() {
        let document = document.document.unwrap();
        let id = document.document_id.clone();
        copy.ingest(ingest(document.clone())).await.unwrap();
        let again = desk.ingest(ingest(document)).await.unwrap();
        assert_eq!(again.outcome(), pb::IngestOutcome::Unchanged, "{id}");
        let (here, there) = (
            desk.get(&id, pb::VerdictView::Unspecified).await.unwrap(),
            copy.get(&id, pb::VerdictView::Unspecified).await.unwrap(),
        );
        assert_eq!(here.passages, there.passages);
    }
}
