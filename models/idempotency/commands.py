"""Take a key, and store the answer under it. Both join the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass

from models.idempotency.tables import IdempotencyKey
from models.kernel import clock
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.kernel.storage.batch import as_json


class IdempotencyKeyReused(Conflict):
    """This Idempotency-Key was used for another request; use a new key for a new request."""

    code = "idempotency_key_reused"


class IdempotencyKeyInUse(Conflict):
    """The request with this Idempotency-Key is running, or its outcome is unknown; look, then use a new key."""

    code = "idempotency_key_in_use"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that the first request got."""

    status: int
    headers: dict[str, str]
    body: str


def take(principal: str, key: str, *, request_hash: str) -> StoredAnswer | None:
    """Take the key for this request: None when it is new, the stored answer when it is a repeat.

    A second request with the same key waits for the first one's transaction at the primary key.
    Raises IdempotencyKeyReused when the key belongs to another request, IdempotencyKeyInUse when the first request has
    stored no answer.
    """
    taken = database.one(
        "INSERT INTO idempotency_keys (principal, key, request_hash, headers, created_at)"
        " VALUES (:principal, :key, :hash, '{}', :now) ON CONFLICT (principal, key) DO NOTHING RETURNING key",
        principal=principal,
        key=key,
        hash=request_hash,
        now=clock.now(),
    )
    if taken is not None:
        return None
    row = database.one(
        "SELECT request_hash, status, headers, body FROM idempotency_keys WHERE principal = :principal AND key = :key",
        principal=principal,
        key=key,
    )
    assert row is not None, "the key that was there a moment ago is kept for a day"
    if row["request_hash"] != request_hash:
        raise IdempotencyKeyReused()
    if row["status"] == _NO_ANSWER:
        raise IdempotencyKeyInUse()
    return StoredAnswer(row["status"], IdempotencyKey.converted(row)["headers"], row["body"])


_NO_ANSWER = 0  # the default of the column: the key is taken, and no answer is stored


def release(principal: str, key: str) -> None:
    """Give back a key whose request failed."""
    database.execute(
        "DELETE FROM idempotency_keys WHERE principal = :principal AND key = :key", principal=principal, key=key
    )


def store(principal: str, key: str, answer: StoredAnswer) -> None:
    """Keep the answer under a key that `take` has just taken."""
    database.execute(
        "UPDATE idempotency_keys SET status = :status, headers = :headers, body = :body WHERE principal ="
        " :principal AND key = :key",
        principal=principal,
        key=key,
        status=answer.status,
        headers=as_json(answer.headers),
        body=answer.body,
    )
