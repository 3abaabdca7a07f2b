"""The ticket as a caller sees it: without the fields that the caller's role may not see.

Everything that shows a ticket to somebody uses this module: its representation, its history, its decisions, webhooks,
exports and posts of staff groups. A field keeps its guard when the ticket's type changes: the models of the former
types still guard it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.events.row_types import WholeEvent
from models.infomodel import published, values
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.tickets import ticket_fields
from models.tickets.tables import Ticket
from models.visibility.sight import Sight, sees, visible_ids

# The place of a text that would show a hidden value.
WITHHELD: Final = "withheld: it shows a field that you may not see"
# Paths of conditions that hold a whole ticket, all fields, or a value of a field that changed.
_OWNERS: Final = ("ticket", "requester", "organisation")
_WHOLE: Final = frozenset(("fields", *_OWNERS, *(f"{one}.fields" for one in _OWNERS), "event.before", "event.after"))
_PATH: Final = re.compile(r"(ticket\.|requester\.|organisation\.)?fields\.(\w+)")
_WHOLE_IN_WORDS: Final = re.compile(r"\b(?:fields|ticket|requester|organisation|event\.before|event\.after) is ")
# Events that name another ticket.
_LINKS: Final = frozenset(
    {
        "linked_ticket_made",
        "ticket_related",
        "ticket_merged",
        "ticket_merge_received",
        "ticket_merge_undone",
        "ticket_split",
        "ticket_split_from",
        "ticket_split_undone",
        "ticket_linked",
        "ticket_unlinked",
    }
)


@dataclass(frozen=True, slots=True)
class Guard:
    """The names of the fields of one ticket, of its requester and of their organisation, that a caller may not see."""

    hidden: frozenset[str]
    of_requester: frozenset[str] = frozenset()
    of_organisation: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ticket: Ticket, role: str) -> Guard:
        """The guard of a ticket's fields for a role."""
        return cls(
            ticket_fields.hidden(ticket.type, ticket.former_types, role),
            values.hidden(published.entity("requester"), role),
            values.hidden(published.entity("organisation"), role),
        )

    @property
    def is_open(self) -> bool:
        """Return True if the caller sees every field."""
        return not (self.hidden or self.of_requester or self.of_organisation)

    def fields(self, found: Mapping[str, Any]) -> JsonObject:
        """The visible ones of a ticket's fields."""
        return {name: value for name, value in found.items() if name not in self.hidden}

    def seen_values(self, found: Mapping[str, Any]) -> JsonObject:
        """The visible ones of the values that a condition read, by path."""
        return {path: value for path, value in found.items() if not self._shows(path)}

    def text(self, text: str) -> str:
        """A reason in words, or a word about its absence when it names a hidden field or shows a whole ticket."""
        if self.is_open:
            return text
        names = self.hidden | self.of_requester | self.of_organisation
        if _WHOLE_IN_WORDS.search(text) or not names.isdisjoint(re.findall(r"\w+", text)):
            return WITHHELD
        return text

    def payload(self, payload: Mapping[str, Any]) -> JsonObject:
        """The payload of a ticket's event without hidden values."""
        if self.is_open:
            return dict(payload)
        found = dict(payload)
        for name, show in _SHOWN.items():
            if found.get(name) is not None:
                found[name] = show(self, found[name])
        return found

    def rule_traces(self, traces: Sequence[Mapping[str, Any]]) -> list[JsonObject]:
        """The outcomes of rules without hidden values."""
        return [self.payload(trace) for trace in traces]

    def _shows(self, path: str) -> bool:
        """Return True if the value at the path of a condition shows a hidden field."""
        if self.is_open:
            return False
        if path in _WHOLE or "[" in path:
            return True
        match = _PATH.match(path)
        if match is None:
            return False
        guarded = {"requester.": self.of_requester, "organisation.": self.of_organisation}
        return match[2] in guarded.get(match[1], self.hidden)

    def _changes(self, changes: Mapping[str, Any]) -> JsonObject:
        """The changes of `ticket_updated`: `fields` as a whole, and single fields as `fields.<name>`."""
        found = {}
        for name, change in changes.items():
            if name == "fields":
                shown = {side: self.fields(one or {}) for side, one in change.items()}
                if shown.get("from") != shown.get("to"):
                    found[name] = shown
            elif name.removeprefix("fields.") not in self.hidden or "." not in name:
                found[name] = change
        return found

    def _wanted(self, wanted: Mapping[str, Any]) -> JsonObject:
        """Another ticket that a life cycle asked for; its fields may have been copied from this one's."""
        return {**wanted, "fields": self.fields(wanted.get("fields") or {})}

    def _texts(self, texts: Sequence[str]) -> list[str]:
        return [self.text(text) for text in texts]


