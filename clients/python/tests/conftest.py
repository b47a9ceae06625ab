"""A real server for the tests."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copydesk import Client, document

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("COPYDESK_BINARY", ROOT / "target" / "release" / "copydesk"))
SEEDS = sorted((ROOT / "seeds").glob("*.txt"))


class Server:
    """The program itself, over a folder of its own."""

    def __init__(self, data: Path, *options: str, listen: str = "127.0.0.1:0") -> None:
        self._command = [str(BINARY), "serve", "--data", str(data), *options]
        self._start(listen)

    def _start(self, listen: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COPYDESK_")}
        self._process = subprocess.Popen(
            [*self._command, "--listen", listen],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        # Until it is ready, or has ended.
        for line in self._process.stdout:
            if line.startswith("ready on "):
                self.address = line.removeprefix("ready on ").strip()
                return
        raise AssertionError("the server ended before it was ready")

    def kill(self) -> None:
        """Ends the server at once, as a power cut would, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def stop(self) -> None:
        """Has the server drain and end."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0
        self._process.communicate()

    def restart(self) -> None:
        """Starts the server again at the same address."""
        self._start(self.address)


@contextmanager
def running(data: Path, *options: str) -> Iterator[Server]:
    """A server that ends with the block."""
    server = Server(data, *options)
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server over an empty corpus, which the test may change."""
    with running(tmp_path / "data") as server:
        yield server


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds the seeds, for questions."""
    with running(tmp_path_factory.mktemp("seeds")) as server:
        with Client(server.address) as desk:
            for seed in SEEDS:
                desk.ingest(document(document_id=seed.stem, text=seed.read_text(encoding="utf-8")))
        yield server
