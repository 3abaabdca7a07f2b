"""The requests that a visitor of the portal sees, and the parts of them that a requester may see.

A ticket belongs to a visitor while they are its requester. A merged ticket leads to its target only if that is theirs
too, and a ticket in the bin is not shown. Notes, answers that went to other people, and messages that have not left the
desk are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.attachments import queries as attachments
from models.attachments.row_types import AttachmentRow
from models.conversations.row_types import MessageRow
from models.conversations.tables import Message
from models.deliveries import queries as deliveries
from models.events.commands import Actor
from models.infomodel import published, values
from models.infomodel.definition import Entity, Field
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.portal import limits
from models.portal.sign_in import Visitor
from models.publishing import workflows
from models.requesters import queries as requesters
from models.requesters.tables import Identity
from models.ticket_actions import input_needed
from models.ticket_actions.input_needed import Needed
from models.ticket_workflow import steps
from models.tickets import ticket_fields
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.definition import State, Transition

ROLE: Final = "requester"
# Deliveries in these states have not left the desk, and perhaps never will.
_UNSENT: Final = frozenset({"scheduled", "discarded"})
_merges_followed_max: Final = 20  # a merge into a merged ticket is refused, so chains are short


def page(visitor: Visitor, *, before: UUID | None = None) -> list[Ticket]:
    """Return the visitor's tickets, newest first; one more than a page shows if there are older ones."""
    if visitor.requester is None:
        return []
    query = Ticket.select().where(_is_shown(visitor.requester.id))
    if before is not None:
        query = query.where(Ticket.id < before)
    rows = database.rows(query.order_by(Ticket.id.desc()).limit(limits.requests_shown_max + 1))
    return [Ticket(**row) for row in rows]


def find(visitor: Visitor, number: int) -> Ticket:
    """Return one of the visitor's tickets. Raises the same NotFound for another's ticket and for none."""
    row = None if visitor.requester is None else _of_number(visitor.requester.id, number)
    if row is None:
        raise NotFound("there is no such request")
    return row


def _of_number(requester_id: UUID, number: int) -> Ticket | None:
    mine = (Ticket.requester_id == requester_id) & Ticket.binned_at.is_null()
    condition: Any = Ticket.number == number
    for _ in range(_merges_followed_max):
        rows = database.rows(Ticket.select().where(condition, mine).limit(1))
        if not rows or rows[0]["merged_into"] is None:
            return Ticket(**rows[0]) if rows else None
        condition = Ticket.id == rows[0]["merged_into"]
    return None


def _is_shown(requester_id: UUID) -> Any:
    return (Ticket.requester_id == requester_id) & Ticket.merged_into.is_null() & Ticket.binned_at.is_null()


def is_own(visitor: Visitor, ticket: Ticket) -> bool:
    """Return True if a loaded ticket is the visitor's now."""
    return visitor.requester is not None and ticket.requester_id == visitor.requester.id and ticket.binned_at is None


def state_of(ticket: Ticket) -> State | None:
    """Return the definition of the ticket's state; None for a state that the life cycle has no more."""
    definition = workflows.of_version(ticket.workflow, ticket.workflow_version).definition
    return definition.states.get(ticket.state)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as its requester sees it. `is_mine`: the requester wrote it."""

    row: MessageRow
    is_mine: bool
    files: Sequence[AttachmentRow]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A page of a conversation, oldest first. `earlier`: the sequence number before which there are more."""

    messages: Sequence[Shown]
    earlier: int | None


def conversation(visitor: Visitor, ticket: Ticket, *, before: int | None = None) -> Conversation:
    """Return the newest public messages of one of the visitor's tickets, or those before a sequence number."""
    assert is_own(visitor, ticket), "the caller has found the ticket by `find`"
    query = Message.select().where(
        Message.ticket_id == ticket.id, Message.kind == "reply", Message.deleted_at.is_null()
    )
    if before is not None:
        query = query.where(Message.sequence < before)
    most = limits.messages_shown_max
    rows = database.rows_as(MessageRow, query.order_by(Message.sequence.desc()).limit(most + 1))
    earlier = rows[most - 1]["sequence"] if len(rows) > most else None
    rows = rows[:most][::-1]
    public = _public_ones(visitor, rows)
    files = attachments.of_messages([row["id"] for row in public])
    shown = [
        Shown(row, _is_by(row, visitor), [one for one in files.get(row["id"], []) if not one["hidden"]])
        for row in public
    ]
    return Conversation(shown, earlier)


def _is_by(row: Mapping[str, Any], visitor: Visitor) -> bool:
    return bool(row["author_kind"] == "requester" and row["author_id"] == _requester_id(visitor))


def _requester_id(visitor: Visitor) -> UUID:
    assert visitor.requester is not None, "a visitor with a ticket is a requester"
    return visitor.requester.id


