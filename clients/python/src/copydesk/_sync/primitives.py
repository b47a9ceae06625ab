"""What differs between the two sides: here with threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
A = TypeVar("A")

Condition = threading.Condition
sleep = time.sleep


class Background:
    """Work that goes on beside the caller's."""

    def __init__(self, work: Callable[[A], None], argument: A) -> None:
        threading.Thread(target=work, args=(argument,), daemon=True).start()

    def stop(self) -> None:
        """Leaves the work to end by itself: a thread cannot be made to."""


def items(source: Iterable[T]) -> Iterator[T]:
    """What is in `source`, one after the other."""
    return iter(source)
