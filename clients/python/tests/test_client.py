"""What the client asks, and what it makes of the answers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import grpc
import pytest

import copydesk
from copydesk import Client, Filter, RankingOptions, Verdict, VerdictView, document
from tests.conftest import SEEDS, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Server

SPUTNIK = "sputnik-2023-10-20-lavrov-north-korea-trip"
LOWY = "lowy-interpreter-2023-11-24-closer-but-not-too-close"
LEAD = (
    "The central bank raised its key interest rate by half a percentage point to 5.5 pct on "
    "Monday, its third increase this year."
)


@pytest.fixture
def desk(server: Server) -> Iterator[Client]:
    with Client(server.address) as client:
        yield client


@pytest.fixture
def seeds(seeded: Server) -> Iterator[Client]:
    with Client(seeded.address) as client:
        yield client


def test_a_document_comes_back_as_it_was_given(desk: Client) -> None:
    published = datetime(1987, 2, 26, 15, 1, 1, tzinfo=UTC)
    line = {
        "document_id": "r1",
        "title": "Bank raises rate",
        "paragraphs": [LEAD, "Shares in lenders fell sharply after the announcement was made."],
        "source": "Reuters",
        "published_at": "1987-02-26T15:01:01Z",
        "labels": {"desk": "economy"},
    }
    answer = desk.ingest(document(**line))  # type: ignore[arg-type]
    assert answer.document_id == "r1"
    assert answer.verdict.verdict == Verdict.VERDICT_NEW

    stored = desk.get("r1")
    assert stored.document.source == "Reuters"
    assert dict(stored.document.labels) == {"desk": "economy"}
    assert stored.document.published_at.ToDatetime(tzinfo=UTC) == published
    assert [passage.text for passage in stored.passages] == line["paragraphs"]
    (exported,) = desk.export()
    assert list(exported.paragraphs.paragraphs) == line["paragraphs"]


def test_a_copy_is_told_from_news_and_an_editor_overrules(desk: Client) -> None:
    desk.ingest(document(document_id="first", text=LEAD))
    copy = desk.ingest(document(document_id="second", text=LEAD))
    assert copy.verdict.verdict == Verdict.VERDICT_EXACT_DUPLICATE
    assert copy.verdict.canonical_document_id == "first"
    assert desk.compare("first", document(text=LEAD)).verdict == Verdict.VERDICT_EXACT_DUPLICATE
    summary = desk.set_verdict("second", "first", Verdict.VERDICT_NEW)
    assert summary.verdict == Verdict.VERDICT_NEW


def test_what_is_deleted_is_gone(desk: Client) -> None:
    for number in range(3):
        desk.ingest(document(document_id=f"d{number}", text=f"{LEAD} {number}.", source="Wire"))
    desk.delete("d0")
    with pytest.raises(copydesk.NotFound) as refused:
        desk.delete("d0")
    assert refused.value.reason == "UNKNOWN_DOCUMENT"
    assert refused.value.request_id
    wire = Filter(sources=["Wire"])
    assert desk.delete_matching(wire, validate_only=True) == 2
    assert [one.document_id for one in desk.get_many(["d2", "d0", "d1"])] == ["d2", "d1"]
    assert desk.delete_matching(wire) == 2
    assert list(desk.list()) == []


def test_a_listing_goes_on_over_its_pages(desk: Client) -> None:
    for number in range(7):
        desk.ingest(document(document_id=f"d{number}", text=f"Report {number} of the harbour."))
    listing = desk.list(page_size=3)
    assert [one.document_id for one in listing] == [f"d{number}" for number in range(6, -1, -1)]
    assert len(list(listing)) == 7, "it begins anew each time"
    tomorrow = Filter(ingested_after=datetime.now(UTC) + timedelta(days=1))
    assert desk.list(tomorrow).to_rows() == []


def test_bad_input_names_the_field_and_the_remedy(desk: Client) -> None:
    with pytest.raises(copydesk.InvalidArgument) as refused:
        desk.ingest(document(text=" \n\t "))
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in refused.value.violations] == ["document.text"]
    assert refused.value.violations[0].description
    with pytest.raises(ValueError, match="exactly one of text, paragraphs, html"):
        document(text="a", paragraphs=["b"])
    with pytest.raises(ValueError, match="exactly one of text, passage_id"):
        desk.duplicates()


def test_an_edited_paragraph_is_recognised(seeds: Client) -> None:
    passages = seeds.get(SPUTNIK).passages
    longest = max(passages, key=lambda passage: len(passage.text))
    edited = longest.text.replace(" and ", " as well as ")
    assert edited != longest.text
    matches = seeds.duplicates(edited, limit=3)
    assert matches[0].passage.passage_id == longest.passage_id
    assert matches[0].verdict == Verdict.VERDICT_NEAR_DUPLICATE
    assert matches.model_id
    assert not matches.truncated


def test_related_coverage_and_stories(seeds: Client) -> None:
    passages = seeds.related_passages(
        "Did North Korea send ammunition to Russia?",
        max_per_document=1,
        ranking=RankingOptions(recency_half_life=timedelta(days=365)),
    )
    assert len({passage.document.document_id for passage in passages}) == len(passages) > 1
    documents = seeds.related_documents(SPUTNIK, min_score=0.01)
    assert SPUTNIK not in [related.document.document_id for related in documents]
    assert documents[0].score >= documents[-1].score
    stories = list(seeds.stories())
    assert sum(story.document_count for story in stories) == len(SEEDS)
    found = seeds.story(stories[0].story_id, page_size=1)
    assert len(found.documents) == found.story.document_count


def test_a_standing_question_goes_on_after_a_sequence(seeds: Client) -> None:
    answers = seeds.watch(document_id=LOWY, min_score=0.0, after_sequence=0)
    first = next(answers)
    second = next(answers)
    answers.close()
    assert second.sequence > first.sequence
    again = seeds.watch(document_id=LOWY, min_score=0.0, after_sequence=first.sequence)
    assert next(again).document.document.document_id == second.document.document.document_id
    again.close()


def test_answers_turn_into_rows_and_a_frame(seeds: Client) -> None:
    text = seeds.get(SPUTNIK).passages[5].text
    matches = seeds.duplicates(text, view=VerdictView.VERDICT_VIEW_EVIDENCE)
    (row,) = matches.to_rows()[:1]
    assert row["verdict"] == "EXACT_DUPLICATE"
    assert row["document.document_id"] == SPUTNIK
    assert row["passage.text"] == text
    assert isinstance(row["document.published_at"], datetime)
    assert row["evidence.cosine"] == pytest.approx(1.0, abs=0.01)
    assert row["evidence.aligned_spans"][0]["query_start"] == 0

    frame = seeds.list(page_size=2).to_frame()
    assert len(frame) == len(SEEDS)
    assert set(frame["document_id"]) == {seed.stem for seed in SEEDS}
    assert str(frame["published_at"].dtype).startswith("datetime64")
    related = seeds.related_passages("interest rates", limit=3)
    assert list(related.to_frame().columns) == list(related.to_rows()[0])


def test_operators_ask_and_copy(desk: Client) -> None:
    desk.ingest(document(text=LEAD))
    info = desk.info()
    assert info.corpus.document_count == 1
    assert info.limits.max_limit == 1_000
    assert desk.snapshot("before").size_bytes > 0
    with pytest.raises(copydesk.AlreadyExists):
        desk.snapshot("before")
    assert desk.compact().segments_after <= 1


def test_a_page_is_fetched_by_the_server_that_may(tmp_path: Path, seeds: Client) -> None:
    with pytest.raises(copydesk.Unimplemented):
        seeds.fetch_page("https://news.example/article")
    page = tmp_path / "rates.html"
    page.write_text(f"<!doctype html><title>Rates</title><article><p>{LEAD}</p></article>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    allowed = ["--fetch", "--fetch-network", "127.0.0.1", "--fetch-delay", "0s"]
    with running(tmp_path / "data", *allowed) as server, Client(server.address) as desk:
        desk.ingest(document(document_id="first", text=LEAD))
        fetched = desk.fetch_page(f"http://127.0.0.1:{web.server_port}/rates.html")
        assert fetched.html == page.read_bytes()
        (match,) = desk.duplicates(document=fetched)
        assert match.document.document_id == "first"
        with pytest.raises(copydesk.NotFound) as refused:
            desk.fetch_page(f"http://127.0.0.1:{web.server_port}/nothing.html")
        assert refused.value.reason == "PAGE_NOT_FOUND"
        assert [one.field for one in refused.value.violations] == ["url"]
    web.shutdown()
    web.server_close()
