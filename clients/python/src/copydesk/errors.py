"""What goes wrong, as exceptions.

Every one of them is a `CopydeskError`; what a server refuses is an `ApiError`, with a class for
each status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.any_pb2 import Any

    from copydesk.v1.corpus_pb2 import IngestError

_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"
# What grpc.aio makes, at times, of a connection that ends during a write
# (https://github.com/grpc/grpc/issues/36066). Where a server says INTERNAL, it says more.
_BROKEN_OFF = "Internal error from Core"


class CopydeskError(Exception):
    """What goes wrong with Copydesk."""


@dataclass(frozen=True)
class Violation:
    """A field that is wrong, and how to mend it."""

    field: str
    """Path of the field, e.g. `document.paragraphs[3]`."""
    description: str


class ApiError(CopydeskError):
    """What a server, or the way to it, answered in place of what was asked for."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        violations: Iterable[Violation] = (),
        retry_delay: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        """For machines, e.g. `OVERLOADED`; empty where the server did not speak itself."""
        self.violations = tuple(violations)
        self.retry_delay = retry_delay
        """Seconds after which the server says that it is worth another try."""
        self.request_id = request_id
        """Stands in the server's log beside what it has to tell about the request."""


class InvalidArgument(ApiError):  # noqa: N818
    """The request is wrong; `violations` names the fields."""


class NotFound(ApiError):  # noqa: N818
    """There is no such document, passage or story."""


class AlreadyExists(ApiError):  # noqa: N818
    """There is one of that name already."""


class FailedPrecondition(ApiError):  # noqa: N818
    """Not as things stand, e.g. a document that is past its retention."""


class OutOfRange(ApiError):  # noqa: N818
    """A standing question cannot go on from so long ago."""


class Unauthenticated(ApiError):  # noqa: N818
    """The server wants a token that it knows."""


class PermissionDenied(ApiError):  # noqa: N818
    """The token is not enough for this."""


class ResourceExhausted(ApiError):  # noqa: N818
    """The server is full; with a `retry_delay`, for now."""


class Unavailable(ApiError):  # noqa: N818
    """The server is not there, or not ready."""


class DeadlineExceeded(ApiError):  # noqa: N818
    """There was no answer in time."""


class Unimplemented(ApiError):  # noqa: N818
    """The server does not do this, e.g. fetch pages."""


_CLASSES: dict[grpc.StatusCode, type[ApiError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
}
_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def from_rpc_error(error: grpc.RpcError) -> ApiError:
    """What a call raised, with the details that its trailers hold."""
    call = cast("grpc.Call", error)
    code = call.code()
    if code is grpc.StatusCode.INTERNAL and call.details() == _BROKEN_OFF:
        code = grpc.StatusCode.UNAVAILABLE
    trailers = {str(key): value for key, value in call.trailing_metadata() or ()}
    status = trailers.get(_DETAILS, b"")
    details = Status.FromString(status if isinstance(status, bytes) else status.encode()).details
    request_id = trailers.get(_REQUEST_ID, "")
    info, delay = ErrorInfo(), RetryInfo()
    _unpack(details, info)
    known_delay = _unpack(details, delay) and delay.HasField("retry_delay")
    bad = BadRequest()
    _unpack(details, bad)
    return _CLASSES.get(code, ApiError)(
        code,
        call.details() or "",
        reason=info.reason,
        violations=[Violation(one.field, one.description) for one in bad.field_violations],
        retry_delay=delay.retry_delay.ToTimedelta().total_seconds() if known_delay else None,
        request_id=request_id if isinstance(request_id, str) else request_id.decode(),
    )


def from_ingest_error(error: IngestError) -> ApiError:
    """Why one document of a stream was refused."""
    code = _BY_NUMBER.get(error.code, grpc.StatusCode.UNKNOWN)
    known_delay = error.HasField("retry_delay")
    return _CLASSES.get(code, ApiError)(
        code,
        error.message,
        reason=error.reason,
        violations=[Violation(one.field, one.description) for one in error.violations],
        retry_delay=error.retry_delay.ToTimedelta().total_seconds() if known_delay else None,
    )


def _unpack(details: Iterable[Any], message: ErrorInfo | RetryInfo | BadRequest) -> bool:
    return any(detail.Unpack(message) for detail in details)
