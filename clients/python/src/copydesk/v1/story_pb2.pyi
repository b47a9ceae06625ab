import datetime

from copydesk.v1 import document_pb2 as _document_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Story(_message.Message):
    __slots__ = ("story_id", "title", "first_published_at", "last_published_at", "document_count", "distinct_document_count", "sources", "updated_at", "merged_story_ids")
    STORY_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FIRST_PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISTINCT_DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    MERGED_STORY_IDS_FIELD_NUMBER: _ClassVar[int]
    story_id: str
    title: str
    first_published_at: _timestamp_pb2.Timestamp
    last_published_at: _timestamp_pb2.Timestamp
    document_count: int
    distinct_document_count: int
    sources: _containers.RepeatedScalarFieldContainer[str]
    updated_at: _timestamp_pb2.Timestamp
    merged_story_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, story_id: _Optional[str] = ..., title: _Optional[str] = ..., first_published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., document_count: _Optional[int] = ..., distinct_document_count: _Optional[int] = ..., sources: _Optional[_Iterable[str]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., merged_story_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetStoryRequest(_message.Message):
    __slots__ = ("story_id", "page_size", "page_token")
    STORY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    story_id: str
    page_size: int
    page_token: str
    def __init__(self, story_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetStoryResponse(_message.Message):
    __slots__ = ("story", "documents", "next_page_token")
    STORY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    story: Story
    documents: _containers.RepeatedCompositeFieldContainer[_document_pb2.DocumentSummary]
    next_page_token: str
    def __init__(self, story: _Optional[_Union[Story, _Mapping]] = ..., documents: _Optional[_Iterable[_Union[_document_pb2.DocumentSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListStoriesRequest(_message.Message):
    __slots__ = ("filter", "min_distinct_documents", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MIN_DISTINCT_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _document_pb2.Filter
    min_distinct_documents: int
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., min_distinct_documents: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStoriesResponse(_message.Message):
    __slots__ = ("stories", "next_page_token")
    STORIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    stories: _containers.RepeatedCompositeFieldContainer[Story]
    next_page_token: str
    def __init__(self, stories: _Optional[_Iterable[_Union[Story, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
