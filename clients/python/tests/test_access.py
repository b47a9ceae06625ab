"""Who gets in."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
import trustme

from copydesk import Client, CopydeskError, PermissionDenied, Tls, Unauthenticated, document
from tests.conftest import BINARY, running

if TYPE_CHECKING:
    from pathlib import Path


def new_token(right: str) -> tuple[str, str]:
    """A token, and its line for the server's file."""
    command = [str(BINARY), "token", "new", "--right", right, "--json"]
    made = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return made["token"], made["line"]


def test_tokens_let_in_by_their_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, line = new_token("read")
    tokens = tmp_path / "tokens"
    tokens.write_text(line + "\n")
    with running(tmp_path / "data", "--tokens", str(tokens)) as server:
        with Client(server.address) as desk, pytest.raises(Unauthenticated) as without:
            desk.info()
        assert without.value.reason == "NO_TOKEN"
        with Client(server.address, token="copydesk_none") as desk:
            with pytest.raises(Unauthenticated) as unknown:
                list(desk.list())
            assert unknown.value.reason == "UNKNOWN_TOKEN"
        monkeypatch.setenv("COPYDESK_SERVER", f"http://{server.address}")
        monkeypatch.setenv("COPYDESK_TOKEN", token)
        with Client() as desk:
            assert list(desk.list()) == []
            with pytest.raises(PermissionDenied):
                desk.ingest(document(text="Not with this token."))
            (answer,) = desk.ingest_many([document(text="Nor in a stream.")])
            assert isinstance(answer.error, PermissionDenied)


def test_tls_in_both_directions(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name, certificate in {
        "server": authority.issue_cert("localhost"),
        "client": authority.issue_cert("importer@desk.example"),
    }.items():
        certificate.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.pem"))
        certificate.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
    files = {
        "--tls-cert": "server.pem",
        "--tls-key": "server.key",
        "--tls-client-ca": "ca.pem",
    }
    options = [part for key, name in files.items() for part in (key, str(tmp_path / name))]
    with running(tmp_path / "data", *options) as server:
        port = server.address.rpartition(":")[2]
        tls = Tls(
            ca=tmp_path / "ca.pem",
            client_cert=tmp_path / "client.pem",
            client_key=tmp_path / "client.key",
        )
        with Client(f"https://localhost:{port}", tls=tls) as desk:
            assert desk.info().corpus.document_count == 0
        with pytest.raises(CopydeskError, match="without TLS"):
            Client(f"http://localhost:{port}", tls=tls)


@pytest.mark.parametrize("server", ["ftp://desk", "http://", "http://desk/path", "https://:7151"])
def test_an_address_that_is_none_is_said_to_be_none(server: str) -> None:
    with pytest.raises(CopydeskError, match="is not an address"):
        Client(server)
