"""Read, store and delete drafts. Commands join the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

import peewee

from models.drafts.tables import Draft
from models.kernel import clock
from models.kernel.errors import Conflict, NotFound, PreconditionFailed
from models.kernel.storage import database
from models.tickets.tables import Ticket

# -- limits ----------------------------------------------------------------------------------------------------
drafts_per_user_max = 500  # far above what a person has open; a program that fills the table is stopped
unused_s = 90 * 24 * 3600  # after which a forgotten draft is deleted: its text is about a customer
excerpt_chars = 200  # enough to recognise a draft in a list


class TooManyDrafts(Conflict):
    """The caller has too many drafts; delete some."""

    code = "too_many_drafts"


@dataclass(frozen=True, slots=True)
class DraftText:
    """The content of a draft."""

    kind: str
    body: str
    body_format: str
    recipient: str | None
    copies: list[str] | None
    attachments: list[UUID]
    seen_message_id: UUID | None


class DraftRow(TypedDict):
    """A stored draft."""

    ticket_id: UUID
    user_id: UUID
    kind: str
    body: str
    body_format: str
    recipient: str | None
    copies: list[str] | None
    attachments: list[str]
    seen_message_id: UUID | None
    version: int
    updated_at: datetime


class ListedDraft(TypedDict):
    """A draft in the list of a person's drafts."""

    ticket_id: UUID
    ticket_number: int
    ticket_title: str
    kind: str
    excerpt: str
    updated_at: datetime


def find(ticket_id: UUID, user_id: UUID) -> DraftRow:
    """Return a user's draft in a ticket. Raises NotFound."""
    for row in database.rows_as(DraftRow, Draft.select().where(_is(ticket_id, user_id))):
        return row
    raise NotFound("you have no draft in this ticket")


def page(user_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int, only: Any = None) -> list[ListedDraft]:
    """Return a user's drafts, newest first, before a position (time, ticket). `only`: a condition over Ticket."""
    query = (
        Draft.select(
            Draft.ticket_id,
            Ticket.number.alias("ticket_number"),
            Ticket.title.alias("ticket_title"),
            Draft.kind,
            peewee.fn.SUBSTR(Draft.body, 1, excerpt_chars).alias("excerpt"),
            Draft.updated_at,
        )
        .join(Ticket, on=(Ticket.id == Draft.ticket_id))
        .where(Draft.user_id == user_id)
    )
    if only is not None:
        query = query.where(only)
    if before is not None:
        at, ticket_id = before
        query = query.where((Draft.updated_at < at) | ((Draft.updated_at == at) & (Draft.ticket_id < ticket_id)))
    return database.rows_as(ListedDraft, query.order_by(Draft.updated_at.desc(), Draft.ticket_id.desc()).limit(limit))


def store(ticket_id: UUID, user_id: UUID, text: DraftText, *, expected_version: int | None) -> DraftRow:
    """Store a user's draft in a ticket and return it.

    `expected_version`: the version that the caller read, 0 for none; None overwrites. Raises PreconditionFailed when
    another window stored a version meanwhile, TooManyDrafts.
    """
    stored = database.one(
        "SELECT version FROM drafts WHERE ticket_id = :ticket AND user_id = :user FOR_UPDATE",
        ticket=ticket_id,
        user=user_id,
    )
    version = 0 if stored is None else int(stored["version"])
    if expected_version not in (None, version):
        raise PreconditionFailed(f"If-Match: expected version {version}, found {expected_version}")
    if stored is None and Draft.select().where(Draft.user_id == user_id).count() >= drafts_per_user_max:
        raise TooManyDrafts(f"expected at most {drafts_per_user_max} drafts; delete some")
    values: dict[peewee.Field, object] = {
        Draft.kind: text.kind,
        Draft.body: text.body,
        Draft.body_format: text.body_format,
        Draft.recipient: text.recipient,
        Draft.copies: text.copies,
        Draft.attachments: [str(one) for one in text.attachments],
        Draft.seen_message_id: text.seen_message_id,
        Draft.version: version + 1,
        Draft.updated_at: clock.now(),
    }
    if stored is not None:
        Draft.update(values).where(_is(ticket_id, user_id)).execute()
    else:
        # The returned column, and not the count of rows: on PostgreSQL peewee reads what an INSERT returns.
        insert = Draft.insert({Draft.ticket_id: ticket_id, Draft.user_id: user_id, **values}).on_conflict_ignore()
        if not list(insert.returning(Draft.version).execute()):
            raise PreconditionFailed("another window stored this draft at the same moment; read it again")
    return find(ticket_id, user_id)


def delete(ticket_id: UUID, user_id: UUID) -> None:
    """Delete a user's draft in a ticket, if there is one."""
    Draft.delete().where(_is(ticket_id, user_id)).execute()


def collect(*, batch_max: int) -> int:
    """Delete up to `batch_max` drafts that were not changed for `unused_s`, and return their number."""
    before = clock.now() - timedelta(seconds=unused_s)
    return int(
        database.execute(
            "DELETE FROM drafts WHERE (ticket_id, user_id) IN (SELECT ticket_id, user_id FROM drafts"
            " WHERE updated_at < :before LIMIT :batch)",
            before=before,
            batch=batch_max,
        ).rowcount
    )


def _is(ticket_id: UUID, user_id: UUID) -> peewee.Expression:
    found: peewee.Expression = (Draft.ticket_id == ticket_id) & (Draft.user_id == user_id)
    return found
