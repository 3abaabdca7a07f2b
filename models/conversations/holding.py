"""Lock the ticket in which a message is.

A merge, a split or an undo can move a message between the look-up of its ticket and the lock. Without a second look
under the lock, the event of a message goes into the history of a ticket that it has left.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from models.conversations.tables import Message
from models.events.commands import Actor
from models.kernel.errors import Contention, NotFound
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.tickets import merged
from models.tickets.ticket_change import TicketChange


def change_of(message_id: UUID, *, actor: Actor, causation_id: str | None = None) -> TicketChange:
    """Hold the ticket of a message. Raises NotFound, Contention when the message moved meanwhile, and like
    `TicketChange.of` for people.
    """
    before = _ticket_of(message_id)
    change = TicketChange.of(before, actor=actor, causation_id=causation_id)
    if _ticket_of(message_id) not in (before, change.ticket.id):
        raise Contention()
    return change


def lock_found(find: Callable[[], UUID | None]) -> UUID | None:
    """Lock the ticket that a look-up finds, and the target of a merged one; return the id that was found.

    Raises Contention when the look-up finds another ticket under the lock.
    """
    before = find()
    if before is None:
        return None
    target = merged.lock_target(before)
    if find() not in (before, target.id):
        raise Contention()
    return before


_TICKET_OF = Prepared("SELECT ticket_id FROM messages WHERE id = :id")


def _ticket_of(message_id: UUID) -> UUID:
    row = database.one(_TICKET_OF, id=message_id)
    if row is None:
        raise NotFound(f"there is no message {message_id}")
    ticket_id: UUID = Message.converted(row)["ticket_id"]
    return ticket_id
