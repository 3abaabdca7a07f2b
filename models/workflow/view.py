"""The typed view of a ticket, its event and its people that conditions read. `run.Run.view` fills it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from models.expressions.types import BOOL, DYN, INT, STRING, TIMESTAMP, ListType, MapType, Record, Type
from models.kernel.open_json import JsonObject
from models.sla.working_time import DAYS
from models.workflow.instance import condition_text_chars_max

_TICKET: dict[str, tuple[Type, str]] = {
    "number": (INT, "the number that people say"),
    "title": (STRING, "the subject"),
    "type": (STRING, "the ticket type"),
    "priority": (STRING, "one of the life cycle's priorities"),
    "state": (STRING, "the state that it is in now"),
    "category": (STRING, "todo, waiting, done or closed"),
    "channel": (STRING, "how it came: api, email, telegram ..."),
    "contact_channel": (STRING, 'how the requester is reached; "" when there is no way'),
    "assigned": (BOOL, "whether somebody is responsible"),
    "assignee": (STRING, 'the id of who is responsible, or ""'),
    "team": (STRING, 'the team, or ""'),
    "tags": (ListType(STRING), "its tags"),
    "message_count": (INT, "messages and notes so far"),
    "created_at": (TIMESTAMP, "when it was opened"),
    "state_since": (TIMESTAMP, "when it entered its state"),
    "filled": (ListType(STRING), "the names of the fields that have a value"),
}
_LOCAL: dict[str, tuple[Type, str]] = {
    "hour": (INT, "the hour of their clock now, 0 to 23"),
    "time": (STRING, 'the time of their clock now, such as "17:30"'),
    "weekday": (STRING, "the day there: mon, tue, wed, thu, fri, sat or sun"),
}
_OTHERS: dict[str, dict[str, tuple[Type, str]]] = {
    "requester": {
        "id": (STRING, "who asks"),
        "name": (STRING, "the name that the channel gave"),
        "locale": (STRING, 'language, such as en or pt-BR; "" when unknown'),
        "time_zone": (STRING, 'IANA zone, such as Europe/Berlin; "" when unknown'),
        "channel": (STRING, "the channel of the last contact"),
        "organisation": (STRING, 'the name of the organisation, or ""'),
        "fields": (MapType(DYN), "the fields of the requester by the information model; empty ones as in fields"),
        **_LOCAL,
    },
    "organisation": {
        "id": (STRING, 'the organisation of the requester, or ""'),
        "name": (STRING, 'its name, or ""'),
        "fields": (MapType(DYN), "the fields of the organisation by the information model; empty ones as in fields"),
    },
    "desk": _LOCAL,
    "children": {
        "total": (INT, "the tickets that are linked as its children"),
        "open": (INT, "those of them in a todo or waiting state"),
        "done": (INT, "those of them in a done or closed state"),
    },
    "blockers": {
        "total": (INT, "the tickets that block it"),
        "open": (INT, "those of them in a todo or waiting state"),
    },
    "event": {
        "type": (STRING, "requester_message, timer, signal ..."),
        "name": (STRING, "the timer, signal, field, state, SLA target or approval that it is about"),
        "payload": (MapType(DYN), "what a signal carries"),
        "before": (DYN, "the value before (field_changed)"),
        "after": (DYN, "the value after (field_changed)"),
        "count": (INT, "how often a repeating timer has gone off"),
    },
    "message": {
        "automatic": (STRING, '"" when the desk may answer it automatically, else auto_reply, bulk, own ...'),
        "by_machine": (BOOL, "a machine wrote it: an absence notice, a bounce ..."),
        "author_kind": (STRING, 'requester, agent, api, system; "" without a message'),
        "channel": (STRING, "how it came"),
        "attachments": (INT, "how many"),
        "length": (INT, "characters"),
        "text": (STRING, f"what it says, its first {condition_text_chars_max} characters"),
        "text_lower": (STRING, "the same in lower case, to search for words: contains, matches"),
    },
    "actor": {
        "kind": (STRING, "user, api_key, requester or system"),
        "id": (STRING, "who acts"),
        "role": (STRING, "admin, manager, accountant, agent, requester or automation"),
        "teams": (ListType(STRING), "the teams of who acts"),
        "is_assignee": (BOOL, "whether the ticket is theirs"),
        "is_requester": (BOOL, "whether the ticket's requester acts"),
    },
    "sla": dict.fromkeys(
        ("first_response", "next_response", "resolution"), (STRING, "none, running, paused, met or breached")
    ),
}
_FIELDS_TEXT = 'the fields of the ticket\'s type; without a value null for numbers, else "", false or []'


def environment(
    fields: Record | None = None, *, requester: Record | None = None, organisation: Record | None = None
) -> dict[str, Type]:
    """The names of conditions with their types.

    `fields`: those of the ticket types; `requester`, `organisation`: the fields of these. None: any, of any type.
    """
    typed: Type = fields if fields is not None else MapType(DYN)
    ticket = {name: type_ for name, (type_, _) in _TICKET.items()}
    others = {name: {key: type_ for key, (type_, _) in members.items()} for name, members in _OTHERS.items()}
    for owner, of_owner in (("requester", requester), ("organisation", organisation)):
        if of_owner is not None:
            others[owner]["fields"] = of_owner
    return {
        "ticket": Record({**ticket, "fields": typed}),
        "fields": typed,
        **{name: Record(members) for name, members in others.items()},
        "now": TIMESTAMP,
    }


ENVIRONMENT: dict[str, Type] = environment()


def local_time(now: datetime, zone: str) -> JsonObject:
    """Return the hour, the time and the weekday of an IANA zone."""
    there = now.astimezone(ZoneInfo(zone))
    return {"hour": there.hour, "time": f"{there:%H:%M}", "weekday": DAYS[there.weekday()]}


def describe() -> Iterator[tuple[str, str, str]]:
    """Path, type and meaning of everything that conditions may read, for the documentation."""
    for name, (type_, text) in _TICKET.items():
        yield f"ticket.{name}", str(type_), text
    yield "ticket.fields", "record", _FIELDS_TEXT
    yield "fields", "record", _FIELDS_TEXT
    for owner, members in _OTHERS.items():
        for name, (type_, text) in members.items():
            yield f"{owner}.{name}", str(type_), text
    yield "now", "timestamp", "the instant of the decision"
