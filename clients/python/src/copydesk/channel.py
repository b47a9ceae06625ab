"""Where a server is, and what is shown to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc

from copydesk.errors import CopydeskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_SERVER = "http://127.0.0.1:7151"
_ANSWER_BYTES = 64 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Tls:
    """Files in PEM. Without `ca`, the server's certificate has to be of a public authority."""

    ca: str | os.PathLike[str] | None = None
    """The authority that the server's certificate has to be of."""
    client_cert: str | os.PathLike[str] | None = None
    """Our own certificate, if the server asks for one."""
    client_key: str | os.PathLike[str] | None = None
    """The key of that certificate."""


@dataclass(frozen=True)
class Connection:
    """Where to connect to, and how."""

    target: str
    credentials: grpc.ChannelCredentials | None
    metadata: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, int]]


def connection(server: str | None, token: str | None, tls: Tls | None) -> Connection:
    """Reads an address such as `http://127.0.0.1:7151`, by default that of `COPYDESK_SERVER`.

    Without a scheme, `https` is meant where `tls` is given, else `http`.
    """
    server = server or os.environ.get("COPYDESK_SERVER") or DEFAULT_SERVER
    token = token or os.environ.get("COPYDESK_TOKEN")
    url = server if "://" in server else f"{'http' if tls is None else 'https'}://{server}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise CopydeskError(f"{server!r} is not an address of a server; give {DEFAULT_SERVER!r}")
    if parts.scheme == "http" and tls is not None:
        raise CopydeskError(f"{server!r} is without TLS, and tls is given; write https://")
    options = [
        ("grpc.max_receive_message_length", _ANSWER_BYTES),
        # A server that was restarted is found again soon.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5_000),
    ]
    if parts.hostname in _LOOPBACK:
        # gRPC would go to this machine through a proxy, too.
        options.append(("grpc.enable_http_proxy", 0))
    default_port = 443 if parts.scheme == "https" else 80
    target = parts.netloc if parts.port else f"{parts.netloc}:{default_port}"
    return Connection(
        target=target,
        credentials=_credentials(tls or Tls()) if parts.scheme == "https" else None,
        metadata=[("authorization", f"Bearer {token}")] if token else [],
        options=options,
    )


def sequence_of(headers: Iterable[tuple[str, str | bytes]] | None) -> int | None:
    """What a standing question goes on after until there is an answer, by response headers."""
    found = dict(headers or ()).get("copydesk-sequence")
    return None if found is None else int(found)


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(tls.ca),
        private_key=_read(tls.client_key),
        certificate_chain=_read(tls.client_cert),
    )


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
