"""The operators of a search with their values, for suggestions while somebody types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from models.ticket_lists import known

_CATEGORIES: Final = ("todo", "waiting", "done", "closed")
_OTHERS: Final[Mapping[str, Sequence[str]]] = {
    "is": ("open", "unread", "unanswered", "unassigned", "mine", "failed", "breached", "snoozed", "spam", "deleted"),
    "assignee": ("me", "none"),
    "category": _CATEGORIES,
    "has": ("file",),
    "due": ("<1h", "<1d"),
    "created": ("today", ">-7d"),
    "updated": ("today", ">-7d"),
    "tag": (),
    "from": (),
}


def operators() -> dict[str, Sequence[str]]:
    """Return the operators of the search, each with the values that a person picks."""
    names = ("priority", "state", "type", "channel", "team", "account", "workflow")
    return {**_OTHERS, **{name: known.names_of(name) for name in names}}
