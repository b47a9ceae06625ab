import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PassageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PASSAGE_KIND_UNSPECIFIED: _ClassVar[PassageKind]
    PASSAGE_KIND_BODY: _ClassVar[PassageKind]
    PASSAGE_KIND_FURNITURE: _ClassVar[PassageKind]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_NEW: _ClassVar[Verdict]
    VERDICT_EXACT_DUPLICATE: _ClassVar[Verdict]
    VERDICT_NEAR_DUPLICATE: _ClassVar[Verdict]
    VERDICT_UPDATE: _ClassVar[Verdict]
PASSAGE_KIND_UNSPECIFIED: PassageKind
PASSAGE_KIND_BODY: PassageKind
PASSAGE_KIND_FURNITURE: PassageKind
VERDICT_UNSPECIFIED: Verdict
VERDICT_NEW: Verdict
VERDICT_EXACT_DUPLICATE: Verdict
VERDICT_NEAR_DUPLICATE: Verdict
VERDICT_UPDATE: Verdict

class Document(_message.Message):
    __slots__ = ("document_id", "title", "text", "paragraphs", "html", "source", "url", "language", "published_at", "labels", "content_type")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PARAGRAPHS_FIELD_NUMBER: _ClassVar[int]
    HTML_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    title: str
    text: str
    paragraphs: ParagraphList
    html: bytes
    source: str
    url: str
    language: str
    published_at: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    content_type: str
    def __init__(self, document_id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., paragraphs: _Optional[_Union[ParagraphList, _Mapping]] = ..., html: _Optional[bytes] = ..., source: _Optional[str] = ..., url: _Optional[str] = ..., language: _Optional[str] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., content_type: _Optional[str] = ...) -> None: ...

class ParagraphList(_message.Message):
    __slots__ = ("paragraphs",)
    PARAGRAPHS_FIELD_NUMBER: _ClassVar[int]
    paragraphs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, paragraphs: _Optional[_Iterable[str]] = ...) -> None: ...

class DocumentSummary(_message.Message):
    __slots__ = ("document_id", "title", "source", "url", "language", "published_at", "ingested_at", "labels", "story_id", "canonical_document_id", "verdict", "revision")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    INGESTED_AT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    STORY_ID_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    title: str
    source: str
    url: str
    language: str
    published_at: _timestamp_pb2.Timestamp
    ingested_at: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    story_id: str
    canonical_document_id: str
    verdict: Verdict
    revision: int
    def __init__(self, document_id: _Optional[str] = ..., title: _Optional[str] = ..., source: _Optional[str] = ..., url: _Optional[str] = ..., language: _Optional[str] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ingested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., story_id: _Optional[str] = ..., canonical_document_id: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., revision: _Optional[int] = ...) -> None: ...

class Passage(_message.Message):
    __slots__ = ("passage_id", "document_id", "ordinal", "text", "kind", "paragraph", "start", "end")
    PASSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAGRAPH_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    passage_id: str
    document_id: str
    ordinal: int
    text: str
    kind: PassageKind
    paragraph: int
    start: int
    end: int
    def __init__(self, passage_id: _Optional[str] = ..., document_id: _Optional[str] = ..., ordinal: _Optional[int] = ..., text: _Optional[str] = ..., kind: _Optional[_Union[PassageKind, str]] = ..., paragraph: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("sources", "exclude_sources", "languages", "published_after", "published_before", "labels", "exclude_document_ids", "canonical_document_ids", "urls", "ingested_after", "ingested_before")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_SOURCES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AFTER_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    INGESTED_AFTER_FIELD_NUMBER: _ClassVar[int]
    INGESTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedScalarFieldContainer[str]
    exclude_sources: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    published_after: _timestamp_pb2.Timestamp
    published_before: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    exclude_document_ids: _containers.RepeatedScalarFieldContainer[str]
    canonical_document_ids: _containers.RepeatedScalarFieldContainer[str]
    urls: _containers.RepeatedScalarFieldContainer[str]
    ingested_after: _timestamp_pb2.Timestamp
    ingested_before: _timestamp_pb2.Timestamp
    def __init__(self, sources: _Optional[_Iterable[str]] = ..., exclude_sources: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., published_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., published_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., exclude_document_ids: _Optional[_Iterable[str]] = ..., canonical_document_ids: _Optional[_Iterable[str]] = ..., urls: _Optional[_Iterable[str]] = ..., ingested_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ingested_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
