"""/v1/changes: the feed of changed tickets, for consoles and integrations that poll."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.gateway.ticket.presence import Presence, shown, user_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.changes import feed
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.presence import commands as presence
from models.presence import queries
from models.presence.commands import Doing
from models.visibility import sight

operations = Operations()

# -- limits ----------------------------------------------------------------------------------------------------
_tickets_max, _tickets_default = 500, 200  # of one answer; each is some 200 bytes

Places = Annotated[list[UUID], msgspec.Meta(max_length=presence.tickets_per_user_max)]


class ChangesQuery(msgspec.Struct, kw_only=True):
    """The position after which the caller wants changes, and the tickets in which the caller is."""

    after: pages.Cursor | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=_tickets_max)] = _tickets_default
    viewing: Places = msgspec.field(default_factory=list)
    writing: Places = msgspec.field(default_factory=list)


class ChangedTicket(msgspec.Struct):
    """A ticket that changed. `event_types`: the types of its new events, each once, as outgoing webhooks have them."""

    id: UUID
    number: int
    version: int
    state: str
    category: str
    team: str | None
    assignee_id: UUID | None
    event_types: list[str]
    last_change_at: datetime


class ChangeList(msgspec.Struct):
    """The tickets that changed, in the order of their last change. `position` is `after` of the next request.

    `more`: further changes wait. `presence`: the other users who are in a visible ticket now.
    """

    items: list[ChangedTicket]
    position: str
    more: bool
    presence: list[Presence]


@operations.add(
    "GET",
    "/v1/changes",
    summary="List changes",
    needs=Permission.tickets_read,
    query=ChangesQuery,
    answers={200: ChangeList, 304: None},
    problems=(409, 410),
)
def list_changes(call: Call[None, ChangesQuery]) -> Answer:
    """Poll every few seconds with the last `position` in `after` and the last ETag in If-None-Match. The answer is 304
    while nothing changed, which costs the desk one or two reads.

    A change may be shown twice and is never left out, also when it is stored late. A position that is older than
    seven days answers 410 `position_expired`: read the lists again, and begin without `after`.
    """
    _say(call)
    position = _position(call.query.after)
    found = feed.now() if position is None else feed.after(position, sight=sight_of(call), tickets_max=call.query.limit)
    present = queries.visible(sight_of(call), without=call.caller.id)
    etag = _etag(found.position, present)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if found.position == position and call.knows(etag):
        return Answer(status=304, headers=headers)
    items = [
        ChangedTicket(
            id=one.ticket.id,
            number=one.ticket.number,
            version=one.ticket.version,
            state=one.ticket.state,
            category=one.ticket.category,
            team=one.ticket.team,
            assignee_id=one.ticket.assignee_id,
            event_types=list(one.event_types),
            last_change_at=one.last_change_at,
        )
        for one in found.tickets
    ]
    body = ChangeList(items, pages.encode("changes", found.position), found.more, shown(present))
    return Answer(body, headers=headers)


def _say(call: Call[None, ChangesQuery]) -> None:
    """Store the caller's presence in the visible tickets that the query names."""
    wanted: dict[UUID, Doing] = dict.fromkeys(call.query.viewing, "viewing")
    wanted |= dict.fromkeys(call.query.writing, "writing")
    if not wanted:
        return
    user_id = user_of(call)
    with database.transaction():
        for ticket_id in sorted(sight.existing_ids(sight_of(call), set(wanted))):
            presence.say(ticket_id, user_id, wanted[ticket_id])


def _position(after: str | None) -> int | None:
    try:
        found = pages.decode(after, "changes", pages.number)
    except Invalid as error:
        raise Invalid([FieldProblem("?after", "expected a position of this feed")]) from error
    return None if found is None else int(found[0])


def _etag(position: int, present: Sequence[queries.Present]) -> str:
    """The ETag of an answer. It changes with the position and with who is present."""
    people = ";".join(f"{one['ticket_id']}{one['user_id']}{one['doing']}" for one in present)
    return f'"{position}-{zlib.crc32(people.encode()):x}"'
