import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "model", "corpus", "limits", "embedding", "next_model")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CORPUS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    NEXT_MODEL_FIELD_NUMBER: _ClassVar[int]
    version: str
    model: ModelInfo
    corpus: CorpusInfo
    limits: LimitsInfo
    embedding: EmbeddingInfo
    next_model: ModelInfo
    def __init__(self, version: _Optional[str] = ..., model: _Optional[_Union[ModelInfo, _Mapping]] = ..., corpus: _Optional[_Union[CorpusInfo, _Mapping]] = ..., limits: _Optional[_Union[LimitsInfo, _Mapping]] = ..., embedding: _Optional[_Union[EmbeddingInfo, _Mapping]] = ..., next_model: _Optional[_Union[ModelInfo, _Mapping]] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("model_id", "weights_sha256", "dimension", "max_tokens", "precision", "pooling", "embedded_share")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_SHARE_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    weights_sha256: str
    dimension: int
    max_tokens: int
    precision: str
    pooling: str
    embedded_share: float
    def __init__(self, model_id: _Optional[str] = ..., weights_sha256: _Optional[str] = ..., dimension: _Optional[int] = ..., max_tokens: _Optional[int] = ..., precision: _Optional[str] = ..., pooling: _Optional[str] = ..., embedded_share: _Optional[float] = ...) -> None: ...

class EmbeddingInfo(_message.Message):
    __slots__ = ("embedded_text_count", "known_text_count", "recent_text_count", "waiting_bytes", "worker_count")
    EMBEDDED_TEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_TEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECENT_TEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAITING_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    embedded_text_count: int
    known_text_count: int
    recent_text_count: int
    waiting_bytes: int
    worker_count: int
    def __init__(self, embedded_text_count: _Optional[int] = ..., known_text_count: _Optional[int] = ..., recent_text_count: _Optional[int] = ..., waiting_bytes: _Optional[int] = ..., worker_count: _Optional[int] = ...) -> None: ...

class CorpusInfo(_message.Message):
    __slots__ = ("document_count", "passage_count", "distinct_passage_count", "story_count", "index_segment_count", "index_coverage", "disk_bytes", "oldest_published_at", "background_work")
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISTINCT_PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STORY_COUNT_FIELD_NUMBER: _ClassVar[int]
    INDEX_SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    INDEX_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    OLDEST_PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_WORK_FIELD_NUMBER: _ClassVar[int]
    document_count: int
    passage_count: int
    distinct_passage_count: int
    story_count: int
    index_segment_count: int
    index_coverage: float
    disk_bytes: int
    oldest_published_at: _timestamp_pb2.Timestamp
    background_work: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document_count: _Optional[int] = ..., passage_count: _Optional[int] = ..., distinct_passage_count: _Optional[int] = ..., story_count: _Optional[int] = ..., index_segment_count: _Optional[int] = ..., index_coverage: _Optional[float] = ..., disk_bytes: _Optional[int] = ..., oldest_published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., background_work: _Optional[_Iterable[str]] = ...) -> None: ...

class LimitsInfo(_message.Message):
    __slots__ = ("max_document_bytes", "max_paragraphs_per_document", "max_message_bytes", "max_limit", "max_concurrent_requests", "max_field_bytes", "max_labels", "max_filter_values", "max_concurrent_bytes", "max_held_bytes", "max_ingest_streams", "max_watches", "max_fetches")
    MAX_DOCUMENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PARAGRAPHS_PER_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_FILTER_VALUES_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_HELD_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_INGEST_STREAMS_FIELD_NUMBER: _ClassVar[int]
    MAX_WATCHES_FIELD_NUMBER: _ClassVar[int]
    MAX_FETCHES_FIELD_NUMBER: _ClassVar[int]
    max_document_bytes: int
    max_paragraphs_per_document: int
    max_message_bytes: int
    max_limit: int
    max_concurrent_requests: int
    max_field_bytes: int
    max_labels: int
    max_filter_values: int
    max_concurrent_bytes: int
    max_held_bytes: int
    max_ingest_streams: int
    max_watches: int
    max_fetches: int
    def __init__(self, max_document_bytes: _Optional[int] = ..., max_paragraphs_per_document: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., max_limit: _Optional[int] = ..., max_concurrent_requests: _Optional[int] = ..., max_field_bytes: _Optional[int] = ..., max_labels: _Optional[int] = ..., max_filter_values: _Optional[int] = ..., max_concurrent_bytes: _Optional[int] = ..., max_held_bytes: _Optional[int] = ..., max_ingest_streams: _Optional[int] = ..., max_watches: _Optional[int] = ..., max_fetches: _Optional[int] = ...) -> None: ...

class CreateSnapshotRequest(_message.Message):
    __slots__ = ("snapshot_name",)
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    snapshot_name: str
    def __init__(self, snapshot_name: _Optional[str] = ...) -> None: ...

class CreateSnapshotResponse(_message.Message):
    __slots__ = ("snapshot_name", "size_bytes", "created_at")
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    snapshot_name: str
    size_bytes: int
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, snapshot_name: _Optional[str] = ..., size_bytes: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CompactIndexRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CompactIndexResponse(_message.Message):
    __slots__ = ("segments_before", "segments_after", "reclaimed_bytes")
    SEGMENTS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    RECLAIMED_BYTES_FIELD_NUMBER: _ClassVar[int]
    segments_before: int
    segments_after: int
    reclaimed_bytes: int
    def __init__(self, segments_before: _Optional[int] = ..., segments_after: _Optional[int] = ..., reclaimed_bytes: _Optional[int] = ...) -> None: ...

class ReembedRequest(_message.Message):
    __slots__ = ("model", "precision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    precision: str
    def __init__(self, model: _Optional[str] = ..., precision: _Optional[str] = ...) -> None: ...

class ReembedResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: ModelInfo
    def __init__(self, model: _Optional[_Union[ModelInfo, _Mapping]] = ...) -> None: ...
