"""Read the tickets of an export with their conversations, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.attachments import queries as attachments
from models.attachments.row_types import AttachmentRow
from models.conversations.tables import Message, MessageReference, TicketParticipant
from models.events.tables import EventRow
from models.identity.tables import UserRow
from models.imports import form
from models.imports.courses import IMPORTED
from models.infomodel import published
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.database import Row
from models.kernel.storage.table import Table
from models.requesters.tables import Requester
from models.ticket_actions.sorting.tables import TimeEntry
from models.ticket_workflow.tables import Rating
from models.tickets.tables import Ticket, TicketFollower


@dataclass(frozen=True, slots=True)
class Names:
    """The addresses of the users, and the requesters into whom others were merged."""

    emails: dict[UUID, str]
    merged: dict[UUID, UUID]

    @classmethod
    def read(cls) -> Names:
        emails = {row["id"]: row["email"] for row in database.rows(UserRow.select(UserRow.id, UserRow.email))}
        query = Requester.select(Requester.id, Requester.merged_into).where(Requester.merged_into.is_null(False))
        return cls(emails, {row["id"]: row["merged_into"] for row in database.rows(query)})

    def requester(self, requester_id: UUID | None) -> str | None:
        """Return the id of the requester at the end of a chain of merges."""
        while requester_id in self.merged:
            requester_id = self.merged[requester_id]
        return text_of(requester_id)


def text_of(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def grouped(table: type[Table], column: Any, owners: Sequence[Any], order: Any) -> defaultdict[UUID, list[Row]]:
    """Read the rows of a page's owners, by owner."""
    ids = [one["id"] if isinstance(one, dict) else one for one in owners]
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in database.rows(table.select().where(column.in_(ids)).order_by(order)) if ids else ():
        found[row[column.name]].append(row)
    return found


def fields_of(model: str, fields: JsonObject) -> JsonObject:
    """The values with users as addresses: their ids are of this desk alone."""
    entity = published.entity(model.removeprefix("entity.")) if model.startswith("entity.") else published.find(model)
    if entity is None:
        return fields
    return {
        name: _email(value) if (field := entity.fields.get(name)) is not None and field.kind == "person" else value
        for name, value in fields.items()
    }


def _email(value: Any) -> Any:
    user_id = parse_id(str(value))
    row = UserRow.get_or_none(UserRow.id == user_id) if user_id is not None else None
    return value if row is None else row.email


def read(tickets: Sequence[Ticket], names: Names) -> list[form.Ticket]:
    ids, emails = [one.id for one in tickets], names.emails
    messages = grouped(Message, Message.ticket_id, ids, Message.sequence)
    message_ids = [row["id"] for rows in messages.values() for row in rows]
    files: dict[UUID, list[AttachmentRow]] = {}
    references: dict[UUID, list[str]] = defaultdict(list)
    for start in range(0, len(message_ids), 500):
        part = message_ids[start : start + 500]
        files |= attachments.of_messages(part)
        query = MessageReference.select().where(MessageReference.message_id.in_(part))
        for row in database.rows(query.order_by(MessageReference.external_id)):
            references[row["message_id"]].append(row["external_id"])
    participants = grouped(TicketParticipant, TicketParticipant.ticket_id, ids, TicketParticipant.address)
    followers = grouped(TicketFollower, TicketFollower.ticket_id, ids, TicketFollower.created_at)
    times = grouped(TimeEntry, TimeEntry.ticket_id, ids, TimeEntry.id)
    ratings = grouped(Rating, Rating.ticket_id, ids, Rating.id)
    courses = _courses(ids)
    return [
        form.Ticket(
            id=str(one.id),
            number=one.number,
            title=one.title,
            type=one.type,
            priority=one.priority,
            state=one.state,
            workflow=one.workflow,
            requester=names.requester(one.requester_id),
            assignee=emails.get(one.assignee_id) if one.assignee_id else None,
            team=one.team,
            channel=one.channel,
            account=one.account,
            contact=_contact(one),
            fields=fields_of(one.type, one.fields),
            tags=one.tags,
            created_at=one.created_at,
            updated_at=one.updated_at,
            first_response_at=one.first_response_at,
            solved_at=one.solved_at,
            closed_at=one.closed_at,
            participants=[_participant(row) for row in participants[one.id]],
            followers=sorted(emails[row["user_id"]] for row in followers[one.id] if row["user_id"] in emails),
            course=_course(courses[one.id], emails),
            times=[
                form.Time(
                    user=emails[row["user_id"]],
                    minutes=row["minutes"],
                    created_at=row["created_at"],
                    note=row["note"],
                )
                for row in times[one.id]
            ],
            ratings=[
                form.Rating(
                    asked_at=row["asked_at"], score=row["score"], comment=row["comment"], rated_at=row["rated_at"]
                )
                for row in ratings[one.id]
            ],
            messages=[
                _message(row, files.get(row["id"], []), references[row["id"]], names) for row in messages[one.id]
            ],
        )
        for one in tickets
    ]


