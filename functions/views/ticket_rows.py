"""Tickets as rows of a list: the columns that the caller wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import msgspec

from functions.views import representations as show
from models.kernel.open_json import JsonObject
from models.presence import queries as presence
from models.read_marks import queries as read_marks
from models.ticket_lists import columns
from models.tickets.tables import Ticket as TicketRow


class ContactAddress(msgspec.Struct):
    """The address to which answers go."""

    channel: str
    address: str


class LastMessage(msgspec.Struct):
    """The last message of a ticket. `excerpt`: the beginning of its text, empty for a deleted message."""

    direction: str
    kind: str
    author_name: str
    excerpt: str
    created_at: datetime


class FailedSend(msgspec.Struct):
    """A message that was not delivered. `reason`: the last error, for people."""

    channel: str
    reason: str | None


class PersonPresent(msgspec.Struct):
    """A user who looks at the ticket or writes in it now. `doing` is `viewing` or `writing`."""

    id: UUID
    name: str
    doing: str


_EXTRAS: Final[JsonObject] = {
    "requester_address": ContactAddress | None,
    "last_message": LastMessage | None,
    "present": list[PersonPresent],
    "unread": bool,
    "failed_send": FailedSend | None,
}
_COLUMNS: Final[JsonObject] = {
    **{field.name: field.type for field in msgspec.structs.fields(show.Ticket)},
    **_EXTRAS,
}
if TYPE_CHECKING:
    Column = str
else:
    Column = Literal[tuple(_COLUMNS)]

# A column of a ticket is a column of the list: the struct is made from the ticket's, each value optional.
ListedTicket: Any = msgspec.defstruct(
    "ListedTicket",
    [
        ("id", UUID),
        *((name, kind | msgspec.UnsetType, msgspec.UNSET) for name, kind in _COLUMNS.items() if name != "id"),
    ],
    kw_only=True,
    module=__name__,
    namespace={
        "__doc__": "A ticket of a list, as in `GET /v1/tickets/{ticket}`. With `fields`, it has the wanted columns and"
        " its id. `requester_address` (of the answers), `last_message`, `present`, `unread` and `failed_send` are only"
        " there when `fields` names them. `unread`: the requester wrote something that the caller has not read."
        " `failed_send`: the newest message of the ticket that was not delivered."
    },
)


class Count(msgspec.Struct):
    """A bounded number of tickets. `more`: there are more than `count`. `text`: for people, such as `99+`."""

    count: int
    more: bool
    text: str


class TicketPage(msgspec.Struct, omit_defaults=True):
    """A page of tickets. `total`: the number of tickets of all pages, when `total=true` asks for it."""

    items: list[ListedTicket]
    next_cursor: str | None
    total: Count | msgspec.UnsetType = msgspec.UNSET


def known(names: Sequence[str]) -> list[Column]:
    """The columns of a stored list that this release has."""
    return [name for name in names if name in _COLUMNS]


def count(found: int, most: int) -> Count:
    """A number of tickets that was counted up to `most` + 1."""
    return Count(min(found, most), found > most, f"{most}+" if found > most else str(found))


def listed(rows: Sequence[TicketRow], wanted: Sequence[Column], *, role: str, reader: UUID) -> list[Any]:
    """The rows with the wanted columns; all of a ticket's own when none is named. `reader`: the user who reads them."""
    shown = show.tickets(rows, role=role)
    own = show.Ticket.__struct_fields__
    names = [name for name in own if not wanted or name in wanted or name == "id"]
    items = [ListedTicket(**{name: getattr(ticket, name) for name in names}) for ticket in shown]
    if "requester_address" in wanted:
        for item, row in zip(items, rows, strict=True):
            known = row.contact_channel is not None and row.contact_address is not None
            item.requester_address = (
                ContactAddress(row.contact_channel or "", row.contact_address or "") if known else None
            )
    if "unread" in wanted:
        unread = read_marks.unread_among({row.id for row in rows}, reader)
        for item in items:
            item.unread = item.id in unread
    if "last_message" in wanted:
        last = columns.last_messages({row.id for row in rows})
        for item in items:
            found = last.get(item.id)
            item.last_message = (
                None
                if found is None
                else LastMessage(
                    found["direction"], found["kind"], found["author_name"], found["body"], found["created_at"]
                )
            )
    if "failed_send" in wanted:
        failed = columns.failed_sends({row.id for row in rows})
        for item in items:
            lost = failed.get(item.id)
            item.failed_send = None if lost is None else FailedSend(lost["channel"], lost["last_error"])
    if "present" in wanted:
        here = presence.of_tickets({row.id for row in rows})
        for item in items:
            item.present = [
                PersonPresent(one["user_id"], one["user_name"], one["doing"]) for one in here.get(item.id, ())
            ]
    return items
