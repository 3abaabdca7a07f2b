"""Read, store and delete signatures. Commands join the caller's transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict
from uuid import UUID

from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.storage import database
from models.saved_replies import commands as saved_replies
from models.signatures.tables import Signature

# -- limits ----------------------------------------------------------------------------------------------------
signature_chars_max = 2_000  # of each language; longer than a letterhead with legal notices, and it goes into each mail
remembered_s = 5.0  # for which a process remembers that the desk has no signature; the first one may come so late

OwnerKind = Literal["user", "team"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a signature: a user by id, or a team by name."""

    kind: OwnerKind
    name: str

    @classmethod
    def user(cls, user_id: UUID) -> Owner:
        return cls("user", str(user_id))

    @classmethod
    def team(cls, name: str) -> Owner:
        return cls("team", name)


class SignatureRow(TypedDict):
    """A stored signature."""

    owner_kind: OwnerKind
    owner: str
    texts: dict[str, str]
    body_format: str
    version: int
    updated_at: datetime


def get(owner: Owner) -> SignatureRow:
    """Return the signature of an owner. Raises NotFound."""
    for row in database.rows_as(SignatureRow, Signature.select().where(*_is(owner))):
        return row
    raise NotFound(f"the {owner.kind} has no signature")


def for_reply(user_id: str | None, team: str | None) -> SignatureRow | None:
    """Return the signature of a reply: that of its author, else that of the ticket's team, else None."""
    if user_id is None or not _memory.any():
        return None
    owners = [Owner("user", user_id)] + ([Owner.team(team)] if team is not None else [])
    wanted = (Signature.owner_kind == "user") & (Signature.owner == user_id)
    if team is not None:
        wanted |= (Signature.owner_kind == "team") & (Signature.owner == team)
    rows = database.rows_as(SignatureRow, Signature.select().where(wanted))
    found = {(row["owner_kind"], row["owner"]): row for row in rows}
    return next((found[one.kind, one.name] for one in owners if (one.kind, one.name) in found), None)


def store(owner: Owner, texts: Mapping[str, str], body_format: str) -> SignatureRow:
    """Store the signature of an owner. Raises Invalid."""
    found = saved_replies.problems(texts, "/texts")
    found += [
        FieldProblem(f"/texts/{language}", f"expected at most {signature_chars_max} characters, found {len(text)}")
        for language, text in texts.items()
        if len(text) > signature_chars_max
    ]
    if found:
        raise Invalid(found)
    values = {
        Signature.texts: dict(texts),
        Signature.body_format: body_format,
        Signature.updated_at: clock.now(),
    }
    fixed = {Signature.owner_kind: owner.kind, Signature.owner: owner.name, Signature.version: 1}
    Signature.insert({**fixed, **values}).on_conflict(
        conflict_target=[Signature.owner_kind, Signature.owner],
        update={**values, Signature.version: Signature.version + 1},
    ).execute()
    database.on_commit(_memory.forget)
    return get(owner)


def delete(owner: Owner) -> None:
    """Delete the signature of an owner, if there is one."""
    Signature.delete().where(*_is(owner)).execute()


def _is(owner: Owner) -> tuple[object, object]:
    return (Signature.owner_kind == owner.kind, Signature.owner == owner.name)


class _Memory:
    """The cached answer to the question if the desk has a signature. A desk without one must not pay for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found, self._until = False, 0.0

    def any(self) -> bool:
        with self._lock:
            if self._found or time.monotonic() < self._until:
                return self._found
        asked_at = time.monotonic()
        found = bool(database.run("SELECT 1 AS found FROM signatures LIMIT 1"))
        with self._lock:
            self._found, self._until = found, asked_at + remembered_s
        return found

    def forget(self) -> None:
        with self._lock:
            self._found, self._until = False, 0.0


_memory = _Memory()


def forget() -> None:
    """Empty the cache, in tests that change databases."""
    _memory.forget()
