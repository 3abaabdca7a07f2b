"""End, release, retry and discard deliveries (attempts.py sends them). Commands join the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from models.conversations import messages
from models.conversations.tables import Message
from models.deliveries.tables import Delivery
from models.events.commands import SYSTEM
from models.events.ticket_payloads import DeliveryFailed
from models.kernel import clock, limits
from models.kernel.errors import Conflict, NotFound
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.kernel.text import ERASED
from models.requesters import commands as requesters
from models.tasks import commands as tasks
from models.tasks.payloads import AdvanceTicket, SendDelivery
from models.tickets.ticket_change import TicketChange


def end(delivery_id: UUID, state: str, *, error: str) -> None:
    """End the delivery without success. The ticket's history and the list of troubled deliveries show it."""
    row = database.run(
        "UPDATE deliveries SET state = :state, last_error = :error, finished_at = :now WHERE id = :id RETURNING"
        " ticket_id, message_id",
        state=state,
        error=short(error),
        now=clock.now(),
        id=delivery_id,
    )[0]
    delivery = Delivery.converted(row)
    change = TicketChange.of(delivery["ticket_id"], actor=SYSTEM, causation_id=f"delivery:{delivery_id}")
    event_id = change.record(
        DeliveryFailed(delivery_id=delivery_id, message_id=delivery["message_id"], state=state, error=short(error))
    )
    if not _is_note(delivery["message_id"]):
        change.enqueue(
            AdvanceTicket(ticket_id=change.ticket.id, event="delivery_failed", about_id=event_id),
            key=f"ticket:{change.ticket.id}",
        )
    change.save()


def _is_note(message_id: UUID) -> bool:
    """Return True for a message of a side conversation: life cycles react to the requester's deliveries only."""
    row = database.one("SELECT kind FROM messages WHERE id = :id", id=message_id)
    return row is not None and row["kind"] == "note"


def end_unsent(delivery_id: UUID, error: str) -> None:
    """Fail a delivery before any call, unless it ended meanwhile."""
    held = database.one(Prepared("SELECT state FROM deliveries WHERE id = :id FOR_UPDATE"), id=delivery_id)
    if held is not None and held["state"] in ("pending", "sending"):
        end(delivery_id, "failed", error=error)


def _reaches_requester(message_id: UUID) -> bool:
    row = database.one("SELECT details FROM messages WHERE id = :id", id=message_id)
    to = None if row is None else Message.converted(row)["details"].get("to")
    return to is None or bool(to["reaches_requester"])


def release(delivery_id: UUID) -> None:
    """Send a scheduled message at its time; the ticket counts as answered now if the message reaches the requester."""
    row = database.one(
        "UPDATE deliveries SET state = 'pending' WHERE id = :id AND state = 'scheduled'"
        " RETURNING channel, account, address, ticket_id, message_id",
        id=delivery_id,
    )
    if row is None:
        return
    _enqueue_send(delivery_id, row, dedupe_key=f"send:{delivery_id}")
    ids = Delivery.converted(row)
    if not _reaches_requester(ids["message_id"]):
        return
    change = TicketChange.of(ids["ticket_id"], actor=SYSTEM, causation_id=f"delivery:{delivery_id}")
    if change.ticket.first_response_at is None:
        change.ticket.first_response_at = change.at
    change.enqueue(
        AdvanceTicket(ticket_id=change.ticket.id, event="agent_reply", message_id=ids["message_id"]),
        key=f"ticket:{change.ticket.id}",
    )
    change.save()


def retry(delivery_id: UUID, *, unsuppress: bool = True) -> None:
    """Send a failed, unknown or discarded delivery again, at a person's request. Raises NotFound, Conflict.

    `unsuppress`: also when the address is suppressed, which it is no longer then.
    """
    row = database.one(
        "UPDATE deliveries SET state = 'pending', finished_at = NULL WHERE id = :id AND state IN ('failed',"
        " 'unknown', 'discarded') AND address <> :erased"
        " RETURNING channel, account, address",
        id=delivery_id,
        erased=ERASED,
    )
    if row is None:
        raise _refused(delivery_id, "retried", "failed, unknown or discarded")
    waiting = database.one(
        "SELECT id FROM tasks WHERE dedupe_key = :key AND state IN ('ready', 'leased')",
        key=f"release:{delivery_id}",
    )
    if waiting is not None:
        # The message was discarded before its scheduled time, so it is scheduled again.
        database.execute("UPDATE deliveries SET state = 'scheduled' WHERE id = :id", id=delivery_id)
        return
    # Unknown outcomes before the person's decision must not count against the new attempt.
    database.execute(
        "UPDATE delivery_attempts SET outcome = 'unknown_accepted_by_person' WHERE delivery_id = :id AND outcome ="
        " 'unknown'",
        id=delivery_id,
    )
    if unsuppress:
        requesters.unsuppress(row["channel"], row["address"])
    _enqueue_send(delivery_id, row, dedupe_key=None)


def discard(delivery_id: UUID) -> None:
    """Discard a pending or failed delivery, at a person's request.

    It is not attempted again. Raises NotFound, Conflict.
    """
    row = database.one(
        "UPDATE deliveries SET state = 'discarded', finished_at = :now WHERE id = :id"
        " AND state IN ('scheduled', 'pending', 'failed', 'unknown') RETURNING id",
        id=delivery_id,
        now=clock.now(),
    )
    if row is None:
        raise _refused(delivery_id, "discarded", "scheduled, pending, failed or unknown")


def _enqueue_send(delivery_id: UUID, row: database.Row, *, dedupe_key: str | None) -> None:
    tasks.enqueue(
        SendDelivery(delivery_id=delivery_id),
        key=messages.send_key(row["channel"], row["account"], row["address"]),
        dedupe_key=dedupe_key,
    )


def _refused(delivery_id: UUID, wish: str, allowed: str) -> Conflict | NotFound:
    row = database.one("SELECT state, address FROM deliveries WHERE id = :id", id=delivery_id)
    if row is None:
        return NotFound(f"there is no delivery {delivery_id}")
    if row["address"] == ERASED:
        return Conflict("the data of the delivery's reader was erased; it cannot be sent again")
    return Conflict(f"the delivery is {row['state']}; only a {allowed} one can be {wish}")


def short(text: str) -> str:
    """Clean and shorten a provider's text for a column."""
    return text.replace("\x00", "�")[: limits.error_chars_max]
