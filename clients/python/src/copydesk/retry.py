"""When a call is repeated."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from copydesk.errors import ApiError

_FOR_NOW = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@dataclass(frozen=True)
class RetryPolicy:
    """How long, and how often, a call is repeated.

    Delays double from `initial_delay` to `max_delay`, each of them shortened by chance by up to a
    half. A delay that the server names is waited for in full, and such a one besides.
    """

    initial_delay: float = 0.1
    max_delay: float = 5.0
    max_elapsed: float = 60.0
    """Seconds from the first failure in a row after which there is no further try. 0 turns
    repeating off."""


class Attempts:
    """The tries of one call."""

    def __init__(self, policy: RetryPolicy, timeout: float | None) -> None:
        self._policy = policy
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._failures = 0
        self._failing_since = 0.0

    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def progressed(self) -> None:
        """Notes that something was answered: a failure from now on is the first one."""
        self._failures = 0

    def delay(self, error: ApiError, *, repeatable: bool) -> float:
        """Seconds to wait before the next try; raises `error` if there is none.

        What the server refuses with a delay was not done, whatever it is. Otherwise nobody knows
        whether it was, so that only what is `repeatable` is tried again.
        """
        may_help = error.retry_delay is not None or (
            repeatable and error.code is grpc.StatusCode.UNAVAILABLE and not error.reason
        )
        if error.code not in _FOR_NOW or not may_help:
            raise error
        now = time.monotonic()
        if self._failures == 0:
            self._failing_since = now
        longest = min(self._policy.max_delay, self._policy.initial_delay * 2.0**self._failures)
        delay = longest * random.uniform(0.5, 1.0) + (error.retry_delay or 0.0)
        self._failures = min(self._failures + 1, 30)
        end = self._failing_since + self._policy.max_elapsed
        if self._deadline is not None:
            end = min(end, self._deadline)
        if now + delay >= end:
            raise error
        return delay
