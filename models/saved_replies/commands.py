"""Create, read, update and delete saved replies. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import peewee

from models.audit.actions import AuditAction
from models.definitions import desk
from models.infomodel import published
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.saved_replies.reach import Reach, Scope
from models.saved_replies.shared_texts import SharedTexts
from models.saved_replies.tables import SavedReply
from models.workflow import templates

# -- limits ----------------------------------------------------------------------------------------------------
saved_replies_max = (
    5_000  # of a desk, each by people and by files; a list of more is a knowledge base, which wants a search of its own
)
uses_named_max = 5  # saved replies that one message names; more are not read by anybody

# Variables of a life cycle's templates that a person's text has no value for.
_NOT_HERE = ("event.", "rating.")
VARIABLES: dict[str, str] = {
    **{path: text for path, text in templates.VARIABLES.items() if not path.startswith(_NOT_HERE)},
    "agent.name": "who writes",
}


class ShortcutTaken(Conflict):
    """Another saved reply with the same readers has this shortcut."""

    code = "shortcut_taken"


class TooManySavedReplies(Conflict):
    """The desk has too many saved replies; delete some."""

    code = "too_many_saved_replies"


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The content of a saved reply."""

    name: str
    folder: str
    shortcut: str | None
    scope: Scope
    team: str | None
    texts: Mapping[str, str]
    body_format: str


class SavedReplyRow(TypedDict):
    """A stored saved reply."""

    id: UUID
    name: str
    folder: str
    shortcut: str | None
    scope: str
    user_id: UUID | None
    team: str | None
    texts: dict[str, str]
    body_format: str
    definition: str | None
    uses: int
    last_used_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


def problems(texts: Mapping[str, str], place: str, fields: set[str] | None = None) -> list[FieldProblem]:
    """Return what is wrong with the texts of a saved reply, by language. `fields`: the names of the fields that tickets
    have; without them, those that are published.
    """
    found = list(desk.label_problems(place.replace("/", "."), texts))
    if found:
        return [FieldProblem(one.path.replace(".", "/"), one.message) for one in found]
    if fields is None:
        fields = {name for model in published.all_models() for name in model.fields}
    for language, text in texts.items():
        for wrong in templates.problems(text, fields, known=VARIABLES):
            where = f"line {wrong.line}: " if wrong.line else ""
            found.append(FieldProblem(f"{place}/{language}", where + wrong.message))
    return found


_REPLIES = SharedTexts(SavedReply, SavedReplyRow, "saved reply", "saved_reply")


def get(reply_id: UUID, reach: Reach) -> SavedReplyRow:
    """Return a saved reply that the caller sees. Raises NotFound."""
    return _REPLIES.get(reply_id, reach)


def page(
    reach: Reach,
    *,
    folder: str | None = None,
    shortcut: str | None = None,
    text: str | None = None,
    after: tuple[str, str, UUID] | None,
    limit: int,
) -> list[SavedReplyRow]:
    """Return the saved replies that a caller sees, by folder and name, after a position (folder, name, id).

    `text`: a part of the name.
    """
    wanted = []
    if folder is not None:
        wanted.append(SavedReply.folder == folder)
    if shortcut is not None:
        wanted.append(SavedReply.shortcut == shortcut)
    if text:
        wanted.append(SavedReply.name.contains(text))
    return _REPLIES.page(reach, wanted, after=after, limit=limit)


def create(text: ReplyText, reach: Reach) -> SavedReplyRow:
    """Store a new saved reply. Raises Invalid, Forbidden, ShortcutTaken, TooManySavedReplies."""
    reach.check(text.scope, text.team)
    _check_texts(text)
    advisory_lock("saved_replies")  # counts, compares and inserts; otherwise two requests pass the bound together
    if _REPLIES.count() >= saved_replies_max:
        raise TooManySavedReplies(f"expected at most {saved_replies_max} saved replies; delete some")
    user_id = reach.user_id if text.scope is Scope.own else None
    _check_shortcut(text, user_id, but=None)
    return _REPLIES.insert(_columns(text, user_id), reach, AuditAction.saved_reply_created)


def update(reply_id: UUID, text: ReplyText, reach: Reach, *, expected_version: int | None) -> SavedReplyRow:
    """Replace a saved reply.

    Raises NotFound, Invalid, Forbidden, ShortcutTaken, PreconditionFailed, PublishedFromFile.
    """
    version = _REPLIES.hold(reply_id, reach, expected_version=expected_version)
    reach.check(text.scope, text.team)
    _check_texts(text)
    advisory_lock("saved_replies")
    user_id = reach.user_id if text.scope is Scope.own else None
    _check_shortcut(text, user_id, but=reply_id)
    return _REPLIES.replace(reply_id, version, _columns(text, user_id), reach, AuditAction.saved_reply_updated)


def delete(reply_id: UUID, reach: Reach) -> None:
    """Delete a saved reply. Messages that were written with it stay. Raises NotFound, Forbidden, PublishedFromFile."""
    _REPLIES.delete(reply_id, reach, AuditAction.saved_reply_deleted)


def count_use(reply_ids: Collection[UUID], reach: Reach) -> None:
    """Count that a message was written with saved replies. Raises Invalid for one that the caller does not see."""
    seen = SavedReply.select(SavedReply.id).where(SavedReply.id.in_(list(reply_ids)), reach.condition(SavedReply))
    unknown = set(reply_ids) - {row["id"] for row in database.rows(seen)}
    if unknown:
        raise Invalid([FieldProblem("/saved_replies", f"there is no saved reply {min(map(str, unknown))}")])
    _REPLIES.count_use(reply_ids)


def _check_texts(text: ReplyText) -> None:
    if found := problems(text.texts, "/texts"):
        raise Invalid(found)


def _check_shortcut(text: ReplyText, user_id: UUID | None, *, but: UUID | None) -> None:
    if text.shortcut is None:
        return
    same = SavedReply.select(SavedReply.name).where(
        SavedReply.shortcut == text.shortcut, SavedReply.scope == text.scope
    )
    same = same.where(SavedReply.user_id == user_id) if user_id is not None else same
    same = same.where(SavedReply.team == text.team) if text.team is not None else same
    same = same.where(SavedReply.id != but) if but is not None else same
    for row in database.rows(same):
        raise ShortcutTaken(f"The saved reply {row['name']!r} has the shortcut {text.shortcut}.")


def _columns(text: ReplyText, user_id: UUID | None) -> dict[peewee.Field, object]:
    return {
        SavedReply.name: text.name,
        SavedReply.folder: text.folder,
        SavedReply.shortcut: text.shortcut,
        SavedReply.scope: str(text.scope),
        SavedReply.user_id: user_id,
        SavedReply.team: text.team,
        SavedReply.texts: dict(text.texts),
        SavedReply.body_format: text.body_format,
    }
