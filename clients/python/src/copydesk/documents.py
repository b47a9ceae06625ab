"""Making documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from copydesk.v1.document_pb2 import Document, ParagraphList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


def document(
    *,
    text: str | None = None,
    paragraphs: Sequence[str] | None = None,
    html: bytes | str | None = None,
    document_id: str = "",
    title: str = "",
    source: str = "",
    url: str = "",
    language: str = "",
    published_at: datetime | str | None = None,
    labels: Mapping[str, str] | None = None,
    content_type: str = "",
) -> Document:
    """Makes a document with exactly one body: `text`, `paragraphs` or `html`.

    Its arguments are the keys of a line of JSON Lines, so that `document(**json.loads(line))` reads
    one. `published_at` is a time with its zone, or one as RFC 3339 writes it.
    """
    one_of(text=text, paragraphs=paragraphs, html=html)
    return Document(
        document_id=document_id,
        title=title,
        text=text,
        paragraphs=None if paragraphs is None else ParagraphList(paragraphs=paragraphs),
        html=html.encode() if isinstance(html, str) else html,
        source=source,
        url=url,
        language=language,
        published_at=None if published_at is None else _timestamp(published_at),
        labels=labels,
        content_type=content_type,
    )


def one_of(**choices: object) -> None:
    """Raises `ValueError` unless exactly one of the arguments is given."""
    given = [name for name, value in choices.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of {', '.join(choices)}; {given or 'none'} is given")


def _timestamp(time: datetime | str) -> Timestamp:
    timestamp = Timestamp()
    if isinstance(time, str):
        timestamp.FromJsonString(time)
    elif time.tzinfo is None:
        raise ValueError("published_at is without a zone; give it one, e.g. tzinfo=datetime.UTC")
    else:
        timestamp.FromDatetime(time)
    return timestamp
