"""The messages between a worker and its parser's child, in MessagePack by declared types.

The child reads bytes that strangers chose. With pickle, a child that they took over could run any code in the worker by
its answer; with declared types an answer is data.
"""

from __future__ import annotations

import builtins
from typing import get_args

import msgspec

from models.channels.accounts import ChannelAccount
from models.kernel import errors
from models.ports.inbound import Parsed, Unparseable

_TYPES = {kind.__name__: kind for kind in get_args(Parsed)}
_ERRORS: dict[str, type[Exception]] = {
    **{
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.NestorError) and kind is not errors.Invalid
    },
    "Unparseable": Unparseable,
}


class ParserFailed(Exception):
    """The parser raised an exception that the worker does not know."""


class Request(msgspec.Struct, array_like=True):
    """An event to parse. `derived`: values that the parser needs and that come from SECRET_KEY, which the child does
    not have.
    """

    channel: str
    raw: bytes
    envelope: dict[str, str]
    account: ChannelAccount
    derived: dict[str, str]


class _Answer(msgspec.Struct, array_like=True):
    """The result's type and the encoded result; or the exception's name and its message."""

    kind: str
    value: bytes = b""
    raised: str | None = None


def request_bytes(request: Request) -> bytes:
    """Encode a request."""
    return msgspec.msgpack.encode(request)


def request_of(content: bytes) -> Request:
    """Decode a request."""
    return msgspec.msgpack.decode(content, type=Request)


def parsed_bytes(parsed: Parsed) -> bytes:
    """Encode a result of the parser."""
    return msgspec.msgpack.encode(_Answer(type(parsed).__name__, msgspec.msgpack.encode(parsed)))


def raised_bytes(error: Exception) -> bytes:
    """Encode an exception of the parser: its name and its message."""
    name = type(error).__name__
    known = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ERRORS), name)
    return msgspec.msgpack.encode(_Answer(known, raised=str(error)[:2_000]))


def result_of(content: bytes) -> Parsed:
    """Return the child's result, or raise its exception.

    Raises ParserFailed for an exception that this process does not know, and for an answer of another form.
    """
    try:
        answer = msgspec.msgpack.decode(content, type=_Answer)
        if answer.raised is None and answer.kind in _TYPES:
            parsed: Parsed = msgspec.msgpack.decode(answer.value, type=_TYPES[answer.kind])
            return parsed
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ParserFailed("the parser's child sent no answer that can be read") from error
    raise _exception(answer.kind, answer.raised or "")


def _exception(name: str, message: str) -> Exception:
    kind = _ERRORS.get(name) or getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:  # an exception that is constructed from more than a message
            return ParserFailed(f"{name}: {message}")
    return ParserFailed(f"{name}: {message}")
