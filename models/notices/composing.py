"""The content of a batch of notices, made in the moment of sending: only tickets that the user sees then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.identity import queries as identity
from models.identity import roles
from models.identity.queries import User
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.notice_settings.rules import Kind
from models.notices import limits as notice_limits
from models.notices.tables import Notice, NoticeDelivery
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight

AnswerKind = Literal["reply", "note"]

# The effect of an answer by mail to a notice of one ticket. The notice shows words of the requester, or it asks for an
# answer to them: the answer is a reply. A notice about the staff's own matters is answered by a note.
ANSWERS: Final[dict[Kind, AnswerKind]] = {
    Kind.new_work: "reply",
    Kind.assigned: "reply",
    Kind.breached: "reply",
    Kind.woken: "reply",
    Kind.followed_message: "note",
    Kind.followed_note: "note",
    Kind.followed_state: "note",
    Kind.mentioned: "note",
    Kind.side_answer: "note",
    Kind.send_failed: "note",
    Kind.life_cycle: "note",
}
# Notices of these kinds show the requester's last message.
_SHOW_LAST: Final = frozenset({Kind.new_work, Kind.assigned, Kind.breached, Kind.woken})


@dataclass(frozen=True, slots=True)
class Item:
    """One notice of a batch. `excerpt`: the message that it is about, shortened. `number` is 0 without a ticket."""

    delivery_id: UUID
    kind: Kind
    text: str
    ticket_id: UUID | None
    number: int
    title: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Content:
    """The notices of a batch that leave, and the ids of the deliveries that are withheld, each with the reason."""

    user: User
    items: tuple[Item, ...]
    withheld: dict[UUID, str]

    @property
    def answer(self) -> AnswerKind | None:
        """The effect of an answer by mail, or None for a batch that takes no answer."""
        if len(self.items) != 1 or self.items[0].ticket_id is None:
            return None
        return ANSWERS.get(self.items[0].kind)


def of_batch(batch_id: UUID, user_id: UUID) -> Content:
    """Return what a batch says now."""
    user = identity.get_user(user_id)
    rows = _rows(batch_id)
    reader = Sight.of_user(user)
    visible = sight.visible_ids(reader, {row["ticket_id"] for row in rows if row["ticket_id"] is not None})
    items, withheld = [], {}
    for row in rows:
        reason = _reason(user, row["ticket_id"], visible)
        if reason is None:
            items.append(_item(row))
        else:
            withheld[row["id"]] = reason
    return Content(user, tuple(items), withheld)


def _rows(batch_id: UUID) -> list[database.Row]:
    query = (
        NoticeDelivery.select(
            NoticeDelivery.id,
            Notice.kind,
            Notice.text,
            Notice.ticket_id,
            Notice.message_id,
            Ticket.number,
            Ticket.title,
        )
        .join(Notice, on=Notice.id == NoticeDelivery.notice_id)
        .join(Ticket, peewee.JOIN.LEFT_OUTER, on=Ticket.id == Notice.ticket_id)
        .where(NoticeDelivery.batch_id == batch_id, NoticeDelivery.state == "handed_over")
    )
    return database.rows(query.order_by(NoticeDelivery.id))


def _reason(user: User, ticket_id: UUID | None, visible: set[UUID]) -> str | None:
    """Return the reason why a notice must not leave now, or None."""
    if not user.active:
        return "the user is not active"
    if ticket_id is None:
        return None
    if not roles.reads_tickets(user.role):
        return "the role of the user reads no tickets"
    return None if ticket_id in visible else "the user does not see the ticket"


def _item(row: database.Row) -> Item:
    kind: Kind = row["kind"]
    return Item(
        row["id"],
        kind,
        row["text"],
        row["ticket_id"],
        row["number"] or 0,
        row["title"] or "",
        _excerpt(row["ticket_id"], row["message_id"], kind),
    )


def _excerpt(ticket_id: UUID | None, message_id: UUID | None, kind: Kind) -> str:
    messages = Message.select(Message.body).where(Message.ticket_id == ticket_id, Message.deleted_at.is_null())
    if message_id is not None:
        messages = messages.where(Message.id == message_id)
    elif kind in _SHOW_LAST:
        messages = messages.where(Message.direction == "inbound").order_by(Message.sequence.desc())
    else:
        return ""
    row = first(messages.limit(1))
    body = "" if row is None else str(row["body"]).strip()
    most = notice_limits.notice_excerpt_chars_max
    return body if len(body) <= most else body[:most].rstrip() + " …"


def record(content: Content, *, state: str, error: str | None = None) -> None:
    """Store the end of a batch. Joins the caller's transaction. A repetition changes nothing."""
    _end([item.delivery_id for item in content.items], state, error)
    for delivery_id, reason in content.withheld.items():
        _end([delivery_id], "withheld", reason)


def _end(ids: Sequence[UUID], state: str, error: str | None) -> None:
    if ids:
        ended = NoticeDelivery.update(state=state, error=error, finished_at=clock.now())
        ended.where(NoticeDelivery.id.in_(list(ids)), NoticeDelivery.state == "handed_over").execute()


def record_error(batch_id: UUID, error: str) -> None:
    """Keep the reason why a batch was not sent yet. Joins the caller's transaction."""
    kept = NoticeDelivery.update(error=error[: limits.error_chars_max])
    kept.where(NoticeDelivery.batch_id == batch_id, NoticeDelivery.state == "handed_over").execute()


def give_up(batch_id: UUID, reason: str) -> None:
    """Fail the notices of a batch whose task used up its attempts. Joins the caller's transaction."""
    ended = NoticeDelivery.update(state="failed", error=reason[: limits.error_chars_max], finished_at=clock.now())
    ended.where(NoticeDelivery.batch_id == batch_id, NoticeDelivery.state == "handed_over").execute()
