# Generated from _async/client.py by generate.py: change that one.
"""The client."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import grpc

from copydesk._sync.pages import Pages
from copydesk._sync.primitives import sleep
from copydesk._sync.window import Window
from copydesk.answers import Answers, Ingested, Page, StoryDocuments
from copydesk.channel import Tls, connection, sequence_of
from copydesk.documents import one_of
from copydesk.errors import CopydeskError, from_ingest_error, from_rpc_error
from copydesk.retry import Attempts, RetryPolicy
from copydesk.v1 import admin_pb2, corpus_pb2, similarity_pb2, story_pb2
from copydesk.v1.admin_pb2_grpc import AdminServiceStub
from copydesk.v1.corpus_pb2_grpc import CorpusServiceStub
from copydesk.v1.similarity_pb2_grpc import SimilarityServiceStub
from copydesk.v1.story_pb2_grpc import StoryServiceStub

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from copydesk.v1.corpus_pb2 import DuplicatePolicy
    from copydesk.v1.document_pb2 import Document, DocumentSummary, Filter, Verdict
    from copydesk.v1.similarity_pb2 import (
        RankingOptions,
        RelatedDocument,
        RelatedPassage,
        WatchRelatedDocumentsResponse,
    )
    from copydesk.v1.story_pb2 import Story
    from copydesk.v1.verdict_pb2 import DocumentVerdict, DuplicateMatch, VerdictView

Request = TypeVar("Request")
Response = TypeVar("Response")

_MOST_IDS = 1_000


class Client:
    """The services of one server, over one connection.

    Arguments that are not given are left to the server, and mean what the contract says
    (`proto/copydesk/v1`). A call raises an `ApiError` where it is refused. It is repeated where the
    server says when, or where it cannot be reached and the call may well be done twice, until its
    `timeout` (in seconds, all tries and delays together) or the `RetryPolicy` ends that.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        tls: Tls | None = None,
        timeout: float | None = 60.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Prepares a connection to `server`, by default to what `COPYDESK_SERVER` names.

        `token` is by default that of `COPYDESK_TOKEN`; `timeout` is that of each call that is not
        a stream. The connection is made by the first call.
        """
        self._connection = connection(server, token, tls)
        target, options = self._connection.target, list(self._connection.options)
        credentials = self._connection.credentials
        self._channel = (
            grpc.insecure_channel(target, options)
            if credentials is None
            else grpc.secure_channel(target, credentials, options)
        )
        self._metadata = tuple(self._connection.metadata)
        self._timeout = timeout
        self._retry = retry or RetryPolicy()
        self._corpus = CorpusServiceStub(self._channel)
        self._similarity = SimilarityServiceStub(self._channel)
        self._story = StoryServiceStub(self._channel)
        self._admin = AdminServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and what runs over it."""
        self._channel.close()

    # What goes in and out.

    def ingest(
        self,
        document: Document,
        *,
        validate_only: bool = False,
        duplicate_policy: DuplicatePolicy | None = None,
        view: VerdictView | None = None,
        timeout: float | None = None,
    ) -> corpus_pb2.IngestDocumentResponse:
        """Stores a document, and says of it whether it is new."""
        request = corpus_pb2.IngestDocumentRequest(
            document=document,
            validate_only=validate_only,
            duplicate_policy=duplicate_policy,
            view=view,
        )
        return self._call(self._corpus.IngestDocument, request, timeout, repeatable=True)

    def ingest_many(
        self,
        documents: Iterable[Document] | Iterable[Document],
        *,
        validate_only: bool = False,
        duplicate_policy: DuplicatePolicy | None = None,
        view: VerdictView | None = None,
        window: int = 64,
        timeout: float | None = None,
    ) -> Generator[Ingested, None, None]:
        """Stores documents in one stream, and says of each what became of it, in their order.

        A document that is refused does not end the stream. At most `window` documents are taken
        and not yet answered; while nobody reads the answers, no more are taken, and while the
        server is busy, the stream is slowed. Where the stream breaks off, the documents without an
        answer are sent again over a new one: what had been stored then comes back as UNCHANGED,
        with the verdict that it got.
        """
        attempts = Attempts(self._retry, timeout)
        waiting = Window(documents, window)

        def requests(stream: int) -> Iterator[corpus_pb2.IngestDocumentsRequest]:
            while (sent := waiting.next(stream)) is not None:
                ingest = corpus_pb2.IngestDocumentRequest(
                    document=sent[1],
                    validate_only=validate_only,
                    duplicate_policy=duplicate_policy,
                    view=view,
                )
                yield corpus_pb2.IngestDocumentsRequest(ingest=ingest, request_id=str(sent[0]))

        try:
            while waiting.pending():
                answers = self._corpus.IngestDocuments(
                    requests(waiting.begin()),
                    timeout=attempts.remaining(),
                    metadata=self._metadata,
                )
                try:
                    for answer in answers:
                        attempts.progressed()
                        number, document = waiting.answered()
                        if answer.request_id != str(number):
                            raise CopydeskError(f"answer {answer.request_id!r} is not {number}")
                        is_refused = answer.WhichOneof("outcome") == "error"
                        yield Ingested(
                            document,
                            from_ingest_error(answer.error) if is_refused else answer.result,
                        )
                except grpc.RpcError as error:
                    failure = from_rpc_error(error)
                    sleep(attempts.delay(failure, repeatable=True))
                finally:
                    answers.cancel()
        finally:
            waiting.close()

    def fetch_page(self, url: str, *, timeout: float | None = None) -> Document:
        """A page that the server fetches, to ask about, to compare or to ingest; not stored.

        Raises `Unimplemented` where the server fetches none.
        """
        request = corpus_pb2.FetchPageRequest(url=url)
        method = self._corpus.FetchPage
        return (self._call(method, request, timeout, repeatable=True)).document

    def get(
        self,
        document_id: str,
        *,
        view: VerdictView | None = None,
        timeout: float | None = None,
    ) -> corpus_pb2.GetDocumentResponse:
        """A stored document with its passages and its verdict."""
        request = corpus_pb2.GetDocumentRequest(document_id=document_id, view=view)
        return self._call(self._corpus.GetDocument, request, timeout, repeatable=True)

    def get_many(
        self, document_ids: Iterable[str], *, timeout: float | None = None
    ) -> Answers[DocumentSummary]:
        """Those of the documents that are stored, in the order asked for, without their bodies."""
        ids, found = list(document_ids), list[corpus_pb2.BatchGetDocumentsResponse]()
        for start in range(0, len(ids), _MOST_IDS):
            request = corpus_pb2.BatchGetDocumentsRequest(
                document_ids=ids[start : start + _MOST_IDS]
            )
            method = self._corpus.BatchGetDocuments
            found.append(self._call(method, request, timeout, repeatable=True))
        return Answers(document for response in found for document in response.documents)

    def list(
        self,
        filter: Filter | None = None,
        *,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Pages[DocumentSummary]:
        """Stored documents, latest ingested first."""

        def fetch(token: str) -> Page[DocumentSummary]:
            request = corpus_pb2.ListDocumentsRequest(
                filter=filter, page_size=page_size, page_token=token
            )
            method = self._corpus.ListDocuments
            response = self._call(method, request, timeout, repeatable=True)
            return Page(response.documents, response.next_page_token)

        return Pages(fetch)

    def export(
        self, filter: Filter | None = None, *, timeout: float | None = None
    ) -> Generator[Document, None, None]:
        """Every document that the filter matches, as it could be ingested again."""
        request = corpus_pb2.ExportDocumentsRequest(filter=filter)
        attempts, begun = Attempts(self._retry, timeout), False
        while True:
            remaining = attempts.remaining()
            answers = self._corpus.ExportDocuments(
                request, timeout=remaining, metadata=self._metadata
            )
            try:
                for answer in answers:
                    begun = True
                    yield answer.document
                return
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                if begun:
                    raise failure from None
                sleep(attempts.delay(failure, repeatable=True))
            finally:
                answers.cancel()

    def delete(self, document_id: str, *, timeout: float | None = None) -> None:
        """Deletes a document; raises `NotFound` if it is not there."""
        request = corpus_pb2.DeleteDocumentRequest(document_id=document_id)
        self._call(self._corpus.DeleteDocument, request, timeout, repeatable=False)

    def delete_matching(
        self, filter: Filter, *, validate_only: bool = False, timeout: float | None = None
    ) -> int:
        """Deletes all that the filter matches, in one transaction. Returns how many.

        With `validate_only`, counts them and deletes nothing.
        """
        request = corpus_pb2.DeleteDocumentsRequest(filter=filter, validate_only=validate_only)
        method = self._corpus.DeleteDocuments
        response = self._call(method, request, timeout, repeatable=validate_only)
        return response.deleted_count

    def set_verdict(
        self,
        document_id: str,
        other_document_id: str,
        verdict: Verdict,
        *,
        same_story: bool | None = None,
        timeout: float | None = None,
    ) -> DocumentSummary:
        """Sets what a document is beside an earlier one: an editor's word, which stays."""
        request = corpus_pb2.SetVerdictRequest(
            document_id=document_id,
            other_document_id=other_document_id,
            verdict=verdict,
            same_story=same_story,
        )
        response = self._call(self._corpus.SetVerdict, request, timeout, repeatable=True)
        return response.document

    # Questions.

    def duplicates(
        self,
        text: str | None = None,
        *,
        passage_id: str | None = None,
        document_id: str | None = None,
        document: Document | None = None,
        min_probability: float | None = None,
        filter: Filter | None = None,
        limit: int = 0,
        view: VerdictView | None = None,
        timeout: float | None = None,
    ) -> Answers[DuplicateMatch]:
        """Stored passages that say the same as a text, a passage or a document."""
        one_of(text=text, passage_id=passage_id, document_id=document_id, document=document)
        request = similarity_pb2.FindDuplicatesRequest(
            text=text,
            passage_id=passage_id,
            document_id=document_id,
            document=document,
            min_probability=min_probability,
            filter=filter,
            limit=limit,
            view=view,
        )
        method = self._similarity.FindDuplicates
        response = self._call(method, request, timeout, repeatable=True)
        return Answers(response.matches, model_id=response.model_id, truncated=response.truncated)

    def related_passages(
        self,
        text: str | None = None,
        *,
        passage_id: str | None = None,
        document_id: str | None = None,
        document: Document | None = None,
        filter: Filter | None = None,
        limit: int = 0,
        max_per_document: int = 0,
        ranking: RankingOptions | None = None,
        min_score: float | None = None,
        timeout: float | None = None,
    ) -> Answers[RelatedPassage]:
        """Stored passages about what a text, a passage or a document is about."""
        one_of(text=text, passage_id=passage_id, document_id=document_id, document=document)
        request = similarity_pb2.FindRelatedPassagesRequest(
            text=text,
            passage_id=passage_id,
            document_id=document_id,
            document=document,
            filter=filter,
            limit=limit,
            max_per_document=max_per_document,
            ranking=ranking,
            min_score=min_score,
        )
        method = self._similarity.FindRelatedPassages
        response = self._call(method, request, timeout, repeatable=True)
        return Answers(
            response.passages,
            model_id=response.model_id,
            truncated=response.truncated,
            query_duplicate_ids=response.query_duplicate_ids,
        )

    def related_documents(
        self,
        document_id: str | None = None,
        *,
        document: Document | None = None,
        filter: Filter | None = None,
        limit: int = 0,
        ranking: RankingOptions | None = None,
        min_score: float | None = None,
        timeout: float | None = None,
    ) -> Answers[RelatedDocument]:
        """Stored documents that cover the same events as a document."""
        one_of(document_id=document_id, document=document)
        request = similarity_pb2.FindRelatedDocumentsRequest(
            document_id=document_id,
            document=document,
            filter=filter,
            limit=limit,
            ranking=ranking,
            min_score=min_score,
        )
        method = self._similarity.FindRelatedDocuments
        response = self._call(method, request, timeout, repeatable=True)
        return Answers(
            response.documents,
            model_id=response.model_id,
            truncated=response.truncated,
            query_duplicate_ids=response.query_duplicate_ids,
        )

    def compare(
        self,
        left: str | Document,
        right: str | Document,
        *,
        view: VerdictView | None = None,
        timeout: float | None = None,
    ) -> DocumentVerdict:
        """What `right` is, had it come after `left`; each the id of a document, or one."""
        request = similarity_pb2.CompareDocumentsRequest(
            left_document_id=left if isinstance(left, str) else None,
            left_document=None if isinstance(left, str) else left,
            right_document_id=right if isinstance(right, str) else None,
            right_document=None if isinstance(right, str) else right,
            view=view,
        )
        method = self._similarity.CompareDocuments
        return (self._call(method, request, timeout, repeatable=True)).verdict

    def watch(
        self,
        text: str | None = None,
        *,
        document_id: str | None = None,
        filter: Filter | None = None,
        min_score: float | None = None,
        after_sequence: int | None = None,
    ) -> Generator[WatchRelatedDocumentsResponse, None, None]:
        """Documents about what a text or document is about, as they come in, without an end.

        Goes on where the connection breaks off, or the server cuts a slow reader off: after the
        last answer, or from when the question stood. So what is stored meanwhile is seen.
        """
        one_of(text=text, document_id=document_id)
        request = similarity_pb2.WatchRelatedDocumentsRequest(
            text=text,
            document_id=document_id,
            filter=filter,
            min_score=min_score,
            after_sequence=after_sequence,
        )
        attempts = Attempts(self._retry, None)
        while True:
            answers = self._similarity.WatchRelatedDocuments(request, metadata=self._metadata)
            try:
                # They come when the question stands.
                sequence = sequence_of(answers.initial_metadata())
                if sequence is not None:
                    request.after_sequence = sequence
                    attempts.progressed()
                for answer in answers:
                    request.after_sequence = answer.sequence
                    yield answer
                return
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                sleep(attempts.delay(failure, repeatable=True))
            finally:
                answers.cancel()

    # Stories.

    def story(
        self, story_id: str, *, page_size: int = 0, timeout: float | None = None
    ) -> StoryDocuments:
        """A story with all its documents, earliest first."""
        documents, token = list["DocumentSummary"](), ""
        while True:
            request = story_pb2.GetStoryRequest(
                story_id=story_id, page_size=page_size, page_token=token
            )
            response = self._call(self._story.GetStory, request, timeout, repeatable=True)
            documents.extend(response.documents)
            token = response.next_page_token
            if not token:
                return StoryDocuments(response.story, Answers(documents))

    def stories(
        self,
        filter: Filter | None = None,
        *,
        min_distinct_documents: int = 0,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Pages[Story]:
        """Stories, most recently updated first."""

        def fetch(token: str) -> Page[Story]:
            request = story_pb2.ListStoriesRequest(
                filter=filter,
                min_distinct_documents=min_distinct_documents,
                page_size=page_size,
                page_token=token,
            )
            method = self._story.ListStories
            response = self._call(method, request, timeout, repeatable=True)
            return Page(response.stories, response.next_page_token)

        return Pages(fetch)

    # For operators.

    def info(self, *, timeout: float | None = None) -> admin_pb2.GetServerInfoResponse:
        """The state of the server: its model, corpus and limits."""
        request = admin_pb2.GetServerInfoRequest()
        return self._call(self._admin.GetServerInfo, request, timeout, repeatable=True)

    def snapshot(
        self, snapshot_name: str, *, timeout: float | None = None
    ) -> admin_pb2.CreateSnapshotResponse:
        """Has the server copy its corpus as it is, into its folder of snapshots."""
        request = admin_pb2.CreateSnapshotRequest(snapshot_name=snapshot_name)
        return self._call(self._admin.CreateSnapshot, request, timeout, repeatable=False)

    def compact(self, *, timeout: float | None = None) -> admin_pb2.CompactIndexResponse:
        """Has the server merge its index, and give back the space of what was deleted."""
        request = admin_pb2.CompactIndexRequest()
        return self._call(self._admin.CompactIndex, request, timeout, repeatable=True)

    def reembed(
        self, model: str = "", *, precision: str = "", timeout: float | None = None
    ) -> admin_pb2.ReembedResponse:
        """Has the server change its corpus to another model, in the background."""
        request = admin_pb2.ReembedRequest(model=model, precision=precision)
        return self._call(self._admin.Reembed, request, timeout, repeatable=False)

    def _call(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        timeout: float | None,
        *,
        repeatable: bool,
    ) -> Response:
        attempts = Attempts(self._retry, self._timeout if timeout is None else timeout)
        while True:
            try:
                return method(request, timeout=attempts.remaining(), metadata=self._metadata)
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
            sleep(attempts.delay(failure, repeatable=repeatable))
