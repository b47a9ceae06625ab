"""Asks several questions at once."""

import asyncio

from copydesk import AsyncClient, Filter, NotFound

QUESTIONS = ["interest rate decision", "ammunition for Russia", "who heads the central bank?"]


async def main() -> None:
    """Asks, and says who answers."""
    async with AsyncClient() as desk:
        asked = (
            desk.related_passages(text, filter=Filter(languages=["en"]), limit=1)
            for text in QUESTIONS
        )
        for text, (best, *_) in zip(QUESTIONS, await asyncio.gather(*asked), strict=True):
            print(f"{text}: {best.document.source}")
        try:
            await desk.get("unknown")
        except NotFound as error:
            print(error)


asyncio.run(main())