_SHOWN: Final[Mapping[str, Any]] = {
    "fields": Guard.fields,
    "changes": Guard._changes,
    "wanted": Guard._wanted,
    "values": Guard.seen_values,
    "reasons": Guard._texts,
    "reason": Guard.text,
    "error": Guard.text,
}


def fields(ticket: Ticket, role: str) -> JsonObject:
    """The fields of a ticket that a role may see."""
    return Guard.of(ticket, role).fields(ticket.fields)


def texts(written: Sequence[str], ticket_ids: Collection[UUID], role: str) -> list[str]:
    """Return sentences about tickets as a role may read them: a word replaces a sentence about a hidden field."""
    if not written:
        return []
    guards = [Guard.of(ticket, role) for ticket in Ticket.select().where(Ticket.id.in_(sorted(ticket_ids)))]
    found = list(written)
    for guard in guards:
        found = guard._texts(found)
    return found


def events(rows: Sequence[WholeEvent], ticket: Ticket, sight: Sight) -> list[WholeEvent]:
    """The events of a ticket as a caller sees them: without hidden fields, and without what names a hidden ticket."""
    guard = Guard.of(ticket, sight.role)
    linked = {_linked(row["event_type"], row["payload"]) for row in rows} - {None}
    visible = visible_ids(sight, {one for one in linked if one is not None})
    return [{**row, "payload": _seen_payload(row["event_type"], row["payload"], guard, sight, visible)} for row in rows]


def payload(event_type: str, written: JsonObject, ticket: Ticket, sight: Sight) -> JsonObject:
    """The payload of one event of a ticket as a caller sees it."""
    linked = _linked(event_type, written)
    visible = set() if linked is None else visible_ids(sight, {linked})
    return _seen_payload(event_type, written, Guard.of(ticket, sight.role), sight, visible)


def _linked(event_type: str, written: JsonObject) -> UUID | None:
    """The other ticket that an event names."""
    return parse_id(str(written.get("ticket_id"))) if event_type in _LINKS else None


def _seen_payload(
    event_type: str, written: JsonObject, guard: Guard, sight: Sight, visible: Collection[UUID]
) -> JsonObject:
    shown = guard.payload(written)
    linked = _linked(event_type, written)
    if linked is not None and linked not in visible:
        shown |= {name: None for name in ("ticket_id", "number") if name in shown}
    if event_type == "linked_ticket_wanted":
        shown["wanted"] = _seen_wanted(shown["wanted"], sight)
    return shown


def _seen_wanted(wanted: Mapping[str, Any], sight: Sight) -> JsonObject:
    """A ticket that a life cycle asked for, by the guards of its own type and team."""
    concealed = ticket_fields.hidden(wanted["type"], (), sight.role)
    shown = {name: value for name, value in (wanted.get("fields") or {}).items() if name not in concealed}
    if sees(sight, Ticket(id=UUID(int=0), team=wanted.get("team"), assignee_id=None)):
        return {**wanted, "fields": shown}
    return {**wanted, "title": WITHHELD, "description": None, "fields": {}}