def _contact(ticket: Ticket) -> form.Contact | None:
    if ticket.contact_channel is None or ticket.contact_address is None:
        return None
    return form.Contact(
        channel=ticket.contact_channel,
        address=ticket.contact_address,
        account=ticket.contact_account,
        grade=ticket.contact_grade,
    )


def _participant(row: Row) -> form.Participant:
    names = ("channel", "address", "name", "role", "added_at", "confirmed_at")
    return form.Participant(**{name: row[name] for name in names})


_COURSE = ("ticket_created", "ticket_state_changed", "ticket_migrated", "ticket_reclassified", "ticket_assigned")


def _courses(ids: Sequence[UUID]) -> defaultdict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    query = EventRow.select(
        EventRow.aggregate_id,
        EventRow.event_type,
        EventRow.occurred_at,
        EventRow.actor_kind,
        EventRow.actor_id,
        EventRow.payload,
    ).where(EventRow.aggregate == "ticket", EventRow.aggregate_id.in_(ids), EventRow.event_type.in_(_COURSE))
    for row in database.rows(query.order_by(EventRow.aggregate_id, EventRow.sequence)):
        found[row["aggregate_id"]].append(row)
    return found


def _course(events: Sequence[Row], emails: dict[UUID, str]) -> list[form.Step]:
    steps = []
    for row in events:
        payload, at = row["payload"], row["occurred_at"]
        actor_id = parse_id(row["actor_id"] or "") if row["actor_kind"] == "user" else None
        by = emails.get(actor_id) if actor_id is not None else None
        match row["event_type"]:
            case "ticket_created":
                steps.append(form.Step(at=at, state=payload["state"]))
            case "ticket_state_changed":
                transition = None if payload["transition"] == IMPORTED else payload["transition"]
                steps.append(form.Step(at=at, state=payload["to"], transition=transition, by=by))
            case "ticket_assigned":
                user_id = parse_id(str(payload["to"]))
                email = emails.get(user_id) if user_id is not None else None
                steps.append(form.Step(at=at, assignee=email, unassigned=email is None, by=by))
            case _:
                steps.append(form.Step(at=at, state=payload["to"]["state"], by=by))
    return steps


def _message(row: Row, files: Sequence[AttachmentRow], references: Sequence[str], names: Names) -> form.Message:
    return form.Message(
        id=str(row["id"]),
        author=_author(row, names),
        created_at=row["created_at"],
        body=row["body"],
        direction=row["direction"],
        kind=row["kind"],
        subject=row["subject"],
        body_full=row["body_full"],
        body_format=row["body_format"],
        # As the provider's HTML would name inline pictures: the import cleans the HTML again.
        body_html=_with_cids(row["body_html_remote"] or row["body_html"]),
        channel=row["channel"],
        account=row["account"],
        external_id=row["external_id"],
        in_reply_to=row["in_reply_to"],
        references=[one for one in references if one != row["external_id"]],
        automatic=row["automatic"],
        by_machine=row["by_machine"],
        verdict=row["verdict"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        details=row["details"] or {},
        copies=row["copies"] or [],
        reactions=row["reactions"] or {},
        files=[_file(one) for one in files],
    )


def _with_cids(html: str | None) -> str | None:
    return None if html is None else html.replace(' data-cid="', ' src="cid:')


def _author(row: Row, names: Names) -> form.Author:
    author_id, kind = row["author_id"], row["author_kind"]
    return form.Author(
        kind=kind,
        id=names.requester(author_id) if kind == "requester" else None,
        email=names.emails.get(author_id) if kind == "agent" else None,
        name=row["author_name"],
    )


def _file(row: AttachmentRow) -> form.File:
    sha256 = row["sha256"] if row["object_key"] is not None else None
    return form.File(
        filename=row["filename"],
        content_type=row["content_type"],
        path=None if sha256 is None else f"files/{sha256}",
        sha256=sha256,
        size_bytes=row["size_bytes"],
        inline=row["inline"],
        hidden=row["hidden"],
        content_id=row["content_id"],
        reason=row["reason"] if sha256 is None else None,
    )
