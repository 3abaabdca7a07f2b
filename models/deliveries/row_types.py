"""The rows that queries of deliveries return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID


class DeliveryRow(TypedDict):
    """A delivery."""

    id: UUID
    message_id: UUID
    ticket_id: UUID
    channel: str
    account: str
    address: str
    state: str
    automatic: bool
    attempts: int
    external_id: str | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    send_at: datetime | None
    operation: str
    external_ids: list[str]
    provider_id: str | None
    receipt: str | None
    receipt_at: datetime | None
    receipt_detail: str | None


class AttemptRow(TypedDict):
    """An attempt of a delivery."""

    id: UUID
    delivery_id: UUID
    number: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    outcome: str | None
    detail: str | None
    external_id: str | None
    possibly_duplicate: bool
    task_id: int | None


class DeliveryWithAttempts(DeliveryRow):
    """A delivery with its attempts in order."""

    attempt_log: list[AttemptRow]
