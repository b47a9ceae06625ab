"""Feeds a folder of articles to a copydesk server and asks what it makes of them.

Run through run.sh, which generates the stubs that are imported here.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import grpc
from copydesk.v1.corpus_pb2 import (
    GetDocumentRequest,
    GetDocumentResponse,
    IngestDocumentRequest,
    IngestDocumentsRequest,
    IngestError,
    IngestOutcome,
)
from copydesk.v1.corpus_pb2_grpc import CorpusServiceStub
from copydesk.v1.document_pb2 import PASSAGE_KIND_BODY, Document, Verdict
from copydesk.v1.similarity_pb2 import FindDuplicatesRequest, FindRelatedPassagesRequest
from copydesk.v1.similarity_pb2_grpc import SimilarityServiceStub

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
QUESTION = "Did North Korea send ammunition to Russia?"
BAD_ID = "nothing-but-white-space"

CONNECT_SECONDS = 10.0
CALL_SECONDS = 30.0
# The deadline of a stream is for all of its documents, not for each.
STREAM_SECONDS = 300.0


class Unexpected(Exception):
    """The server answered, but not what these articles should bring."""


def ingest(corpus: CorpusServiceStub, seeds: list[Path]) -> None:
    """Sends all seeds in one stream, with a bad document among them."""
    documents = [(path.stem, path.read_text(encoding="utf-8")) for path in seeds]
    # Not the last one, so that the answers after it show that the stream goes on.
    documents.insert(1, (BAD_ID, " \n\t "))

    # gRPC draws the requests on a thread of its own: the loop below reads while they
    # are still being written, as flow control demands.
    answers = corpus.IngestDocuments(requests(documents), timeout=STREAM_SECONDS)
    answered: list[str] = []
    for answer in answers:
        name = answer.request_id
        answered.append(name)
        if name == BAD_ID:
            if answer.WhichOneof("outcome") != "error":
                raise Unexpected(f"{name}: was not refused")
            check_refusal(answer.error)
        elif answer.WhichOneof("outcome") != "result":
            raise Unexpected(f"{name}: {answer.error.reason}: {answer.error.message}")
        else:
            result = answer.result
            document = get(corpus, result.document_id).document
            print(result.document_id)
            outcome = IngestOutcome.Name(result.outcome)
            verdict = Verdict.Name(result.verdict.verdict)
            print(f"  {outcome}, {verdict}")
            print(f"  {document.title}")
    if answered != [name for name, _ in documents]:
        raise Unexpected(f"answers are not one for each request in order: {answered}")


def requests(documents: Iterable[tuple[str, str]]) -> Iterator[IngestDocumentsRequest]:
    for name, text in documents:
        document = Document(document_id=name, text=text)
        yield IngestDocumentsRequest(
            request_id=name, ingest=IngestDocumentRequest(document=document)
        )


def check_refusal(error: IngestError) -> None:
    # An error inside a stream carries the number of the code, not grpc's own type.
    code = next((code.name for code in grpc.StatusCode if code.value[0] == error.code), "?")
    print(f"{BAD_ID}\n  refused: {code}, {error.reason}")
    for violation in error.violations:
        print(f"  {violation.field}: {violation.description}")
    if code != grpc.StatusCode.INVALID_ARGUMENT.name:
        raise Unexpected(f"{BAD_ID}: refused with {code}, not INVALID_ARGUMENT")
    if all(violation.field != "document.text" for violation in error.violations):
        raise Unexpected(f"{BAD_ID}: no violation names document.text")


def find_edited_copy(
    corpus: CorpusServiceStub, similarity: SimilarityServiceStub, document_id: str
) -> None:
    """Edits a stored paragraph lightly and asks where it stands already."""
    passages = get(corpus, document_id).passages
    # Furniture is no evidence of duplication, so it would find nothing.
    reporting = [passage for passage in passages if passage.kind == PASSAGE_KIND_BODY]
    original = max(reporting, key=lambda passage: len(passage.text), default=None)
    if original is None:
        raise Unexpected(f"{document_id}: has no passage of reporting")
    edited = original.text.replace(" and ", " as well as ")
    if edited == original.text:
        raise Unexpected(f"{original.passage_id}: has nothing to edit")

    print(f"\nA copy of {original.passage_id}, edited:")
    request = FindDuplicatesRequest(text=edited, limit=3)
    matches = similarity.FindDuplicates(request, timeout=CALL_SECONDS).matches
    for match in matches:
        verdict = Verdict.Name(match.verdict)
        print(f"  {match.probability:.3f}  {verdict}  {match.passage.passage_id}")
    if not any(
        match.passage.passage_id == original.passage_id and match.probability >= 0.5
        for match in matches
    ):
        raise Unexpected(f"{original.passage_id}: its edited copy was not recognised")


def find_related(similarity: SimilarityServiceStub) -> None:
    print(f"\n{QUESTION}")
    request = FindRelatedPassagesRequest(text=QUESTION, max_per_document=1)
    related = similarity.FindRelatedPassages(request, timeout=CALL_SECONDS).passages
    for found in related:
        print(f"  {found.score:.3f}  {found.document.source}: {found.passage.text[:60]}…")
    outlets = {found.document.source for found in related} - {""}
    if len(outlets) < 2:
        raise Unexpected(f"related passages from fewer than two outlets: {sorted(outlets)}")


def get(corpus: CorpusServiceStub, document_id: str) -> GetDocumentResponse:
    return corpus.GetDocument(GetDocumentRequest(document_id=document_id), timeout=CALL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Feeds articles to a copydesk server.")
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--seeds", type=Path, default=SEEDS, metavar="DIR")
    arguments = parser.parse_args()
    seeds = sorted(arguments.seeds.glob("*.txt"))
    if not seeds:
        sys.exit(f"{arguments.seeds}: holds no *.txt")

    with grpc.insecure_channel(arguments.server) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
            corpus, similarity = CorpusServiceStub(channel), SimilarityServiceStub(channel)
            ingest(corpus, seeds)
            find_edited_copy(corpus, similarity, seeds[0].stem)
            find_related(similarity)
        except grpc.FutureTimeoutError:
            sys.exit(f"{arguments.server}: no connection within {CONNECT_SECONDS:.0f} s")
        except grpc.RpcError as error:
            sys.exit(f"{arguments.server}: {error.code().name}: {error.details()}")
        except Unexpected as error:
            sys.exit(f"unexpected: {error}")


if __name__ == "__main__":
    main()
