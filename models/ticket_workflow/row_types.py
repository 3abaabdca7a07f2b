"""The rows that queries about a ticket's life cycle return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class VoteRow(TypedDict):
    """A vote on an approval."""

    approval_id: UUID
    user_id: UUID
    vote: str
    comment: str | None
    at: datetime


class ApprovalRow(TypedDict):
    """An approval with its votes."""

    id: UUID
    transition: str
    team: str
    needed: int
    state: str
    requested_by: str | None
    requested_comment: str | None
    requested_at: datetime
    expires_at: datetime | None
    decided_at: datetime | None
    votes: list[VoteRow]


class LinkRow(TypedDict):
    """A linked ticket. `kind` is its role: child, parent or related."""

    kind: str
    id: UUID
    number: int
    title: str
    state: str
    category: str


class RatingRow(TypedDict):
    """A rating that was asked for, with its ticket."""

    id: UUID
    ticket_id: UUID
    ticket_number: int
    title: str
    requester_id: UUID | None
    score: int | None
    comment: str | None
    changes: int
    asked_at: datetime
    closed_at: datetime | None


class DecisionRow(TypedDict):
    """A reaction of a life cycle, with the trace of each rule."""

    id: UUID
    ticket_id: UUID
    event: str
    workflow: str
    workflow_version: int
    state: str
    at: datetime
    causation_id: str | None
    first_sequence: int
    last_sequence: int
    looks: list[JsonObject]
