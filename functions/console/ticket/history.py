"""The events of a ticket as sentences: in the conversation, and as a whole in the tab History."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from functions.console.frame import formats, texts
from functions.console.frame.texts import gettext as _
from functions.http.operations import AnyCall
from models.definitions import desk
from models.events import queries as events
from models.events.row_types import WholeEvent
from models.identity import queries as identity
from models.kernel.ids import parse_id
from models.publishing import workflows
from models.tickets.tables import Ticket
from models.visibility import seen
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
in_thread_max: Final = 100  # of one page of the conversation, which has 50 messages
of_history_max: Final = 200  # of one page

# What a reader of the conversation needs beside the messages.
IN_THREAD: Final = frozenset(
    {
        "ticket_state_changed",
        "ticket_assigned",
        "ticket_merged",
        "ticket_merge_received",
        "ticket_merge_undone",
        "ticket_split",
        "ticket_split_from",
        "sla_breached",
        "approval_requested",
        "approval_decided",
        "ticket_snoozed",
        "ticket_woken",
        "requester_changed",
        "automation_stopped",
        "automation_failed",
        "ticket_deleted",
        "ticket_restored",
    }
)
_ICONS: Final = {
    "ticket_state_changed": "flow",
    "ticket_assigned": "user",
    "sla_breached": "clock",
    "sla_warning": "clock",
    "ticket_snoozed": "moon",
    "ticket_woken": "sun",
    "ticket_merged": "merge",
    "ticket_merge_received": "merge",
    "delivery_failed": "alert",
    "delivery_bounced": "alert",
    "automation_stopped": "alert",
    "automation_failed": "alert",
    "transition_refused": "alert",
    "ticket_deleted": "trash",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence about an event. `by`: the person or program that caused it."""

    at: datetime
    icon: str
    text: str
    by: str
    sequence: int
    kind: str


def in_thread(call: AnyCall, ticket: Ticket) -> list[Line]:
    """Return the lines that stand between the messages of the conversation."""
    rows = events.latest_of("ticket", ticket.id, types=IN_THREAD, limit=in_thread_max)
    return lines(call, ticket, rows)


def whole(call: AnyCall, ticket: Ticket) -> list[Line]:
    """Return the last events of the ticket, the newest first."""
    after = max(0, ticket.event_sequence - of_history_max)
    rows = events.of_aggregate("ticket", ticket.id, after_sequence=after, limit=of_history_max)
    return lines(call, ticket, rows)[::-1]


def lines(call: AnyCall, ticket: Ticket, rows: Sequence[WholeEvent]) -> list[Line]:
    """Return events of the ticket as sentences, as far as the caller sees them."""
    shown = seen.events(rows, ticket, Sight.of(call.caller))
    names = _names(shown)
    return [
        Line(
            row["occurred_at"],
            _ICONS.get(row["event_type"], "info"),
            _sentence(row["event_type"], row["payload"], ticket, names),
            _actor(row, names),
            row["sequence"],
            row["event_type"],
        )
        for row in shown
    ]


def _names(rows: Sequence[WholeEvent]) -> dict[UUID, str]:
    wanted = {parse_id(str(row["actor_id"])) for row in rows if row["actor_kind"] == "user"}
    for row in rows:
        wanted |= {parse_id(str(row["payload"].get(name))) for name in ("to", "from", "user_id", "user")}
    ids = {one for one in wanted if one is not None}
    return identity.names_of(ids) if ids else {}


def _actor(row: WholeEvent, names: Mapping[UUID, str]) -> str:
    found = parse_id(str(row["actor_id"])) if row["actor_id"] else None
    if row["actor_kind"] == "user" and found is not None and found in names:
        return names[found]
    return {
        "user": _("A former user"),
        "requester": _("Requester"),
        "api_key": _("Program"),
        "system": _("Nestor"),
        "workflow": _("Life cycle"),
    }.get(row["actor_kind"], row["actor_kind"])


def state_label(ticket: Ticket, state: str) -> str:
    """Return the label of a state in the ticket's life cycle."""
    states = workflows.of_version(ticket.workflow, ticket.workflow_version).definition.states
    found = states.get(state)
    return texts.label(found.label if found is not None else None, state)


