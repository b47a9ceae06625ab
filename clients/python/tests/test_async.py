"""The same under asyncio. What is generated from it is tested without."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from copydesk import AsyncClient, DeadlineExceeded, NotFound, Unavailable, Verdict, document
from tests.conftest import SEEDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from copydesk import Document
    from tests.conftest import Server


def report(number: int) -> Document:
    text = f"Harbour {number * 7919} took in {number * 31} tons of fish on Monday, it said."
    return document(document_id=f"report-{number}", text=text)


async def test_questions_side_by_side(seeded: Server) -> None:
    async with AsyncClient(seeded.address) as desk:
        listed = [one.document_id async for one in desk.list(page_size=2)]
        assert sorted(listed) == [seed.stem for seed in SEEDS]
        answers = await asyncio.gather(*(desk.related_documents(one) for one in listed))
        assert all(answer.model_id for answer in answers)
        assert len(await desk.list().to_frame()) == len(SEEDS)
        with pytest.raises(NotFound):
            await desk.get("unknown")
        assert len([one async for one in desk.export()]) == len(SEEDS)


async def test_a_stream_survives_the_server(server: Server) -> None:
    count = 120

    async def feed() -> AsyncIterator[Document]:
        for number in range(count):
            yield report(number)

    async def come_back() -> None:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(server.restart)

    async with AsyncClient(server.address) as desk:
        seen, back = [], None
        async for answer in desk.ingest_many(feed(), window=16):
            seen.append(answer.result().document_id)
            if len(seen) == 20:
                server.kill()
                back = asyncio.create_task(come_back())
        assert back is not None
        await back
        assert seen == [f"report-{number}" for number in range(count)]


async def test_a_stream_that_is_left_stops_its_source(server: Server) -> None:
    taken = []

    def endless() -> Iterator[Document]:
        for number in itertools.count():
            taken.append(number)
            yield report(number)

    async with AsyncClient(server.address) as desk:
        answers = desk.ingest_many(endless(), window=5)
        for _ in range(10):
            await anext(answers)
        await answers.aclose()
        assert len(taken) <= 15
        answer = await desk.ingest(report(0))
        assert answer.verdict.verdict == Verdict.VERDICT_NEW


async def test_a_standing_question_goes_on(seeded: Server) -> None:
    async with AsyncClient(seeded.address) as desk:
        answers = desk.watch(document_id=SEEDS[0].stem, min_score=0.0, after_sequence=0)
        first, second = await anext(answers), await anext(answers)
        assert second.sequence > first.sequence
        await answers.aclose()


async def test_the_deadline_ends_the_tries(server: Server) -> None:
    server.kill()
    async with AsyncClient(server.address, timeout=2.0) as desk:
        with pytest.raises((DeadlineExceeded, Unavailable)):
            await desk.info()
