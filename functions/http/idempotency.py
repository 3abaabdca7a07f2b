"""Idempotency-Key of writing operations: the same key and request get the stored response, never a second effect."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import msgspec

from functions.http.operations import Answer, AnyCall, Idempotency, Operation
from models.idempotency import commands as idempotency
from models.kernel.errors import BadRequest
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import crash

_KEY = re.compile(r"^[\x21-\x7e]{1,200}$")


class IdempotencyKeyRefused(BadRequest):
    """This operation accepts no Idempotency-Key, because its response holds a secret that must not be stored."""

    code = "idempotency_key_refused"


def key_of(call: AnyCall, operation: Operation) -> str | None:
    """Return the key of a request, or None. Raises BadRequest for a malformed key, IdempotencyKeyRefused."""
    key = call.request.get_header("Idempotency-Key")
    if key is None or not operation.writes:
        return None
    if operation.idempotency is Idempotency.refused:
        raise IdempotencyKeyRefused()
    if operation.idempotency is not Idempotency.unneeded and not _KEY.match(key):
        raise BadRequest("Idempotency-Key: expected 1 to 200 visible ASCII characters")
    return key


def run(call: AnyCall, operation: Operation, config: Settings) -> Answer:
    """Run an operation, once for each key. An operation that is not `unlocked` runs in one transaction."""
    key = key_of(call, operation)
    if key is None or operation.idempotency in (Idempotency.unneeded, Idempotency.handler):
        return operation.handler(call) if operation.unlocked else _in_transaction(call, operation)
    if operation.unlocked:
        return _apart(call, operation, config, key)
    return _together(call, operation, config, key)


def _in_transaction(call: AnyCall, operation: Operation) -> Answer:
    with database.transaction():
        answer = operation.handler(call)
        crash.point("before_commit")
    crash.point("after_commit")
    return answer


def _together(call: AnyCall, operation: Operation, config: Settings, key: str) -> Answer:
    """Take the key, run the operation and store its response in one transaction."""
    principal = _principal(call)
    with database.transaction():
        stored = idempotency.take(principal, key, request_hash=fingerprint(call, config))
        if stored is not None:
            return _replayed(stored)
        answer = operation.handler(call)
        idempotency.store(principal, key, _kept(answer))
        crash.point("before_commit")
    crash.point("after_commit")
    return answer


def _apart(call: AnyCall, operation: Operation, config: Settings, key: str) -> Answer:
    """Run an operation with transactions of its own between that of the key and that of the response.

    A request that fails gives its key back. After a crash in between, the key is refused as in use for its day.
    """
    principal = _principal(call)
    with database.connection(), database.transaction():
        stored = idempotency.take(principal, key, request_hash=fingerprint(call, config))
    if stored is not None:
        return _replayed(stored)
    answer: Answer | None = None
    try:
        answer = operation.handler(call)
    finally:
        with database.connection(), database.transaction():
            if answer is None:
                idempotency.release(principal, key)
            else:
                idempotency.store(principal, key, _kept(answer))
    return answer


def _principal(call: AnyCall) -> str:
    return call.principal.key if call.principal is not None else "public"


def _replayed(stored: idempotency.StoredAnswer) -> Answer:
    headers = stored.headers | {"Idempotency-Replayed": "true"}
    return Answer(status=stored.status, headers=headers, raw=stored.body.encode())


def _kept(answer: Answer) -> idempotency.StoredAnswer:
    body = answer.raw if answer.raw is not None else encode(answer.body)
    return idempotency.StoredAnswer(answer.status, dict(answer.headers), body.decode())


def fingerprint(call: AnyCall, config: Settings, content: str | None = None) -> str:
    """Return a keyed hash of method, URL and body, which identifies a repeat of a request.

    `content` stands for a body that the handler has read itself. The hash is keyed because a body can contain a
    password, and a stolen plain hash allows an attacker to guess it.
    """
    request = call.request
    text = f"{request.method} {request.path}?{request.query_string}\n{request.get_header('If-Match') or ''}\n"
    body = call.raw_body if content is None else content.encode()
    return hmac.new(config.signing_key().encode(), text.encode() + body, hashlib.sha256).hexdigest()


def encode(body: Any) -> bytes:
    return b"" if body is None else msgspec.json.encode(body)
