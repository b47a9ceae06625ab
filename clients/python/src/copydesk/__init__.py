"""A client of Copydesk, the semantic-similarity service for news.

    from copydesk import Client, document

    with Client("http://127.0.0.1:7151") as desk:
        answer = desk.ingest(document(text="..."))
        print(desk.duplicates("The central bank raised ...").to_frame())

`AsyncClient` does the same under asyncio. Messages are those of the contract, in `copydesk.v1`;
those that callers make or meet most often are here, too.
"""

from copydesk._async.client import AsyncClient
from copydesk._sync.client import Client
from copydesk.answers import Answers, Ingested, StoryDocuments, to_frame, to_rows
from copydesk.channel import Tls
from copydesk.documents import document
from copydesk.errors import (
    AlreadyExists,
    ApiError,
    CopydeskError,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Violation,
)
from copydesk.retry import RetryPolicy
from copydesk.v1.corpus_pb2 import DuplicatePolicy, IngestOutcome
from copydesk.v1.document_pb2 import Document, Filter, PassageKind, Verdict
from copydesk.v1.similarity_pb2 import RankingOptions, RetrievalMode
from copydesk.v1.verdict_pb2 import VerdictView

__all__ = [
    "AlreadyExists",
    "Answers",
    "ApiError",
    "AsyncClient",
    "Client",
    "CopydeskError",
    "DeadlineExceeded",
    "Document",
    "DuplicatePolicy",
    "FailedPrecondition",
    "Filter",
    "IngestOutcome",
    "Ingested",
    "InvalidArgument",
    "NotFound",
    "OutOfRange",
    "PassageKind",
    "PermissionDenied",
    "RankingOptions",
    "ResourceExhausted",
    "RetrievalMode",
    "RetryPolicy",
    "StoryDocuments",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Verdict",
    "VerdictView",
    "Violation",
    "document",
    "to_frame",
    "to_rows",
]
