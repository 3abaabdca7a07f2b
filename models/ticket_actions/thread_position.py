"""Hold a reply whose author has not seen what others wrote meanwhile."""

from __future__ import annotations

from uuid import UUID

import peewee

from models.conversations import messages
from models.conversations.tables import Message
from models.events.commands import Actor
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.tickets.ticket_change import TicketChange

# The problem names so many messages at most; the count has all of them. A console reads the others as a list.
shown_messages_max = 20


class ThreadMovedOn(Conflict):
    """Others wrote messages after the one that the author saw last. Nothing was sent."""

    code = "thread_moved_on"

    def __init__(self, message: str, new_messages: list[JsonObject]) -> None:
        super().__init__(message)
        # Members of the problem document.
        self.members = {"new_messages": new_messages}


def check_seen(change: TicketChange, seen_message: UUID) -> None:
    """Raise ThreadMovedOn if others wrote messages to the ticket after `seen_message`.

    The desk's own automatic messages do not count, nor do messages that were deleted. The ticket's row is held, so no
    message can come between the check and the reply. Raises Invalid for a message of another ticket.
    """
    seen = Message.select(Message.sequence).where(
        (Message.id == seen_message) & (Message.ticket_id == change.ticket.id)
    )
    position = next((row["sequence"] for row in database.rows(seen)), None)
    if position is None:
        raise Invalid([FieldProblem("/seen_message", "expected the id of a message of this ticket")])
    conditions = [
        Message.ticket_id == change.ticket.id,
        Message.sequence > position,
        Message.author_kind != "system",
        Message.deleted_at.is_null(),
        ~_is_by(change.actor),
    ]
    query = Message.select(
        Message.id, Message.sequence, Message.kind, Message.author_kind, Message.author_name, Message.created_at
    )
    rows = list(database.rows(query.where(*conditions).order_by(Message.sequence).limit(shown_messages_max)))
    if not rows:
        return
    count = Message.select().where(*conditions).count() if len(rows) == shown_messages_max else len(rows)
    raise ThreadMovedOn(_sentence(count), [_shown(row) for row in rows])


def _is_by(actor: Actor) -> peewee.Expression:
    kind, author_id, _ = messages.actor_author(actor)
    is_author: peewee.Expression = (Message.author_kind == kind) & (Message.author_id.is_null(False))
    return is_author & (Message.author_id == author_id)


def _sentence(count: int) -> str:
    what = "1 message was added" if count == 1 else f"{count} messages were added"
    return f"{what} after the one that you saw last. Read what is new, or send `send_anyway: true`."


def _shown(row: database.Row) -> JsonObject:
    return {
        "id": str(row["id"]),
        "sequence": row["sequence"],
        "kind": row["kind"],
        "author_kind": row["author_kind"],
        "author_name": row["author_name"],
        "created_at": row["created_at"].isoformat(),
    }
