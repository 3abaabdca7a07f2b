"""Write the record of a ticket, whole or not at all. The commands join the caller's transaction.

The ticket stands in its state without a timer, a promise or a reaction. The next event moves it like any other ticket.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.conversations.tables import TicketParticipant
from models.events import past
from models.imports import conversations, courses, form
from models.imports.context import Context
from models.imports.people import fitting, kept_id
from models.imports.problems import Problem, Refused, one_of, size, word
from models.infomodel import open_fields, published, values
from models.infomodel.normal_form import Lookups
from models.kernel import limits
from models.kernel.errors import Invalid
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage.database import Row
from models.kernel.text import one_line
from models.ports import channel_facts
from models.ticket_actions.sorting.tables import TimeEntry
from models.ticket_workflow.tables import Rating, TicketLink
from models.tickets import queries, ticket_fields
from models.tickets.tables import Ticket, TicketFollower
from models.workflow.definition import Workflow

RELATIONS = ("related", "child", "blocks", "duplicates", "split_from")
MERGED = "merged_into"


def write_ticket(context: Context, record: form.Ticket) -> UUID:
    """Write a ticket with its conversation and its course. Raises Refused."""
    ticket, definition = _ticket(context, record)
    rows = conversations.message_rows(context, record, ticket)
    steps = courses.steps_of(record, definition, ticket.state)
    events = courses.events_of(context, record, ticket, steps, rows)
    participants = _participants(context, record, ticket)
    followers, times = _followers(context, record, ticket), _times(context, record, ticket)
    ticket.minutes_spent = sum(row["minutes"] for row in times)
    ticket.follower_count = len(followers)
    ticket.state_since = next(step.at for step in reversed(steps) if step.state is not None)
    _sum_up(record, ticket, rows)
    ticket.event_sequence = len(events)
    if context.dry_run:
        return ticket.id
    ticket.number = _number(record.number)
    if record.number is not None and ticket.number != record.number:
        context.leave_out("number", str(record.number), f"a number that no ticket has; it got {ticket.number}")
        events = courses.events_of(context, record, ticket, steps, rows)
    Ticket.insert(**ticket.row()).execute()
    conversations.insert(rows)
    conversations.insert_files(context, record, rows)
    conversations.insert_references(context, record, ticket, rows)
    for table, found in ((TicketParticipant, participants), (TicketFollower, followers), (TimeEntry, times)):
        if found:
            table.insert_many(found).execute()
    _insert_ratings(record, ticket)
    past.write("ticket", ticket.id, events, causation_id=context.causation_id)
    return ticket.id


def _ticket(context: Context, record: form.Ticket) -> tuple[Ticket, Workflow]:
    """Return the ticket's row, without its number, and its life cycle. Raises Refused."""
    _check_type(record.type)
    version = context.workflow(record.workflow or ticket_fields.workflow_of(record.type), "workflow")
    definition = version.definition
    state = record.state or definition.initial
    if state not in definition.states:
        raise Refused(one_of("state", state, definition.states))
    if record.priority not in definition.priorities:
        raise Refused(one_of("priority", record.priority, definition.priorities))
    if record.team is not None:
        context.check_team(record.team, "team")
    context.account(record.channel, record.account, "account")
    requester_id = None if record.requester is None else context.sources.find("requester", record.requester)
    if record.requester is not None and requester_id is None:
        raise Refused(Problem("requester", size(record.requester), "the id of a requester that was taken before"))
    ticket = Ticket(
        id=kept_id(record.id, Ticket),
        number=0,
        title=_title(context, record),
        type=record.type,
        priority=record.priority,
        state=state,
        category=definition.states[state].category,
        workflow=definition.workflow,
        workflow_version=version.version,
        requester_id=requester_id,
        assignee_id=_assignee(context, record.assignee),
        channel=record.channel,
        account=record.account,
        fields=_fields(context, record),
        created_at=record.created_at,
        updated_at=record.updated_at or record.created_at,
        team=record.team,
        tags=_tags(context, record),
        reply_token=secrets.token_hex(16),
    )
    _set_contact(context, record, ticket)
    return ticket, definition


def _title(context: Context, record: form.Ticket) -> str:
    title = one_line(record.title, limits.ticket_title_chars_max) or "(no subject)"
    if len(record.title) > limits.ticket_title_chars_max:
        context.leave_out("title", size(record.title), f"at most {limits.ticket_title_chars_max} characters")
    return title


def _check_type(type_: str) -> None:
    try:
        ticket_fields.check_type(type_)
    except Invalid:
        raise Refused(one_of("type", type_, [one.name for one in published.all_types()])) from None


def _assignee(context: Context, email: str | None) -> UUID | None:
    found = context.user(email)
    if email and found is None:
        context.leave_out("assignee", size(email), "the address of a user of this desk")
    return found


def _set_contact(context: Context, record: form.Ticket, ticket: Ticket) -> None:
    contact = record.contact
    if contact is None:
        return
    context.account(contact.channel, contact.account, "contact.account")
    ticket.contact_channel, ticket.contact_account = contact.channel, contact.account
    ticket.contact_address = channel_facts.of(contact.channel).comparable(contact.address)
    ticket.contact_grade = contact.grade


def _tags(context: Context, record: form.Ticket) -> list[str]:
    tags = list(dict.fromkeys(one_line(tag, 100) for tag in record.tags if tag.strip()))
    if len(tags) > limits.tags_max:
        context.leave_out("tags", f"{len(tags)} tags", f"at most {limits.tags_max} tags")
    return tags[: limits.tags_max]


