"""The texts of a person who leaves: own saved replies, own macros, the signature and drafts.

Saved replies and macros are work that a colleague can go on with. A signature has the person's name, and a draft is a
text that its author has not decided to send, so nobody else gets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.drafts.tables import Draft
from models.macros.tables import Macro
from models.saved_replies.reach import Scope
from models.saved_replies.tables import SavedReply
from models.signatures import commands as signatures
from models.signatures.commands import Owner
from models.signatures.tables import Signature


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """The numbers of a user's own texts."""

    saved_replies: int
    macros: int
    signatures: int = 0
    drafts: int = 0


def of_user(user_id: UUID) -> OwnTexts:
    """Count the own texts of a user."""
    return OwnTexts(*(table.select().where(condition).count() for table, condition in _own(user_id)))


def give_all(user_id: UUID, to: UUID) -> OwnTexts:
    """Give the own saved replies and macros of a user to another one. Joins the caller's transaction.

    A saved reply whose shortcut the receiver uses loses its shortcut.
    """
    (replies, of_replies), (macros, of_macros), *_ = _own(user_id)
    used = [row.shortcut for row in SavedReply.select(SavedReply.shortcut).where(_own(to)[0][1]) if row.shortcut]
    if used:
        SavedReply.update(shortcut=None).where(of_replies, SavedReply.shortcut.in_(used)).execute()
    given = [
        table.update(user_id=to).where(own).execute() for table, own in ((replies, of_replies), (macros, of_macros))
    ]
    return OwnTexts(*map(int, given))


def remove_all(user_id: UUID) -> OwnTexts:
    """Delete the own texts of a user; return their numbers. Joins the caller's transaction."""
    found = of_user(user_id)
    signatures.delete(Owner.user(user_id))
    for table, condition in _own(user_id):
        table.delete().where(condition).execute()
    return found


def _own(user_id: UUID) -> list[tuple[Any, Any]]:
    """Return the tables of own texts with the condition of a user's rows, in the order of `OwnTexts`."""
    return [
        (SavedReply, (SavedReply.scope == Scope.own) & (SavedReply.user_id == user_id)),
        (Macro, (Macro.scope == Scope.own) & (Macro.user_id == user_id)),
        (Signature, (Signature.owner_kind == "user") & (Signature.owner == str(user_id))),
        (Draft, Draft.user_id == user_id),
    ]
