"""Queries over deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.conversations.tables import Message
from models.deliveries.row_types import AttemptRow, DeliveryRow, DeliveryWithAttempts
from models.deliveries.tables import Delivery, DeliveryAttempt
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared


def get(delivery_id: UUID) -> DeliveryWithAttempts:
    """Return one delivery with its attempts. Raises NotFound."""
    for row in database.rows_as(DeliveryRow, Delivery.select().where(Delivery.id == delivery_id)):
        return with_attempts([row])[0]
    raise NotFound(f"there is no delivery {delivery_id}")


@dataclass(frozen=True, slots=True)
class Place:
    """The destination of a delivery. `files_of`: its message, if the delivery brings files."""

    channel: str
    account: str
    address: str
    files_of: UUID | None


def address_of(delivery_id: UUID) -> Place | None:
    """Read where a delivery goes; None when it is gone."""
    row = database.one(
        Prepared(
            "SELECT d.channel, d.account, d.address, d.message_id, d.operation, m.attachments FROM deliveries AS d"
            " JOIN messages AS m ON m.id = d.message_id WHERE d.id = :id"
        ),
        id=delivery_id,
    )
    if row is None:
        return None
    listed = Message.converted({"attachments": row["attachments"]})["attachments"]
    message_id: UUID = Delivery.converted(row)["message_id"]
    brings = bool(listed) and row["operation"] != "delete"
    return Place(row["channel"], row["account"], row["address"], message_id if brings else None)


def of_ticket(
    ticket_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int | None = None
) -> list[DeliveryWithAttempts]:
    """Return a ticket's deliveries with attempts, oldest first, after the cursor position; all of
    them without a limit.
    """
    query = Delivery.select().where(Delivery.ticket_id == ticket_id)
    if after is not None:
        at, delivery_id = after
        query = query.where((Delivery.created_at > at) | ((Delivery.created_at == at) & (Delivery.id > delivery_id)))
    return with_attempts(database.rows_as(DeliveryRow, query.order_by(Delivery.created_at, Delivery.id).limit(limit)))


def of_messages(message_ids: Sequence[UUID]) -> dict[UUID, list[DeliveryRow]]:
    """Return the deliveries of each message, without attempts."""
    found: dict[UUID, list[DeliveryRow]] = {}
    if message_ids:
        for row in database.rows_as(DeliveryRow, Delivery.select().where(Delivery.message_id.in_(list(message_ids)))):
            found.setdefault(row["message_id"], []).append(row)
    return found


def page(
    *, state: str | None, before: tuple[datetime, UUID] | None, limit: int, only: Any = None
) -> list[DeliveryWithAttempts]:
    """Return a page of deliveries with attempts, newest first, before the cursor position. `only`: a further
    condition.
    """
    query = Delivery.select()
    if only is not None:
        query = query.where(only)
    if state is not None:
        query = query.where(Delivery.state == state)
    if before is not None:
        at, delivery_id = before
        query = query.where((Delivery.created_at < at) | ((Delivery.created_at == at) & (Delivery.id < delivery_id)))
    return with_attempts(
        database.rows_as(DeliveryRow, query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit))
    )


def with_attempts(deliveries: list[DeliveryRow]) -> list[DeliveryWithAttempts]:
    """Add to each delivery its attempts in order."""
    by_id: dict[UUID, list[AttemptRow]] = {row["id"]: [] for row in deliveries}
    if by_id:
        attempts = (
            DeliveryAttempt.select()
            .where(DeliveryAttempt.delivery_id.in_(list(by_id)))
            .order_by(DeliveryAttempt.number)
        )
        for attempt in database.rows_as(AttemptRow, attempts):
            by_id[attempt["delivery_id"]].append(attempt)
    return [{**row, "attempt_log": by_id[row["id"]]} for row in deliveries]
