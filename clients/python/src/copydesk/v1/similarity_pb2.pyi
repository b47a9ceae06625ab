import datetime

from copydesk.v1 import document_pb2 as _document_pb2
from copydesk.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RetrievalMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RETRIEVAL_MODE_UNSPECIFIED: _ClassVar[RetrievalMode]
    RETRIEVAL_MODE_HYBRID: _ClassVar[RetrievalMode]
    RETRIEVAL_MODE_SEMANTIC: _ClassVar[RetrievalMode]
    RETRIEVAL_MODE_LEXICAL: _ClassVar[RetrievalMode]
RETRIEVAL_MODE_UNSPECIFIED: RetrievalMode
RETRIEVAL_MODE_HYBRID: RetrievalMode
RETRIEVAL_MODE_SEMANTIC: RetrievalMode
RETRIEVAL_MODE_LEXICAL: RetrievalMode

class FindDuplicatesRequest(_message.Message):
    __slots__ = ("text", "passage_id", "document_id", "document", "min_probability", "filter", "limit", "view")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    MIN_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    text: str
    passage_id: str
    document_id: str
    document: _document_pb2.Document
    min_probability: float
    filter: _document_pb2.Filter
    limit: int
    view: _verdict_pb2.VerdictView
    def __init__(self, text: _Optional[str] = ..., passage_id: _Optional[str] = ..., document_id: _Optional[str] = ..., document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., min_probability: _Optional[float] = ..., filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ..., view: _Optional[_Union[_verdict_pb2.VerdictView, str]] = ...) -> None: ...

class FindDuplicatesResponse(_message.Message):
    __slots__ = ("matches", "model_id", "truncated")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[_verdict_pb2.DuplicateMatch]
    model_id: str
    truncated: bool
    def __init__(self, matches: _Optional[_Iterable[_Union[_verdict_pb2.DuplicateMatch, _Mapping]]] = ..., model_id: _Optional[str] = ..., truncated: _Optional[bool] = ...) -> None: ...

class RankingOptions(_message.Message):
    __slots__ = ("mode", "diversity", "recency_half_life", "include_duplicates", "as_of")
    MODE_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    RECENCY_HALF_LIFE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    mode: RetrievalMode
    diversity: float
    recency_half_life: _duration_pb2.Duration
    include_duplicates: bool
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, mode: _Optional[_Union[RetrievalMode, str]] = ..., diversity: _Optional[float] = ..., recency_half_life: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., include_duplicates: _Optional[bool] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FindRelatedPassagesRequest(_message.Message):
    __slots__ = ("text", "passage_id", "document_id", "document", "filter", "limit", "max_per_document", "ranking", "min_score")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    RANKING_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    text: str
    passage_id: str
    document_id: str
    document: _document_pb2.Document
    filter: _document_pb2.Filter
    limit: int
    max_per_document: int
    ranking: RankingOptions
    min_score: float
    def __init__(self, text: _Optional[str] = ..., passage_id: _Optional[str] = ..., document_id: _Optional[str] = ..., document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ..., max_per_document: _Optional[int] = ..., ranking: _Optional[_Union[RankingOptions, _Mapping]] = ..., min_score: _Optional[float] = ...) -> None: ...

class FindRelatedPassagesResponse(_message.Message):
    __slots__ = ("passages", "model_id", "query_duplicate_ids", "truncated")
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_DUPLICATE_IDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[RelatedPassage]
    model_id: str
    query_duplicate_ids: _containers.RepeatedScalarFieldContainer[str]
    truncated: bool
    def __init__(self, passages: _Optional[_Iterable[_Union[RelatedPassage, _Mapping]]] = ..., model_id: _Optional[str] = ..., query_duplicate_ids: _Optional[_Iterable[str]] = ..., truncated: _Optional[bool] = ...) -> None: ...

class RelatedPassage(_message.Message):
    __slots__ = ("passage", "document", "score", "cosine", "lexical_score", "duplicate_passage_ids", "query_ordinals")
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    LEXICAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_PASSAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    QUERY_ORDINALS_FIELD_NUMBER: _ClassVar[int]
    passage: _document_pb2.Passage
    document: _document_pb2.DocumentSummary
    score: float
    cosine: float
    lexical_score: float
    duplicate_passage_ids: _containers.RepeatedScalarFieldContainer[str]
    query_ordinals: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, passage: _Optional[_Union[_document_pb2.Passage, _Mapping]] = ..., document: _Optional[_Union[_document_pb2.DocumentSummary, _Mapping]] = ..., score: _Optional[float] = ..., cosine: _Optional[float] = ..., lexical_score: _Optional[float] = ..., duplicate_passage_ids: _Optional[_Iterable[str]] = ..., query_ordinals: _Optional[_Iterable[int]] = ...) -> None: ...

