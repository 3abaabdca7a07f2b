"""Operations: declare a method of a path once for routing, validation, authorisation and the OpenAPI document.

An operation names the permission that it `needs`, or declares itself `public` (tests/architecture/test_operations.py
lists those).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any, Generic, Literal, Required, TypedDict, Unpack, overload

import falcon
import msgspec

from functions.http.reading import Incoming
from models.identity.rules import Permission, Principal
from models.kernel.errors import BadRequest, PreconditionFailed, PreconditionRequired

if TYPE_CHECKING:
    # Only the type checker needs the defaults (PEP 696); `typing.TypeVar` has them from Python 3.13 on.
    from typing_extensions import TypeVar

    B = TypeVar("B", default=None)
    Q = TypeVar("Q", default=None)
else:
    from typing import TypeVar

    B = TypeVar("B")
    Q = TypeVar("Q")

_ETAG = re.compile(r'(?:W/)?"([!#-~]*)"')
# RFC 9110, section 13.1.1.
IF_MATCH = r'^(?:\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*)$'
_IF_MATCH = re.compile(IF_MATCH)
# A version is a 32-bit integer.
_VERSION_DIGITS_MAX = 9


@dataclass(slots=True)
class Call(Generic[B, Q]):
    """One request as a handler receives it.

    `Call[Body, Query]` has the types that the operation declares; None: it declares none.

    A `raw` operation reads its body itself from `incoming`, after it has authenticated the caller.
    """

    request: falcon.Request
    params: Mapping[str, str]
    incoming: Incoming
    principal: Principal | None
    body: B
    query: Q
    client: str = "unknown"
    raw_body: bytes = b""

    @property
    def caller(self) -> Principal:
        """The authenticated caller. Only an operation that is not public may ask."""
        assert self.principal is not None
        return self.principal

    def expected_version(self) -> int | None:
        """The version in If-Match; None for `*`.

        Raises PreconditionRequired without the header, BadRequest for a malformed one, PreconditionFailed when no ETag
        in it is ours.
        """
        text = self.request.get_header("If-Match")
        if text is None:
            raise PreconditionRequired()
        text = text.strip()
        if text == "*":
            return None
        if _IF_MATCH.fullmatch(text) is None:
            raise BadRequest('If-Match: expected * or the ETag of the resource, such as "3"')
        tags = _ETAG.findall(text)
        ours = [tag for tag in tags if tag.isdigit() and len(tag) <= _VERSION_DIGITS_MAX]
        if not ours:
            raise PreconditionFailed("The ETag in If-Match was not issued by this API; read the resource again.")
        if len(ours) > 1:
            raise BadRequest(f"If-Match: expected one ETag, found {len(ours)}")
        return int(ours[0])

    def knows(self, etag: str) -> bool:
        """Return True if If-None-Match names the ETag, given with its quotes, or is `*` (RFC 9110, section 13.1.2)."""
        text = (self.request.get_header("If-None-Match") or "").strip()
        return text == "*" or etag.strip('"') in _ETAG.findall(text)

    def optional_version(self) -> int | None:
        """The version in If-Match; None for `*` and without the header."""
        return None if self.request.get_header("If-Match") is None else self.expected_version()


AnyCall = Call[Any, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of an operation. `body` is a Struct, a dict, a list or None; `raw` is sent unchanged, with
    `content_type`.

    `stream` yields `stream_bytes` bytes in pieces; the server closes it. `cookies` are values of Set-Cookie.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"
    stream: Iterator[bytes] | None = None
    stream_bytes: int = 0
    cookies: tuple[str, ...] = ()


AnyHandler = Callable[[AnyCall], Answer]


class Cost(StrEnum):
    """The class of cost of an operation; a caller has a quota for each (functions/http/quotas.py)."""

    read = "read"
    write = "write"
    heavy = "heavy"  # seconds of a core, or the whole data of a person
    public = "public"  # without a caller: counts for the network
    free = "free"  # probes, and providers whose events must not be refused


class Idempotency(StrEnum):
    """The way in which a writing operation treats an Idempotency-Key."""

    honoured = auto()  # the framework stores the response: in the operation's transaction, or after an `unlocked` one
    refused = auto()  # the response holds a secret that must not be stored
    handler = auto()  # the handler takes the key in the transaction of its effect
    unneeded = auto()  # a repeat has no second effect by itself, and the caller is no client of the API


class Declaration(TypedDict, total=False):
    """The keyword arguments of `Operations.add` besides `body` and `query`; `Operation` explains them."""

    summary: Required[str]
    answers: Required[Mapping[int, Any]]
    needs: Permission | None
    public: bool
    problems: tuple[int, ...]
    body_bytes_max: int
    raw: str | None
    etag: bool | Literal["optional"]
    unlocked: bool
    idempotency: Idempotency
    recent: bool
    media_type: str
    path_patterns: Mapping[str, str]
    cost: Cost | None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path.

    `answers`: status -> type of the body (None: no body). `problems`: error statuses besides those that every operation
    has. `raw`: the media type of a body that the handler reads as bytes from `call.incoming`. `etag`: If-Match is
    required, or honoured when the caller sends it ("optional"). `unlocked`: the handler opens its own transactions; any
    other writing operation runs in one transaction. `idempotency`: the effect of an Idempotency-Key. `recent`: a
    user must have proved the password in the last `limits.reauthentication_s`. `media_type`: of an answer declared as
    `str` (text) or `bytes`. `path_patterns`: the regular expressions of path parameters that the handler checks, for
    the OpenAPI document. `cost`: the class of cost; by default it follows from the method and `public`.
    """

    method: str
    path: str
    handler: AnyHandler
    summary: str
    answers: Mapping[int, Any]
    needs: Permission | None = None
    public: bool = False
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    problems: tuple[int, ...] = ()
    body_bytes_max: int = 0
    raw: str | None = None
    etag: bool | Literal["optional"] = False
    unlocked: bool = False
    idempotency: Idempotency = Idempotency.honoured
    recent: bool = False
    media_type: str = "text/plain"
    path_patterns: Mapping[str, str] = field(default_factory=dict)
    cost: Cost | None = None

    @property
    def charged(self) -> Cost:
        """The class of cost that a request counts for."""
        if self.cost is not None:
            return self.cost
        if self.public:
            return Cost.public
        return Cost.write if self.writes else Cost.read

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH", "DELETE")


