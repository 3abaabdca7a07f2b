"""The conditions that a filter becomes in a composed query over Ticket.

A filter on rows of other tables is a set of ticket ids (`IN`), so that the planner can begin with the few rows of an
index, such as the failed deliveries, or test each ticket of an ordered walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import peewee

from models.attachments.tables import Attachment
from models.channels import accounts
from models.conversations.tables import Message
from models.deliveries.tables import Delivery
from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.storage.table import member_text
from models.read_marks import queries as read_marks
from models.requesters.tables import Identity, Requester
from models.teams import availability
from models.ticket_lists.filters import FieldValues, Period, TicketFilter
from models.tickets.tables import Ticket, TicketFollower


def of(wanted: TicketFilter) -> list[Any]:
    """Return the conditions of a filter over Ticket; a ticket of the list meets all of them."""
    return [*_hidden(wanted), *_named(wanted)]


def _hidden(wanted: TicketFilter) -> Iterator[Any]:
    """Snoozed tickets and the bin, which a list leaves out unless the filter asks for them."""
    if wanted.snoozed != "any":
        yield Ticket.snoozed_at.is_null(wanted.snoozed == "no")
    if wanted.bin == "no":
        yield Ticket.binned_at.is_null()
    elif wanted.bin == "any":
        yield Ticket.binned_as.is_null() | (Ticket.binned_as != "purged")
    else:
        yield Ticket.binned_as == wanted.bin


def _named(wanted: TicketFilter) -> list[Any]:
    found = [*_words(wanted), *_people(wanted), *_periods(wanted), *_facts(wanted)]
    found += [_has_tag(tag) for tag in wanted.tags]
    if wanted.any_tags:
        found.append(_any([_has_tag(tag) for tag in wanted.any_tags]))
    found += [_field(one) for one in wanted.fields]
    if wanted.without is not None:
        # COALESCE, because a comparison with a column without a value is NULL, and NOT NULL would leave the ticket out.
        found += [~peewee.fn.COALESCE(one, peewee.SQL("FALSE")) for one in _named(wanted.without)]
    return found


def _words(wanted: TicketFilter) -> Iterator[Any]:
    for column, values in (
        (Ticket.state, wanted.states),
        (Ticket.category, wanted.categories),
        (Ticket.type, wanted.types),
        (Ticket.priority, wanted.priorities),
        (Ticket.channel, wanted.channels),
        (Ticket.account, wanted.accounts),
        (Ticket.workflow, wanted.workflows),
        (Ticket.team, wanted.teams),
    ):
        if values:
            yield _one_of(column, values)


def _people(wanted: TicketFilter) -> Iterator[Any]:
    if wanted.assignees:
        yield _one_of(Ticket.assignee_id, wanted.assignees)
    if wanted.followers:
        yield Ticket.id.in_(_followed(wanted.followers))
    if wanted.mentioned:
        yield Ticket.id.in_(_followed(wanted.mentioned).where(TicketFollower.reason == "mentioned"))
    if wanted.requesters:
        yield _one_of(Ticket.requester_id, wanted.requesters)
    if wanted.addresses:
        yield Ticket.requester_id.in_(_owners(wanted.addresses))
    if wanted.organisations:
        members = Requester.select(Requester.id).where(Requester.organisation_id.in_(list(wanted.organisations)))
        yield Ticket.requester_id.in_(members)


def _owners(addresses: Sequence[str]) -> Any:
    # The channels are named, because the index of addresses begins with the channel.
    channels = sorted({"email", *(account.channel for account in accounts.every())})
    found = Identity.channel.in_(channels) & Identity.address.in_(list(addresses))
    return Identity.select(Identity.requester_id).where(found)


def _followed(users: Sequence[Any]) -> Any:
    return TicketFollower.select(TicketFollower.ticket_id).where(TicketFollower.user_id.in_(list(users)))


def _periods(wanted: TicketFilter) -> Iterator[Any]:
    for column, period in (
        (Ticket.created_at, wanted.created),
        (Ticket.updated_at, wanted.updated),
        (Ticket.last_message_at, wanted.last_message),
        (Ticket.next_due_at, wanted.due),
    ):
        if period is not None:
            yield _within(column, period)


def _within(column: Any, period: Period) -> Any:
    bounds = []
    if period.since is not None:
        bounds.append(column >= period.since)
    if period.until is not None:
        bounds.append(column < period.until)
    return bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]


def _facts(wanted: TicketFilter) -> Iterator[Any]:
    if wanted.unanswered is not None:
        yield Ticket.unanswered_since.is_null(not wanted.unanswered)
    if wanted.assignee_away is not None:
        away = Ticket.assignee_id.in_(availability.away())
        yield away if wanted.assignee_away else ~peewee.fn.COALESCE(away, peewee.SQL("FALSE"))
    if wanted.failed is not None:
        # The state is a literal, because SQLite uses a partial index only for a condition without parameters.
        failures = Delivery.select(Delivery.ticket_id).where(Delivery.state == peewee.SQL("'failed'"))
        yield Ticket.id.in_(failures) if wanted.failed else Ticket.id.not_in(failures)
    if wanted.breached is not None:
        late = Ticket.next_due_at < clock.now()
        yield late if wanted.breached else ~peewee.fn.COALESCE(late, peewee.SQL("FALSE"))
    if wanted.unread is not None and wanted.reader is not None:
        unread = read_marks.is_unread(wanted.reader)
        yield unread if wanted.unread else ~peewee.fn.COALESCE(unread, peewee.SQL("FALSE"))
    if wanted.has_file is not None:
        # A correlated subquery: most desks have more files than a set of their tickets should hold.
        file = Attachment.select(peewee.SQL("1")).where(Attachment.message_id == Message.id, ~Attachment.hidden)
        files = Message.select(peewee.SQL("1")).where(Message.ticket_id == Ticket.id, peewee.fn.EXISTS(file))
        yield peewee.fn.EXISTS(files) if wanted.has_file else ~peewee.fn.EXISTS(files)


def _field(wanted: FieldValues) -> Any:
    """The condition that a visible field has one of the values; a field of several values has one among them."""
    return _where_visible(_any([_has_value(wanted.name, value) for value in wanted.values]), wanted.hidden_in)


def _has_value(name: str, value: str) -> Any:
    """The condition that a field is a value, or a list with it. Numbers and truth values are compared as JSON text."""
    if database.is_postgres():
        listed = (Ticket.fields, peewee.SQL("-> %s @> %s::jsonb", (name, as_json(value))))
        return (member_text(Ticket.fields, name) == value) | peewee.NodeList(listed)
    # SQLite reads a JSON true as the number 1.
    text = "CASE WHEN one.type IN ('true', 'false') THEN one.type ELSE CAST(one.value AS TEXT) END"
    each = (peewee.SQL("EXISTS (SELECT 1 FROM json_each("), Ticket.fields)
    return peewee.NodeList((*each, peewee.SQL(f", ?) AS one WHERE {text} = ?)", (f"$.{name}", value))))


def _where_visible(matches: Any, hiding: Sequence[str]) -> Any:
    """Restrict a condition on a field to tickets whose types do not hide it. A field keeps its guard when the ticket's
    type changes.
    """
    if hiding:
        matches &= Ticket.type.not_in(list(hiding))
        for type_ in hiding:
            matches &= ~_lists(Ticket.former_types, type_)
    return matches


def _one_of(column: Any, values: Sequence[Any]) -> Any:
    named = [value for value in values if value is not None]
    if len(named) == len(values):
        # Equality and not a list of one: the planner then walks an index in the order of its next columns.
        return column == named[0] if len(named) == 1 else column.in_(named)
    return column.in_(named) | column.is_null() if named else column.is_null()


def _any(conditions: Sequence[Any]) -> Any:
    found = conditions[0]
    for one in conditions[1:]:
        found |= one
    return found


def _has_tag(tag: str) -> Any:
    return _lists(Ticket.tags, tag)


def _lists(column: Any, text: str) -> Any:
    """The condition that a column's JSON list has a text; JSON lists differ by engine."""
    if database.is_postgres():
        return peewee.NodeList((column, peewee.SQL("@> %s::jsonb", (as_json([text]),))))
    opening, closing = (
        peewee.SQL("EXISTS (SELECT 1 FROM json_each("),
        peewee.SQL(") WHERE json_each.value = ?)", (text,)),
    )
    return peewee.NodeList((opening, column, closing))