class FindRelatedDocumentsRequest(_message.Message):
    __slots__ = ("document_id", "document", "filter", "limit", "ranking", "min_score")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    RANKING_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    document: _document_pb2.Document
    filter: _document_pb2.Filter
    limit: int
    ranking: RankingOptions
    min_score: float
    def __init__(self, document_id: _Optional[str] = ..., document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., limit: _Optional[int] = ..., ranking: _Optional[_Union[RankingOptions, _Mapping]] = ..., min_score: _Optional[float] = ...) -> None: ...

class FindRelatedDocumentsResponse(_message.Message):
    __slots__ = ("documents", "model_id", "query_duplicate_ids", "truncated")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_DUPLICATE_IDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[RelatedDocument]
    model_id: str
    query_duplicate_ids: _containers.RepeatedScalarFieldContainer[str]
    truncated: bool
    def __init__(self, documents: _Optional[_Iterable[_Union[RelatedDocument, _Mapping]]] = ..., model_id: _Optional[str] = ..., query_duplicate_ids: _Optional[_Iterable[str]] = ..., truncated: _Optional[bool] = ...) -> None: ...

class RelatedDocument(_message.Message):
    __slots__ = ("document", "score", "verdict", "evidence", "duplicate_document_ids")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.DocumentSummary
    score: float
    verdict: _document_pb2.Verdict
    evidence: _containers.RepeatedCompositeFieldContainer[PassagePair]
    duplicate_document_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document: _Optional[_Union[_document_pb2.DocumentSummary, _Mapping]] = ..., score: _Optional[float] = ..., verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ..., evidence: _Optional[_Iterable[_Union[PassagePair, _Mapping]]] = ..., duplicate_document_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PassagePair(_message.Message):
    __slots__ = ("query_ordinal", "passage", "cosine", "verdict")
    QUERY_ORDINAL_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    query_ordinal: int
    passage: _document_pb2.Passage
    cosine: float
    verdict: _document_pb2.Verdict
    def __init__(self, query_ordinal: _Optional[int] = ..., passage: _Optional[_Union[_document_pb2.Passage, _Mapping]] = ..., cosine: _Optional[float] = ..., verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ...) -> None: ...

class CompareDocumentsRequest(_message.Message):
    __slots__ = ("left_document_id", "left_document", "right_document_id", "right_document", "view")
    LEFT_DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LEFT_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    RIGHT_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    left_document_id: str
    left_document: _document_pb2.Document
    right_document_id: str
    right_document: _document_pb2.Document
    view: _verdict_pb2.VerdictView
    def __init__(self, left_document_id: _Optional[str] = ..., left_document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., right_document_id: _Optional[str] = ..., right_document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., view: _Optional[_Union[_verdict_pb2.VerdictView, str]] = ...) -> None: ...

class CompareDocumentsResponse(_message.Message):
    __slots__ = ("verdict",)
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    verdict: _verdict_pb2.DocumentVerdict
    def __init__(self, verdict: _Optional[_Union[_verdict_pb2.DocumentVerdict, _Mapping]] = ...) -> None: ...

class WatchRelatedDocumentsRequest(_message.Message):
    __slots__ = ("text", "document_id", "filter", "min_score", "after_sequence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    document_id: str
    filter: _document_pb2.Filter
    min_score: float
    after_sequence: int
    def __init__(self, text: _Optional[str] = ..., document_id: _Optional[str] = ..., filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., min_score: _Optional[float] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchRelatedDocumentsResponse(_message.Message):
    __slots__ = ("document", "sequence")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    document: RelatedDocument
    sequence: int
    def __init__(self, document: _Optional[_Union[RelatedDocument, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class MapDocumentsRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: _document_pb2.Filter
    def __init__(self, filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ...) -> None: ...

class MapDocumentsResponse(_message.Message):
    __slots__ = ("documents", "document_count")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[MappedDocument]
    document_count: int
    def __init__(self, documents: _Optional[_Iterable[_Union[MappedDocument, _Mapping]]] = ..., document_count: _Optional[int] = ...) -> None: ...

class MappedDocument(_message.Message):
    __slots__ = ("document_id", "story_id", "x", "y")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STORY_ID_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    story_id: str
    x: float
    y: float
    def __init__(self, document_id: _Optional[str] = ..., story_id: _Optional[str] = ..., x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...
