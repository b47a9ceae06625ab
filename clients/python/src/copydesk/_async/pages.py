"""Listings, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from copydesk.answers import Page, Row, T, to_frame, to_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pandas as pd


class Pages(Generic[T]):
    """A listing. Iterating asks for one page after the other, and anew each time."""

    def __init__(self, fetch: Callable[[str], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        token = ""
        while True:
            page = await self._fetch(token)
            for item in page.items:
                yield item
            token = page.next_token
            if not token:
                return

    async def to_rows(self) -> list[Row]:
        """All of it, one dictionary each; see `copydesk.to_rows`."""
        return to_rows([item async for item in self])

    async def to_frame(self) -> pd.DataFrame:
        """All of it as a data frame of pandas, one row each."""
        return to_frame([item async for item in self])
