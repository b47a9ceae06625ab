from copydesk.v1 import document_pb2 as _document_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerdictView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_VIEW_UNSPECIFIED: _ClassVar[VerdictView]
    VERDICT_VIEW_SUMMARY: _ClassVar[VerdictView]
    VERDICT_VIEW_PASSAGES: _ClassVar[VerdictView]
    VERDICT_VIEW_EVIDENCE: _ClassVar[VerdictView]
VERDICT_VIEW_UNSPECIFIED: VerdictView
VERDICT_VIEW_SUMMARY: VerdictView
VERDICT_VIEW_PASSAGES: VerdictView
VERDICT_VIEW_EVIDENCE: VerdictView

class DocumentVerdict(_message.Message):
    __slots__ = ("verdict", "canonical_document_id", "duplicate_probability", "duplicate_share", "novelty", "story_id", "passages", "model_id", "lexical_only")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SHARE_FIELD_NUMBER: _ClassVar[int]
    NOVELTY_FIELD_NUMBER: _ClassVar[int]
    STORY_ID_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    LEXICAL_ONLY_FIELD_NUMBER: _ClassVar[int]
    verdict: _document_pb2.Verdict
    canonical_document_id: str
    duplicate_probability: float
    duplicate_share: float
    novelty: float
    story_id: str
    passages: _containers.RepeatedCompositeFieldContainer[PassageVerdict]
    model_id: str
    lexical_only: bool
    def __init__(self, verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ..., canonical_document_id: _Optional[str] = ..., duplicate_probability: _Optional[float] = ..., duplicate_share: _Optional[float] = ..., novelty: _Optional[float] = ..., story_id: _Optional[str] = ..., passages: _Optional[_Iterable[_Union[PassageVerdict, _Mapping]]] = ..., model_id: _Optional[str] = ..., lexical_only: _Optional[bool] = ...) -> None: ...

class PassageVerdict(_message.Message):
    __slots__ = ("ordinal", "kind", "verdict", "match", "novelty", "text")
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    NOVELTY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ordinal: int
    kind: _document_pb2.PassageKind
    verdict: _document_pb2.Verdict
    match: DuplicateMatch
    novelty: float
    text: str
    def __init__(self, ordinal: _Optional[int] = ..., kind: _Optional[_Union[_document_pb2.PassageKind, str]] = ..., verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ..., match: _Optional[_Union[DuplicateMatch, _Mapping]] = ..., novelty: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class DuplicateMatch(_message.Message):
    __slots__ = ("passage", "document", "verdict", "probability", "evidence", "query_ordinal")
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    QUERY_ORDINAL_FIELD_NUMBER: _ClassVar[int]
    passage: _document_pb2.Passage
    document: _document_pb2.DocumentSummary
    verdict: _document_pb2.Verdict
    probability: float
    evidence: DuplicateEvidence
    query_ordinal: int
    def __init__(self, passage: _Optional[_Union[_document_pb2.Passage, _Mapping]] = ..., document: _Optional[_Union[_document_pb2.DocumentSummary, _Mapping]] = ..., verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ..., probability: _Optional[float] = ..., evidence: _Optional[_Union[DuplicateEvidence, _Mapping]] = ..., query_ordinal: _Optional[int] = ...) -> None: ...

class DuplicateEvidence(_message.Message):
    __slots__ = ("cosine", "resemblance", "containment", "aligned_spans", "conflicts")
    COSINE_FIELD_NUMBER: _ClassVar[int]
    RESEMBLANCE_FIELD_NUMBER: _ClassVar[int]
    CONTAINMENT_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_SPANS_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    cosine: float
    resemblance: float
    containment: float
    aligned_spans: _containers.RepeatedCompositeFieldContainer[AlignedSpan]
    conflicts: _containers.RepeatedCompositeFieldContainer[FactConflict]
    def __init__(self, cosine: _Optional[float] = ..., resemblance: _Optional[float] = ..., containment: _Optional[float] = ..., aligned_spans: _Optional[_Iterable[_Union[AlignedSpan, _Mapping]]] = ..., conflicts: _Optional[_Iterable[_Union[FactConflict, _Mapping]]] = ...) -> None: ...

class AlignedSpan(_message.Message):
    __slots__ = ("query_start", "query_end", "match_start", "match_end")
    QUERY_START_FIELD_NUMBER: _ClassVar[int]
    QUERY_END_FIELD_NUMBER: _ClassVar[int]
    MATCH_START_FIELD_NUMBER: _ClassVar[int]
    MATCH_END_FIELD_NUMBER: _ClassVar[int]
    query_start: int
    query_end: int
    match_start: int
    match_end: int
    def __init__(self, query_start: _Optional[int] = ..., query_end: _Optional[int] = ..., match_start: _Optional[int] = ..., match_end: _Optional[int] = ...) -> None: ...

class FactConflict(_message.Message):
    __slots__ = ("query_value", "match_value")
    QUERY_VALUE_FIELD_NUMBER: _ClassVar[int]
    MATCH_VALUE_FIELD_NUMBER: _ClassVar[int]
    query_value: str
    match_value: str
    def __init__(self, query_value: _Optional[str] = ..., match_value: _Optional[str] = ...) -> None: ...
