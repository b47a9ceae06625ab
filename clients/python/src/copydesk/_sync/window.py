# Generated from _async/window.py by generate.py: change that one.
"""Documents on their way through a stream."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from copydesk._sync.primitives import Background, Condition, items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from copydesk.v1.document_pb2 import Document


class Window:
    """Documents that were taken from their source and are not answered yet, in order.

    There are at most `size` of them, and no more are taken meanwhile, so that a reader who pauses
    stops the source. They stay here until they are answered: a stream that takes the place of one
    that broke off begins with them.
    """

    def __init__(self, source: Iterable[Document] | Iterable[Document], size: int) -> None:
        self._changed = Condition()
        self._size = size
        self._unanswered: deque[tuple[int, Document]] = deque()
        self._taken = 0
        # Of those that are unanswered, how many the present stream sent.
        self._sent = 0
        self._stream = 0
        self._ended = False
        self._failure: BaseException | None = None
        self._filling = Background(self._fill, items(source))

    def _fill(self, source: Iterator[Document]) -> None:
        failure: BaseException | None = None
        try:
            while self._room():
                document = next(source, None)
                if document is None:
                    break
                with self._changed:
                    self._unanswered.append((self._taken, document))
                    self._taken += 1
                    self._changed.notify_all()
        except Exception as error:
            # The reader raises it, once all that came before is answered.
            failure = error
        with self._changed:
            self._ended = True
            self._failure = failure
            self._changed.notify_all()

    def _room(self) -> bool:
        """Waits for room. False if nothing is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._unanswered) < self._size)
            return not self._ended

    def begin(self) -> int:
        """Begins a stream, which sends everything that is unanswered; ends the former one."""
        with self._changed:
            self._stream += 1
            self._sent = 0
            self._changed.notify_all()
            return self._stream

    def next(self, stream: int) -> tuple[int, Document] | None:
        """What a stream sends next, with its number; `None` at its end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or self._stream != stream or self._sent < len(self._unanswered)
            )
            if self._stream != stream or self._sent >= len(self._unanswered):
                return None
            self._sent += 1
            return self._unanswered[self._sent - 1]

    def answered(self) -> tuple[int, Document]:
        """Takes out the document that the next answer is about."""
        with self._changed:
            document = self._unanswered.popleft()
            self._sent -= 1
            self._changed.notify_all()
            return document

    def pending(self) -> bool:
        """Waits until it is known whether there is a document that is not answered yet.

        Raises what the source raised, if it did, once there is none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._unanswered) > 0)
            if not self._unanswered and self._failure is not None:
                raise self._failure
            return len(self._unanswered) > 0

    def close(self) -> None:
        """Ends everything: nothing more is taken or sent."""
        with self._changed:
            self._ended = True
            self._stream += 1
            self._changed.notify_all()
        self._filling.stop()