def _public_ones(visitor: Visitor, rows: Sequence[MessageRow]) -> list[MessageRow]:
    """Return the messages that were sent to the requester or written by them.

    Another person's mail counts if the requester was among its readers; an automatic mail does not. An answer does not
    count while it waits to be sent, nor if it went to somebody else: to a third party, to the former requester of the
    ticket, or to the requester of a ticket that was merged into this one.
    """
    carried = deliveries.of_messages([row["id"] for row in rows])
    addresses = {one["address"].lower() for one in requesters.get(_requester_id(visitor))["identities"]}
    strange_tickets = _tickets_of_others(visitor, {row["moved_from"] for row in rows if row["moved_from"] is not None})
    strange_addresses = _addresses_of_others(visitor, [one for found in carried.values() for one in found])

    def is_public(row: MessageRow) -> bool:
        if row["direction"] == "inbound":
            copied = any(one["address"].lower() in addresses for one in row["copies"])
            return not row["by_machine"] and (_is_by(row, visitor) or copied)
        to = row["details"].get("to")
        if row["moved_from"] in strange_tickets or (to is not None and not to["reaches_requester"]):
            return False
        sent = carried.get(row["id"], ())
        return not sent or any(
            one["state"] not in _UNSENT and (one["channel"], one["address"]) not in strange_addresses for one in sent
        )

    return [row for row in rows if is_public(row)]


def _tickets_of_others(visitor: Visitor, ticket_ids: set[UUID]) -> set[UUID]:
    mine = Ticket.select(Ticket.id).where(
        Ticket.id.in_(sorted(ticket_ids)), Ticket.requester_id == _requester_id(visitor)
    )
    return ticket_ids - {row["id"] for row in database.rows(mine)} if ticket_ids else set()


def _addresses_of_others(visitor: Visitor, sent: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the addresses among those of deliveries that other requesters own, by channel."""
    addresses = sorted({one["address"] for one in sent})
    if not addresses:
        return set()
    query = Identity.select(Identity.channel, Identity.address).where(
        Identity.address.in_(addresses), Identity.requester_id != _requester_id(visitor)
    )
    return {(row["channel"], row["address"]) for row in database.rows(query)}


def file(visitor: Visitor, ticket: Ticket, attachment_id: UUID) -> AttachmentRow:
    """Return a file of a message that the visitor sees. Raises the same NotFound for any other."""
    found = attachments.get(attachment_id)
    shown = found["ticket_id"] == ticket.id and found["replaced_at"] is None and not found["hidden"]
    query = Message.select().where(
        Message.id == found["message_id"], Message.kind == "reply", Message.deleted_at.is_null()
    )
    if shown and _public_ones(visitor, database.rows_as(MessageRow, query)):
        return found
    raise NotFound("there is no such file")


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A field of a ticket with its value, as the requester may see it."""

    name: str
    field: Field
    value: Any


def fields_of(ticket: Ticket) -> list[FieldShown]:
    """Return the fields of a ticket that have a value and that requesters may see, in the order of the model."""
    entity = published.find(ticket.type)
    if entity is None:
        return []
    concealed = ticket_fields.hidden(ticket.type, ticket.former_types, ROLE)
    shown = values.visible(entity, ticket.fields, ROLE)
    return [
        FieldShown(name, field, shown[name])
        for name, field in entity.fields.items()
        if name in shown and name not in concealed and shown[name] not in values.MISSING
    ]


def types() -> list[Entity]:
    """Return the ticket types that requesters may open: those with a field that requesters may edit."""
    return [one for one in published.all_types() if any(_is_asked(field) for field in one.fields.values())]


def type_of(name: str) -> Entity:
    """Return a type that requesters may open. Raises NotFound."""
    found = next((one for one in types() if one.name == name), None)
    if found is None:
        raise NotFound("there is no such kind of request")
    return found


def asked_fields(entity: Entity) -> dict[str, Field]:
    """Return the fields that the form of a new request asks for.

    People and tickets of the desk are not asked for: a look-up would tell a requester who and what there is.
    """
    return {name: field for name, field in entity.fields.items() if _is_asked(field)}


def _is_asked(field: Field) -> bool:
    return field.portal == "edit" and not field.retired and field.kind not in ("person", "ticket")


@dataclass(frozen=True, slots=True)
class Choice:
    """A transition that the requester may take now, and the input that it needs."""

    name: str
    transition: Transition
    needed: Needed


def choices(visitor: Visitor, ticket: Ticket) -> list[Choice]:
    """Return the transitions that the requester may take now and that need no field."""
    assert visitor.requester is not None, "a visitor with a ticket is a requester"
    looked_at = TicketChange(ticket, actor=actor_of(visitor), new=False)
    found = []
    for option in steps.options(looked_at, role=ROLE):
        needed = input_needed.of_option(looked_at, option, role=ROLE)
        if ROLE in option.transition.who and needed is not None and not needed.fields:
            found.append(Choice(option.name, option.transition, needed))
    return found[: limits.options_shown_max]


def actor_of(visitor: Visitor) -> Actor:
    """Return the visitor as the author of events."""
    assert visitor.requester is not None, "a visitor with a ticket is a requester"
    return Actor("requester", str(visitor.requester.id), visitor.requester.name)


def labelled(value: Any, field: Field) -> JsonObject:
    """Return the labels of the chosen values of a choice field by value."""
    chosen = value if isinstance(value, list) else [value]
    return {one: field.choices[one].label for one in chosen if one in field.choices}