def _fields(context: Context, record: form.Ticket) -> JsonObject:
    """Return the fields that fit the type's model. The others are left out."""

    def checked(wanted: Mapping[str, Any]) -> JsonObject:
        entity = published.find(record.type)
        if entity is None:
            if found := open_fields.problems(wanted, before={}, wanted=wanted):
                raise Invalid(found)
            return dict(wanted)
        return values.validated(
            entity,
            wanted,
            before={},
            role="automation",
            view={"ticket": {"type": record.type, "priority": record.priority}},
            complete=False,
            fresh=True,
            people=ticket_fields.LOOKUPS.people,
            tickets=lookups.tickets,
        )

    def ticket_of(text: str) -> str | None:
        found = context.sources.find("ticket", text)
        return str(found) if found is not None else ticket_fields.LOOKUPS.tickets(text)

    lookups = Lookups(ticket_fields.LOOKUPS.people, ticket_of)
    return fitting(context, record.fields, checked)


def _sum_up(record: form.Ticket, ticket: Ticket, rows: list[Row]) -> None:
    """Set the columns that follow from the messages and the state. A record with a course says them itself."""
    answers = (
        row["created_at"]
        for row in rows
        if row["direction"] == "outbound" and row["kind"] == "reply" and row["author_kind"] == "agent"
    )
    ticket.message_count = len(rows)
    ticket.last_message_at = max((row["created_at"] for row in rows), default=None)
    ticket.first_response_at, ticket.solved_at = record.first_response_at, record.solved_at
    ticket.closed_at = record.closed_at
    if not record.course:
        ticket.first_response_at = ticket.first_response_at or min(answers, default=None)
        if ticket.category in ("done", "closed"):
            ticket.solved_at = ticket.solved_at or ticket.state_since
        if ticket.category == "closed":
            ticket.closed_at = ticket.closed_at or ticket.state_since
    if record.updated_at is None and ticket.last_message_at is not None:
        ticket.updated_at = max(ticket.created_at, ticket.last_message_at)


def _participants(context: Context, record: form.Ticket, ticket: Ticket) -> list[Row]:
    found = {}
    for index, one in enumerate(record.participants):
        context.check_channel(one.channel, f"participants[{index}].channel")
        address = channel_facts.of(one.channel).comparable(one.address)
        found[(one.channel, address)] = {
            "ticket_id": ticket.id,
            "channel": one.channel,
            "address": address,
            "name": one.name,
            "role": one.role,
            "added_at": one.added_at or ticket.created_at,
            "confirmed_at": one.confirmed_at,
        }
    return list(found.values())


def _followers(context: Context, record: form.Ticket, ticket: Ticket) -> list[Row]:
    found = {}
    for index, email in enumerate(record.followers):
        if (user_id := context.user(email)) is None:
            context.leave_out(f"followers[{index}]", size(email), "the address of a user of this desk")
        else:
            found[user_id] = {
                "ticket_id": ticket.id,
                "user_id": user_id,
                "reason": "follows",
                "created_at": context.now,
            }
    return list(found.values())


def _times(context: Context, record: form.Ticket, ticket: Ticket) -> list[Row]:
    found = []
    for index, one in enumerate(record.times):
        if (user_id := context.user(one.user)) is None:
            context.leave_out(f"times[{index}]", size(one.user), "the address of a user of this desk")
            continue
        found.append(
            {
                "id": new_id(),
                "ticket_id": ticket.id,
                "user_id": user_id,
                "minutes": one.minutes,
                "note": one.note,
                "created_at": one.created_at,
                "updated_at": one.created_at,
            }
        )
    return found


def _insert_ratings(record: form.Ticket, ticket: Ticket) -> None:
    for one in record.ratings:
        Rating.insert(
            id=new_id(),
            ticket_id=ticket.id,
            # The hash of no token: nobody can rate by it.
            token_hash=secrets.token_hex(32),
            score=one.score,
            comment=one.comment,
            asked_at=one.asked_at,
            rated_at=one.rated_at,
        ).execute()


def _number(wanted: int | None) -> int:
    """Return the source's number if no ticket has it, else the next one. Later tickets get higher numbers."""
    if wanted is None or Ticket.select().where(Ticket.number == wanted).exists():
        return queries.next_number()
    return wanted if queries.pass_number(wanted) else queries.next_number()


def write_link(context: Context, record: form.Link) -> UUID:
    """Write a relation of two tickets, or that one was merged into the other. Raises Refused."""
    if record.relation not in (*RELATIONS, MERGED):
        raise Refused(one_of("relation", record.relation, (*RELATIONS, MERGED)))
    found = context.sources.find_all("ticket", [record.from_ticket, record.to_ticket])
    missing = [one for one in (record.from_ticket, record.to_ticket) if one not in found]
    if missing:
        raise Refused(Problem("to_ticket", word(missing[0]), "the id of a ticket that was taken before"))
    from_id, to_id = found[record.from_ticket], found[record.to_ticket]
    if context.dry_run:
        return from_id
    if record.relation == MERGED:
        Ticket.update(merged_into=to_id).where(Ticket.id == from_id, Ticket.merged_into.is_null()).execute()
        return from_id
    TicketLink.insert(
        from_id=from_id, to_id=to_id, kind=record.relation, created_at=record.created_at or context.now
    ).on_conflict_ignore().execute()
    return from_id
