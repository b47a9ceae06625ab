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

class DuplicatePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUPLICATE_POLICY_UNSPECIFIED: _ClassVar[DuplicatePolicy]
    DUPLICATE_POLICY_STORE: _ClassVar[DuplicatePolicy]
    DUPLICATE_POLICY_SKIP: _ClassVar[DuplicatePolicy]

class IngestOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INGEST_OUTCOME_UNSPECIFIED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_CREATED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_REPLACED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_METADATA_UPDATED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_UNCHANGED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_SKIPPED: _ClassVar[IngestOutcome]
    INGEST_OUTCOME_VALIDATED: _ClassVar[IngestOutcome]
DUPLICATE_POLICY_UNSPECIFIED: DuplicatePolicy
DUPLICATE_POLICY_STORE: DuplicatePolicy
DUPLICATE_POLICY_SKIP: DuplicatePolicy
INGEST_OUTCOME_UNSPECIFIED: IngestOutcome
INGEST_OUTCOME_CREATED: IngestOutcome
INGEST_OUTCOME_REPLACED: IngestOutcome
INGEST_OUTCOME_METADATA_UPDATED: IngestOutcome
INGEST_OUTCOME_UNCHANGED: IngestOutcome
INGEST_OUTCOME_SKIPPED: IngestOutcome
INGEST_OUTCOME_VALIDATED: IngestOutcome

class IngestDocumentRequest(_message.Message):
    __slots__ = ("document", "validate_only", "duplicate_policy", "view")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_POLICY_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.Document
    validate_only: bool
    duplicate_policy: DuplicatePolicy
    view: _verdict_pb2.VerdictView
    def __init__(self, document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ..., validate_only: _Optional[bool] = ..., duplicate_policy: _Optional[_Union[DuplicatePolicy, str]] = ..., view: _Optional[_Union[_verdict_pb2.VerdictView, str]] = ...) -> None: ...

class IngestDocumentResponse(_message.Message):
    __slots__ = ("document_id", "verdict", "outcome", "revision")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    verdict: _verdict_pb2.DocumentVerdict
    outcome: IngestOutcome
    revision: int
    def __init__(self, document_id: _Optional[str] = ..., verdict: _Optional[_Union[_verdict_pb2.DocumentVerdict, _Mapping]] = ..., outcome: _Optional[_Union[IngestOutcome, str]] = ..., revision: _Optional[int] = ...) -> None: ...

class IngestDocumentsRequest(_message.Message):
    __slots__ = ("ingest", "request_id")
    INGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ingest: IngestDocumentRequest
    request_id: str
    def __init__(self, ingest: _Optional[_Union[IngestDocumentRequest, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class IngestDocumentsResponse(_message.Message):
    __slots__ = ("request_id", "result", "error")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    result: IngestDocumentResponse
    error: IngestError
    def __init__(self, request_id: _Optional[str] = ..., result: _Optional[_Union[IngestDocumentResponse, _Mapping]] = ..., error: _Optional[_Union[IngestError, _Mapping]] = ...) -> None: ...

class IngestError(_message.Message):
    __slots__ = ("code", "message", "reason", "violations", "retry_delay")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    reason: str
    violations: _containers.RepeatedCompositeFieldContainer[FieldViolation]
    retry_delay: _duration_pb2.Duration
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., reason: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[FieldViolation, _Mapping]]] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FieldViolation(_message.Message):
    __slots__ = ("field", "description")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    description: str
    def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("document_id", "view")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    view: _verdict_pb2.VerdictView
    def __init__(self, document_id: _Optional[str] = ..., view: _Optional[_Union[_verdict_pb2.VerdictView, str]] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("document", "passages", "verdict")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.DocumentSummary
    passages: _containers.RepeatedCompositeFieldContainer[_document_pb2.Passage]
    verdict: _verdict_pb2.DocumentVerdict
    def __init__(self, document: _Optional[_Union[_document_pb2.DocumentSummary, _Mapping]] = ..., passages: _Optional[_Iterable[_Union[_document_pb2.Passage, _Mapping]]] = ..., verdict: _Optional[_Union[_verdict_pb2.DocumentVerdict, _Mapping]] = ...) -> None: ...

class BatchGetDocumentsRequest(_message.Message):
    __slots__ = ("document_ids",)
    DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    document_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, document_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class BatchGetDocumentsResponse(_message.Message):
    __slots__ = ("documents", "unknown_document_ids")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[_document_pb2.DocumentSummary]
    unknown_document_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, documents: _Optional[_Iterable[_Union[_document_pb2.DocumentSummary, _Mapping]]] = ..., unknown_document_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDocumentsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _document_pb2.Filter
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDocumentsResponse(_message.Message):
    __slots__ = ("documents", "next_page_token")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[_document_pb2.DocumentSummary]
    next_page_token: str
    def __init__(self, documents: _Optional[_Iterable[_Union[_document_pb2.DocumentSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteDocumentRequest(_message.Message):
    __slots__ = ("document_id",)
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    def __init__(self, document_id: _Optional[str] = ...) -> None: ...

class DeleteDocumentResponse(_message.Message):
    __slots__ = ("deleted_at",)
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteDocumentsRequest(_message.Message):
    __slots__ = ("filter", "validate_only")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    filter: _document_pb2.Filter
    validate_only: bool
    def __init__(self, filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class DeleteDocumentsResponse(_message.Message):
    __slots__ = ("deleted_count",)
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_count: int
    def __init__(self, deleted_count: _Optional[int] = ...) -> None: ...

class ExportDocumentsRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: _document_pb2.Filter
    def __init__(self, filter: _Optional[_Union[_document_pb2.Filter, _Mapping]] = ...) -> None: ...

class ExportDocumentsResponse(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.Document
    def __init__(self, document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ...) -> None: ...

class SetVerdictRequest(_message.Message):
    __slots__ = ("document_id", "other_document_id", "verdict", "same_story")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SAME_STORY_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    other_document_id: str
    verdict: _document_pb2.Verdict
    same_story: bool
    def __init__(self, document_id: _Optional[str] = ..., other_document_id: _Optional[str] = ..., verdict: _Optional[_Union[_document_pb2.Verdict, str]] = ..., same_story: _Optional[bool] = ...) -> None: ...

class SetVerdictResponse(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.DocumentSummary
    def __init__(self, document: _Optional[_Union[_document_pb2.DocumentSummary, _Mapping]] = ...) -> None: ...

class FetchPageRequest(_message.Message):
    __slots__ = ("url",)
    URL_FIELD_NUMBER: _ClassVar[int]
    url: str
    def __init__(self, url: _Optional[str] = ...) -> None: ...

class FetchPageResponse(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: _document_pb2.Document
    def __init__(self, document: _Optional[_Union[_document_pb2.Document, _Mapping]] = ...) -> None: ...
