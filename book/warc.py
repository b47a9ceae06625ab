"""Writes pages as a web archive to standard output: python book/warc.py PAGE..."""

import sys
import uuid
from pathlib import Path


def record(page: Path) -> bytes:
    """A page as a crawler has it: the answer of its host."""
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.read_bytes()
    )
    address = f"https://crawled.example/{page.name}"
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, address)}>\r\n"
        f"WARC-Target-URI: {address}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return head.encode() + answer + b"\r\n\r\n"


def main() -> None:
    """Runs the program."""
    for name in sys.argv[1:]:
        sys.stdout.buffer.write(record(Path(name)))


if __name__ == "__main__":
    main()