# Types a handler's parameter by the body and query of its declaration.
_Register = Callable[[Callable[[Call[B, Q]], Answer]], Callable[[Call[B, Q]], Answer]]


class Operations:
    """The operations of one function. Decorators in its modules collect them.

    `parameters`: descriptions of path and query parameters by name; `examples`: values of members of bodies by name;
    `groups`: name and description of a group by the first word of its paths. All are for the OpenAPI document.
    """

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        examples: Mapping[str, Any] | None = None,
        groups: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        self.all: list[Operation] = []
        self.parameters = dict(parameters or {})
        self.examples = dict(examples or {})
        self.groups = dict(groups or {})

    @overload
    def add(self, method: str, path: str, **declared: Unpack[Declaration]) -> _Register[None, None]: ...

    @overload
    def add(self, method: str, path: str, *, body: type[B], **declared: Unpack[Declaration]) -> _Register[B, None]: ...

    @overload
    def add(self, method: str, path: str, *, query: type[Q], **declared: Unpack[Declaration]) -> _Register[None, Q]: ...

    @overload
    def add(
        self, method: str, path: str, *, body: type[B], query: type[Q], **declared: Unpack[Declaration]
    ) -> _Register[B, Q]: ...

    def add(
        self,
        method: str,
        path: str,
        *,
        body: type[Any] | None = None,
        query: type[Any] | None = None,
        **declared: Unpack[Declaration],
    ) -> Callable[[AnyHandler], AnyHandler]:
        """Declare an operation; the decorated function handles it. `Operation` explains the arguments."""

        def register(handler: AnyHandler) -> AnyHandler:
            operation = Operation(method=method, path=path, handler=handler, body=body, query=query, **declared)
            assert operation.public or operation.needs is not None or operation.unlocked, (
                f"{method} {path} has no guard and is not declared public"
            )
            assert operation.raw is None or operation.unlocked, (
                f"{method} {path} reads its body itself, so it opens its transactions itself"
            )
            assert operation.raw is None or operation.idempotency is not Idempotency.honoured, (
                f"{method} {path} reads its body itself, so only its handler can honour an Idempotency-Key"
            )
            self.all.append(operation)
            return handler

        return register