def _sentence(kind: str, payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    words = _SENTENCES.get(kind)
    return words(payload, ticket, names) if words is not None else texts.label(None, kind)


def _person(value: object, names: Mapping[UUID, str]) -> str:
    found = parse_id(str(value)) if value else None
    return names.get(found, _("a former user")) if found is not None else _("nobody")


def _state_changed(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    places = {"before": state_label(ticket, str(payload["from"])), "after": state_label(ticket, str(payload["to"]))}
    text = _("%(before)s → %(after)s", **places)
    comment = payload.get("comment")
    return f"{text}: {comment}" if comment else text


def _assigned(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    if payload.get("to") is None:
        return _("The assignment was removed")
    return _("Assigned to %(name)s", name=_person(payload["to"], names))


def _updated(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    changed = ", ".join(sorted(_property(name, ticket) for name in payload.get("changes", {})))
    return _("Changed: %(names)s", names=changed) if changed else _("Changed")


def _property(name: str, ticket: Ticket) -> str:
    words = {
        "title": _("title"),
        "priority": _("priority"),
        "team": _("team"),
        "tags": _("tags"),
        "type": _("type"),
        "fields": _("fields"),
    }
    return words.get(name) or texts.label(None, name.removeprefix("fields.")).lower()


def _other(text: str) -> Callable[[Mapping[str, Any], Ticket, Mapping[UUID, str]], str]:
    return lambda payload, ticket, names: _(text, number=payload.get("number", "?"))


def _plain(text: str) -> Callable[[Mapping[str, Any], Ticket, Mapping[UUID, str]], str]:
    return lambda payload, ticket, names: _(text)


def _breached(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    return _("The promise “%(name)s” was broken", name=target_label(str(payload["target"])))


def _snoozed(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    until = payload.get("until")
    if until is None:
        return _("Snoozed until the next answer")
    instant = datetime.fromisoformat(str(until)) if not isinstance(until, datetime) else until
    return _("Snoozed until %(when)s", when=formats.moment(instant))


def _refused(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    return _("Refused: %(reasons)s", reasons="; ".join(map(str, payload.get("reasons", ()))))


def _undelivered(payload: Mapping[str, Any], ticket: Ticket, names: Mapping[UUID, str]) -> str:
    return _("Not delivered: %(reason)s", reason=payload.get("error") or payload.get("detail") or _("unknown reason"))


def target_label(target: str) -> str:
    """Return the name of a promise's target."""
    return {
        "first_response": _("First answer"),
        "next_response": _("Next answer"),
        "resolution": _("Resolution"),
    }.get(target, texts.label(None, target))


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Any], Ticket, Mapping[UUID, str]], str]]] = {
    "ticket_created": _plain(texts.marked("Created")),
    "ticket_updated": _updated,
    "ticket_state_changed": _state_changed,
    "ticket_assigned": _assigned,
    "ticket_merged": _other(texts.marked("Merged into #%(number)s")),
    "ticket_merge_received": _other(texts.marked("#%(number)s was merged into this ticket")),
    "ticket_merge_undone": _other(texts.marked("The merge with #%(number)s was undone")),
    "ticket_split": _other(texts.marked("Messages moved to the new ticket #%(number)s")),
    "ticket_split_from": _other(texts.marked("Split from #%(number)s")),
    "ticket_linked": _other(texts.marked("Linked with #%(number)s")),
    "ticket_unlinked": _other(texts.marked("The link with #%(number)s was removed")),
    "sla_warning": lambda payload, ticket, names: _(
        "The promise “%(name)s” is in danger", name=target_label(str(payload["target"]))
    ),
    "sla_breached": _breached,
    "approval_requested": _plain(texts.marked("An approval was requested")),
    "approval_decided": lambda payload, ticket, names: _(
        "The approval was decided: %(outcome)s", outcome=texts.label(None, str(payload.get("outcome"))).lower()
    ),
    "ticket_snoozed": _snoozed,
    "ticket_woken": _plain(texts.marked("The snooze ended")),
    "requester_changed": _plain(texts.marked("The requester changed")),
    "ticket_deleted": _plain(texts.marked("Moved to the bin")),
    "ticket_restored": _plain(texts.marked("Restored from the bin")),
    "message_received": _plain(texts.marked("A message came in")),
    "message_added": _plain(texts.marked("A reply was written")),
    "message_edited": _plain(texts.marked("A message was edited")),
    "message_deleted": _plain(texts.marked("A message was deleted")),
    "message_retried": _plain(texts.marked("A message is sent again")),
    "note_added": _plain(texts.marked("A note was added")),
    "delivery_failed": _undelivered,
    "delivery_bounced": _undelivered,
    "delivery_delivered": _plain(texts.marked("Delivered")),
    "delivery_opened": _plain(texts.marked("Opened by the reader")),
    "transition_refused": _refused,
    "automation_stopped": _plain(texts.marked("The automation stopped here")),
    "automation_failed": _plain(texts.marked("The automation failed here")),
    "time_entry_added": lambda payload, ticket, names: _(
        "%(minutes)s min of work recorded", minutes=payload.get("minutes")
    ),
}


def priorities() -> list[tuple[str, str]]:
    """Return the priorities of the desk, the highest first, with their labels."""
    return [(one.name, texts.label(one.label, one.name)) for one in reversed(desk.current().ranked_priorities)]
