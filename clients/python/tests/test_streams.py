"""Streams: flow control, and servers that go and come back."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from copydesk import (
    Client,
    IngestOutcome,
    InvalidArgument,
    RetryPolicy,
    Unavailable,
    Verdict,
    document,
)
from copydesk.channel import sequence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from copydesk import Document
    from tests.conftest import Server


def report(number: int) -> Document:
    text = f"Harbour {number * 7919} took in {number * 31} tons of fish on Monday, it said."
    return document(document_id=f"report-{number}", text=text)


def test_answers_come_in_order_and_a_bad_document_fails_alone(server: Server) -> None:
    bad = document(document_id="bad", text=" ")
    with Client(server.address) as desk:
        answers = list(desk.ingest_many([report(1), bad, report(2)]))
        assert [answer.document.document_id for answer in answers] == [
            "report-1",
            "bad",
            "report-2",
        ]
        assert answers[0].result().outcome == IngestOutcome.INGEST_OUTCOME_CREATED
        assert isinstance(answers[1].error, InvalidArgument)
        assert answers[1].error.violations[0].field == "document.text"
        with pytest.raises(InvalidArgument):
            answers[1].result()
        assert list(desk.ingest_many([])) == []
        assert {one.document_id for one in desk.list()} == {"report-1", "report-2"}


def test_a_reader_who_pauses_stops_the_source(server: Server) -> None:
    taken = []

    def endless() -> Iterator[Document]:
        for number in itertools.count():
            taken.append(number)
            yield report(number)

    with Client(server.address) as desk:
        answers = desk.ingest_many(endless(), window=5)
        for wanted in range(12):
            assert next(answers).document.document_id == f"report-{wanted}"
            # What was answered, and the window beyond it.
            assert len(taken) <= wanted + 1 + 5
        answers.close()
        stored = sum(1 for _ in desk.list())
        assert 12 <= stored <= 17


def test_a_slow_source_gets_its_answers_at_once(server: Server) -> None:
    answered = threading.Semaphore(0)

    def live() -> Iterator[Document]:
        for number in range(3):
            yield report(number)
            # Nothing more comes in before this one is answered.
            assert answered.acquire(timeout=60)

    with Client(server.address) as desk:
        for answer in desk.ingest_many(live()):
            assert answer.error is None
            answered.release()
        assert sum(1 for _ in desk.list()) == 3


def test_what_the_source_raises_is_raised_after_the_answers(server: Server) -> None:
    def failing() -> Iterator[Document]:
        yield report(1)
        yield report(2)
        raise OSError("the feed is gone")

    with Client(server.address) as desk:
        answers = desk.ingest_many(failing())
        assert [next(answers).result().document_id for _ in range(2)] == ["report-1", "report-2"]
        with pytest.raises(OSError, match="the feed is gone"):
            next(answers)
        assert sum(1 for _ in desk.list()) == 2


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_stream_survives_the_server(server: Server, end: str) -> None:
    count = 120
    with Client(server.address) as desk:
        answers = desk.ingest_many(map(report, range(count)), window=16)
        seen = [next(answers) for _ in range(20)]
        getattr(server, end)()
        restart = threading.Timer(1.0, server.restart)
        restart.start()
        seen.extend(answers)
        restart.join()
        assert [answer.document.document_id for answer in seen] == [
            f"report-{number}" for number in range(count)
        ]
        outcomes = {answer.result().outcome for answer in seen}
        assert outcomes <= {
            IngestOutcome.INGEST_OUTCOME_CREATED,
            # Stored, but its answer was lost with the server.
            IngestOutcome.INGEST_OUTCOME_UNCHANGED,
        }
        assert sum(1 for _ in desk.list(page_size=1000)) == count


def test_a_server_that_stays_away_ends_the_stream(server: Server) -> None:
    impatient = RetryPolicy(max_elapsed=1.0)
    with Client(server.address, retry=impatient) as desk:
        answers = desk.ingest_many(map(report, itertools.count()), window=4)
        next(answers)
        server.kill()
        with pytest.raises(Unavailable):
            list(answers)
        with pytest.raises(Unavailable):
            desk.info()
    server.restart()


def test_a_standing_question_survives_the_server(server: Server) -> None:
    text = "The central bank raised its key interest rate by half a percentage point on Monday."
    with Client(server.address) as desk:
        desk.ingest(document(document_id="before", text=text))
        answers = desk.watch(text, min_score=0.0, after_sequence=0)
        assert next(answers).document.document.document_id == "before"
        server.kill()
        server.restart()
        second = "The central bank will decide on its key interest rate anew in June, it said."
        stored = desk.ingest(document(document_id="after", text=second))
        assert stored.verdict.verdict == Verdict.VERDICT_NEW
        assert next(answers).document.document.document_id == "after"
        answers.close()


def test_a_question_that_stood_misses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = threading.Event()

    def noted(headers: Iterable[tuple[str, str | bytes]] | None) -> int | None:
        sequence = sequence_of(headers)
        stands.set()
        return sequence

    monkeypatch.setattr("copydesk._sync.client.sequence_of", noted)
    text = "The central bank raised its key interest rate by half a percentage point on Monday."
    with Client(server.address) as desk:
        found: list[str] = []
        answers = desk.watch(text, min_score=0.0)
        first = threading.Thread(
            target=lambda: found.append(next(answers).document.document.document_id)
        )
        first.start()
        assert stands.wait(60)
        server.kill()
        server.restart()
        with Client(server.address) as other:
            other.ingest(document(document_id="meanwhile", text=text))
        first.join(60)
        assert found == ["meanwhile"]
        answers.close()


def test_only_what_may_be_done_twice_is_tried_again_blindly(server: Server) -> None:
    with Client(server.address) as desk:
        desk.ingest(report(1))
        server.kill()
        with pytest.raises(Unavailable):
            desk.delete("report-1")
        restart = threading.Timer(1.0, server.restart)
        restart.start()
        assert desk.ingest(report(1)).outcome == IngestOutcome.INGEST_OUTCOME_UNCHANGED
        restart.join()
        desk.delete("report-1")
