"""Sends a copydesk server more documents at once than it works on, and those that it
refused again when it said so, until all are there.

Run through run.sh, which generates the stubs that are imported here.
"""

import argparse
import sys
import time

import grpc
from copydesk.v1.corpus_pb2 import BatchGetDocumentsRequest, IngestDocumentRequest
from copydesk.v1.corpus_pb2_grpc import CorpusServiceStub
from copydesk.v1.document_pb2 import Document
from copydesk.v1.similarity_pb2 import FindDuplicatesRequest
from copydesk.v1.similarity_pb2_grpc import SimilarityServiceStub
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

DOCUMENTS = 600
# A channel has a connection of its own, each with so many calls at once.
CHANNELS = 4
CALL_SECONDS = 120.0
ROUNDS = 100
DETAILS = "grpc-status-details-bin"


class Unexpected(Exception):
    """The server answered, but not as it should under load."""


def document(number: int) -> Document:
    lines = [f"Report {number}, part {part}, from town {number * 7919}." for part in range(4)]
    return Document(document_id=f"overload-{number}", text="\n".join(lines))


def retry_delay(error: grpc.RpcError) -> float:
    """When to try again, which every refusal for load tells."""
    if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        raise Unexpected(f"{error.code().name}: {error.details()}")
    trailers = dict(error.trailing_metadata())
    for detail in Status.FromString(trailers.get(DETAILS, b"")).details:
        info = RetryInfo()
        if detail.Unpack(info) and info.HasField("retry_delay"):
            return info.retry_delay.ToTimedelta().total_seconds()
    raise Unexpected(f"refused without a time to try again: {error.details()}")


def send(stubs: list[CorpusServiceStub], numbers: list[int]) -> tuple[list[int], float]:
    """Sends documents all at once. Returns those that were refused, and when to try again."""
    calls = [
        (number, stubs[number % len(stubs)].IngestDocument.future(
            IngestDocumentRequest(document=document(number)), timeout=CALL_SECONDS
        ))
        for number in numbers
    ]
    refused, delay = [], 0.0
    for number, call in calls:
        error = call.exception()
        if error is not None:
            refused.append(number)
            delay = max(delay, retry_delay(error))
    return refused, delay


def main() -> None:
    parser = argparse.ArgumentParser(description="Overloads a copydesk server.")
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    arguments = parser.parse_args()
    # Else gRPC would share one connection between them.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(arguments.server, options) for _ in range(CHANNELS)]
    stubs = [CorpusServiceStub(channel) for channel in channels]
    try:
        left, refusals, rounds = list(range(DOCUMENTS)), 0, 0
        while left:
            rounds += 1
            if rounds > ROUNDS:
                raise Unexpected(f"{len(left)} documents are refused again and again")
            left, delay = send(stubs, left)
            refusals += len(left)
            # Questions have room of their own.
            question = FindDuplicatesRequest(text=f"Report {rounds}, part 0.")
            SimilarityServiceStub(channels[0]).FindDuplicates(question, timeout=CALL_SECONDS)
            time.sleep(delay)
        if not refusals:
            raise Unexpected(f"took {DOCUMENTS} documents at once")
        ids = [document(number).document_id for number in range(DOCUMENTS)]
        found = stubs[0].BatchGetDocuments(BatchGetDocumentsRequest(document_ids=ids))
        if found.unknown_document_ids:
            raise Unexpected(f"acknowledged and lost: {list(found.unknown_document_ids)}")
        print(f"\n{DOCUMENTS} documents at once: {refusals} refusals, all there in {rounds} rounds")
    except grpc.RpcError as error:
        sys.exit(f"{arguments.server}: {error.code().name}: {error.details()}")
    except Unexpected as error:
        sys.exit(f"unexpected: {error}")
    finally:
        for channel in channels:
            channel.close()


if __name__ == "__main__":
    main()
