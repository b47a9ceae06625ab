"""A server that is full says when to try again, and the client does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from copydesk import Client, ResourceExhausted, RetryPolicy, document

if TYPE_CHECKING:
    from copydesk import Document
    from tests.conftest import Server

DOCUMENTS = 600
# A channel has a connection of its own, each with so many calls at once.
CLIENTS = 4


def report(number: int) -> Document:
    lines = [f"Report {number}, part {part}, from town {number * 7919}." for part in range(4)]
    return document(document_id=f"load-{number}", text="\n".join(lines))


def test_refusals_for_load_are_tried_again_until_all_is_there(server: Server) -> None:
    once = RetryPolicy(max_elapsed=0.0)
    impatient = [Client(server.address, retry=once) for _ in range(CLIENTS)]
    patient = [
        Client(server.address, timeout=300.0, retry=RetryPolicy(max_elapsed=300.0))
        for _ in range(CLIENTS)
    ]
    refusals = []

    def send(number: int) -> None:
        try:
            impatient[number % CLIENTS].ingest(report(number))
        except ResourceExhausted as refused:
            refusals.append(refused)
            patient[number % CLIENTS].ingest(report(number))

    with ThreadPoolExecutor(DOCUMENTS) as pool:
        for sent in [pool.submit(send, number) for number in range(DOCUMENTS)]:
            sent.result()
    assert refusals, f"{DOCUMENTS} documents were taken at once"
    assert all(refused.retry_delay and refused.reason == "OVERLOADED" for refused in refusals)
    stored = patient[0].get_many(f"load-{number}" for number in range(DOCUMENTS))
    assert len(stored) == DOCUMENTS
    for client in impatient + patient:
        client.close()
