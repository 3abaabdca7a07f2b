"""/v1/tickets: create, read, change and assign tickets, and read their history."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Description, Email, Name, Tags, Title, Word
from models.events import queries as events
from models.identity.rules import Permission
from models.kernel import limits, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.ticket_actions import commands, tagging
from models.ticket_actions.sorting import undoing
from models.visibility import seen

operations = Operations()


class NewRequester(msgspec.Struct, forbid_unknown_fields=True):
    """The requester of a new ticket. Replies are sent to the e-mail address."""

    name: Name | None = None
    email: Email | None = None


class NewTicket(msgspec.Struct, forbid_unknown_fields=True):
    """A ticket to create. `description_by` says who wrote the description: the requester, who gets an acknowledgement,
    or an agent, whose words are sent to the requester. When it is left out, a user is an agent who writes to a
    requester with an address, and an API key passes on the requester's words.
    """

    title: Title
    description: Description | None = None
    type: Word = "question"
    priority: Word = "normal"
    requester: NewRequester | None = None
    fields: JsonObject = {}
    team: Word | None = None
    tags: Tags = []
    description_by: Literal["requester", "agent"] | None = None


class TagEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Tags to add behind the others, and tags to remove. A tag in both is removed."""

    add: Tags = []
    remove: Tags = []


class TicketChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values.

    `tags` is the whole list, or the tags to add and to remove.
    """

    title: Title | msgspec.UnsetType = msgspec.UNSET
    type: Word | msgspec.UnsetType = msgspec.UNSET
    priority: Word | msgspec.UnsetType = msgspec.UNSET
    fields: JsonObject | msgspec.UnsetType = msgspec.UNSET
    team: Word | msgspec.UnsetType | None = msgspec.UNSET
    tags: Tags | TagEdit | msgspec.UnsetType = msgspec.UNSET


class AssignmentWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The responsible user; null removes the assignment."""

    assignee_id: UUID | None


def bounded(fields: JsonObject) -> JsonObject:
    if len(fields) > limits.fields_max:
        raise Invalid([FieldProblem("/fields", f"expected at most {limits.fields_max} fields, found {len(fields)}")])
    return fields


def changes_of(body: TicketChanges) -> JsonObject:
    """The wanted properties by name, with tags in their stored form. Raises Invalid for too many fields."""
    changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    if "fields" in changes:
        bounded(changes["fields"])
    if isinstance(body.tags, TagEdit):
        added, removed = (list(map(names.folded, tags)) for tags in (body.tags.add, body.tags.remove))
        changes["tags"] = tagging.TagEdit(added, removed)
    elif body.tags is not msgspec.UNSET:
        changes["tags"] = list(map(names.folded, body.tags))
    return changes


def _is_by_agent(body: NewTicket, caller_kind: str) -> bool:
    """Return True if the caller opens the ticket for a requester with an address and writes to them."""
    if body.requester is None or body.requester.email is None:
        return False
    by = body.description_by or ("agent" if caller_kind == "user" else "requester")
    return by == "agent"


def represented(call: AnyCall, row: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        show.tickets([row], role=call.caller.role)[0], status=status, headers=show.etag(row.version) | headers
    )


@operations.add(
    "POST",
    "/v1/tickets",
    summary="Create a ticket",
    needs=Permission.tickets_write,
    body=NewTicket,
    answers={201: show.Ticket},
)
def create_ticket(call: Call[NewTicket]) -> Answer:
    """The life cycle processes the new ticket in the same request. Its outgoing messages are sent afterwards."""
    body = call.body
    requester = body.requester or NewRequester()
    row = commands.create(
        commands.NewTicket(
            title=body.title.strip(),
            description=body.description,
            type=body.type,
            priority=body.priority,
            requester_name=requester.name,
            requester_email=requester.email,
            fields=bounded(body.fields),
            team=body.team,
            tags=tuple(dict.fromkeys(map(names.folded, body.tags))),
            by_agent=_is_by_agent(body, call.caller.actor.kind),
        ),
        actor=call.caller.actor,
        role=call.caller.role,
    )
    return represented(call, row, 201, Location=f"/v1/tickets/{row.id}")


@operations.add(
    "GET",
    "/v1/tickets/{ticket}",
    summary="Get a ticket",
    needs=Permission.tickets_read,
    answers={200: show.Ticket},
    problems=(404,),
)
def read_ticket(call: Call) -> Answer:
    """Finds the ticket by id or number."""
    return represented(call, ticket_of(call))


@operations.add(
    "PATCH",
    "/v1/tickets/{ticket}",
    summary="Update a ticket",
    needs=Permission.tickets_write,
    body=TicketChanges,
    answers={200: show.Ticket},
    problems=(404,),
    etag=True,
)
def change_ticket(call: Call[TicketChanges]) -> Answer:
    """`fields` is merged: a field that it does not name keeps its value, and null removes one.

    Another `type` moves the ticket to the life cycle of that type: into the state that its map names, or into its
    initial state. While fields are locked, or an approval waits or stands, the type cannot change (409 `type_locked`).
    State and assignee have endpoints of their own.
    """
    expected = call.expected_version()
    changes = changes_of(call.body)
    ticket = ticket_of(call)
    actor, role = call.caller.actor, call.caller.role
    row = undoing.undoable(
        lambda: commands.update(ticket.id, changes, expected_version=expected, actor=actor, role=role), actor=actor
    )
    return represented(call, row)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/assignment",
    summary="Assign a ticket",
    needs=Permission.tickets_assign,
    body=AssignmentWanted,
    answers={200: show.Ticket},
    problems=(404,),
    etag="optional",
)
def assign_ticket(call: Call[AssignmentWanted]) -> Answer:
    """The assignee is an active user.

    With If-Match (optional), a ticket that was changed since that version answers 412; without it, the last write wins.
    """
    expected = call.optional_version()
    ticket = ticket_of(call)
    actor, wanted = call.caller.actor, call.body.assignee_id
    row = undoing.undoable(
        lambda: commands.assign(ticket.id, wanted, actor=actor, expected_version=expected), actor=actor
    )
    return represented(call, row)


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/events",
    summary="List a ticket's events",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: show.EventPage},
    problems=(404,),
)
def list_ticket_events(call: Call[None, pages.PageQuery]) -> Answer:
    """Oldest first."""
    ticket = ticket_of(call)
    after = pages.decode(call.query.cursor, "events", pages.number)
    first = after[0] if after else 0
    rows = events.of_aggregate("ticket", ticket.id, after_sequence=first, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "events", lambda row: (row["sequence"],))
    shown = seen.events(page, ticket, sight_of(call))
    return Answer(show.EventPage([show.copied(show.Event, row) for row in shown], cursor))
