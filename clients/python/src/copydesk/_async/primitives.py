"""What differs between the two sides: here for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")

Condition = asyncio.Condition
sleep = asyncio.sleep


class Background:
    """Work that goes on beside the caller's."""

    def __init__(self, work: Callable[[A], Coroutine[Any, Any, None]], argument: A) -> None:
        self._task = asyncio.ensure_future(work(argument))

    async def stop(self) -> None:
        """Ends the work."""
        self._task.cancel()
        await asyncio.wait([self._task])


async def items(source: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    """What is in `source`, one after the other."""
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item
