"""Operations: what an address takes and gives, declared once for routing, validation, authorisation and OpenAPI.

An operation without `needs` must say `public`; a test holds that (invariant 9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import falcon
import msgspec

from functions.http.reading import Incoming
from models.identity.rules import Permission, Principal
from models.kernel.errors import BadRequest, PreconditionFailed, PreconditionRequired

_ETAG = re.compile(r'(?:W/)?"([!#-~]*)"')
IF_MATCH = r'^(?:\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*)$'  # RFC 9110, 13.1.1
_IF_MATCH = re.compile(IF_MATCH)
_VERSION_DIGITS_MAX = 9  # a version is a 32-bit integer


@dataclass(slots=True)
class Call:
    """One request as an operation sees it. `body` and `query` are of the declared types.

    An operation that takes its body `raw` reads it itself, from `incoming`, when it knows who calls.
    """

    request: falcon.Request
    params: Mapping[str, str]
    incoming: Incoming
    principal: Principal | None
    client: str = "unknown"
    body: Any = None
    query: Any = None
    raw_body: bytes = b""

    @property
    def caller(self) -> Principal:
        """Who calls; only for operations that are not public."""
        assert self.principal is not None
        return self.principal

    def expected_version(self) -> int | None:
        """The version in If-Match; None for `*`.

        Raises PreconditionRequired without the header, BadRequest for what is no ETag, PreconditionFailed when none of them can be ours.
        """
        text = self.request.get_header("If-Match")
        if text is None:
            raise PreconditionRequired()
        text = text.strip()
        if text == "*":
            return None
        if _IF_MATCH.fullmatch(text) is None:
            raise BadRequest('If-Match: expected * or the ETag that you read, such as "3"')
        tags = _ETAG.findall(text)
        ours = [tag for tag in tags if tag.isdigit() and len(tag) <= _VERSION_DIGITS_MAX]
        if not ours:
            raise PreconditionFailed("this ETag is none that we gave; read the resource again")
        if len(ours) > 1:
            raise BadRequest("If-Match: expected the one ETag that you read last")
        return int(ours[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers. `body` is a Struct, a dict, a list or None; `raw` is sent as it is, with `content_type`.

    `stream` gives pieces that are sent as they come, `stream_bytes` in all; it is closed by who sends it.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"
    stream: Iterator[bytes] | None = None
    stream_bytes: int = 0


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    summary: str
    needs: Permission | None
    public: bool
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    answers: Mapping[int, Any]
    problems: tuple[int, ...]
    body_bytes_max: int
    raw: str | None
    optional_body: bool
    etag: bool | Literal["optional"]
    unlocked: bool
    media_type: str

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH", "DELETE")


class Operations:
    """The operations of one function, collected by decorators in its modules."""

    def __init__(self) -> None:
        self.all: list[Operation] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        answers: Mapping[int, Any],
        needs: Permission | None = None,
        public: bool = False,
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] | None = None,
        problems: tuple[int, ...] = (),
        body_bytes_max: int = 0,
        raw: str | None = None,
        optional_body: bool = False,
        etag: bool | Literal["optional"] = False,
        unlocked: bool = False,
        media_type: str = "text/plain",
    ) -> Callable[[Handler], Handler]:
        """Declare an operation.

        `answers`: status -> type of the body (None: no body). `problems`: error statuses beside the usual ones. `raw`: the handler
        reads the body as bytes of this media type from `call.incoming`, after it has authenticated the caller. `etag`: needs
        If-Match, or honours it when it is sent ("optional"). `unlocked`: opens its own transactions (no Idempotency-Key); for
        everything else a writing operation runs in one transaction. `media_type`: of an answer declared as `str` (text) or `bytes`.
        """

        def register(handler: Handler) -> Handler:
            assert public or needs is not None or unlocked, f"{method} {path} has no guard and is not declared public"
            assert raw is None or unlocked, (
                f"{method} {path} reads its body itself, so it opens its transactions itself"
            )
            self.all.append(
                Operation(
                    method,
                    path,
                    handler,
                    summary,
                    needs,
                    public,
                    body,
                    query,
                    answers,
                    problems,
                    body_bytes_max,
                    raw,
                    optional_body,
                    etag,
                    unlocked,
                    media_type,
                )
            )
            return handler

        return register
