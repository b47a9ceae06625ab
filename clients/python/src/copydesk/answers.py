"""What is answered, and how it turns into rows and data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from copydesk.errors import ApiError

if TYPE_CHECKING:
    import pandas as pd
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

    from copydesk.v1.corpus_pb2 import IngestDocumentResponse
    from copydesk.v1.document_pb2 import Document, DocumentSummary
    from copydesk.v1.story_pb2 import Story

T = TypeVar("T", bound=Message)
Row = dict[str, Any]


class Answers(Sequence[T]):
    """Answers in the server's order, best first where there is a best."""

    def __init__(
        self,
        items: Iterable[T],
        *,
        model_id: str = "",
        truncated: bool = False,
        query_duplicate_ids: Iterable[str] = (),
    ) -> None:
        self._items = list(items)
        self.model_id = model_id
        """The model whose vectors the answers rest on."""
        self.truncated = truncated
        """Whether more would not have fitted into one message."""
        self.query_duplicate_ids = tuple(query_duplicate_ids)
        """Copies of what was asked about, left out."""

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._items[index]

    def __repr__(self) -> str:
        return f"Answers({self._items!r})"

    def to_rows(self) -> list[Row]:
        """One dictionary each; see `to_rows`."""
        return to_rows(self._items)

    def to_frame(self) -> pd.DataFrame:
        """A data frame of pandas, one row each."""
        return to_frame(self._items)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a listing."""

    items: Sequence[T]
    next_token: str


@dataclass(frozen=True)
class Ingested:
    """What became of one document of a stream."""

    document: Document
    outcome: IngestDocumentResponse | ApiError

    @property
    def error(self) -> ApiError | None:
        """Why it was refused, if it was."""
        return self.outcome if isinstance(self.outcome, ApiError) else None

    def result(self) -> IngestDocumentResponse:
        """The answer; raises the error if the document was refused."""
        if isinstance(self.outcome, ApiError):
            raise self.outcome
        return self.outcome


@dataclass(frozen=True)
class StoryDocuments:
    """A story and its documents, earliest first."""

    story: Story
    documents: Answers[DocumentSummary]


def to_rows(messages: Iterable[Message]) -> list[Row]:
    """Flattens messages into dictionaries that all have the same keys.

    Fields of messages within them get dotted names (`document.title`), enums the short names of
    their values (`NEAR_DUPLICATE`), times are `datetime`s. What is unset and may be is `None`.
    Anything that takes rows takes them, e.g. `polars.DataFrame(to_rows(answers))`.
    """
    rows = []
    for message in messages:
        row: Row = {}
        _flatten(message, cast("Descriptor", message.DESCRIPTOR), "", row)
        rows.append(row)
    return rows


def to_frame(messages: Iterable[Message]) -> pd.DataFrame:
    """A data frame of pandas with the rows of `to_rows`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install 'copydesk[pandas]'") from error
    return pd.DataFrame(to_rows(messages))


def _flatten(message: Message | None, descriptor: Descriptor, prefix: str, row: Row) -> None:
    for field in descriptor.fields:
        name = prefix + field.name
        unset = message is None or (field.has_presence and not message.HasField(field.name))
        value = None if message is None or unset else getattr(message, field.name)
        nested = field.message_type
        if nested is None or field.is_repeated or nested.full_name in _WELL_KNOWN:
            row[name] = None if unset else _plain(field, value)
        else:
            _flatten(value, nested, f"{name}.", row)


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if field.is_repeated:
        return [_single(field, item) for item in value]
    return _single(field, value)


def _single(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToDatetime(tzinfo=UTC)
    if isinstance(value, Duration):
        return value.ToTimedelta()
    if isinstance(value, Message):
        return to_rows([value])[0]
    if field.enum_type is not None:
        return _short(field.enum_type, value)
    return value


def _short(enum: EnumDescriptor, number: int) -> str | int:
    value = enum.values_by_number.get(number)
    if value is None:
        # A newer server knows more of them.
        return number
    return value.name.removeprefix(enum.values[0].name.removesuffix("UNSPECIFIED"))


_WELL_KNOWN = (Timestamp.DESCRIPTOR.full_name, Duration.DESCRIPTOR.full_name)
