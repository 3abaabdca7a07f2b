"""Payloads of the events that a ticket's life cycle causes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.events.payload import UNSET, EventPayload, Items, Json, Unpublished, Unset


class LinkedTicket(TypedDict):
    """A ticket that a life cycle asks for."""

    title: str
    description: str | None
    type: str
    workflow: str | None
    priority: str | None
    team: str | None
    fields: Json
    link: str


class AutomaticMessageWithheld(EventPayload, frozen=True, kw_only=True):
    """An automatic message was not sent."""

    template: str
    reason: str


class AgentsNotified(EventPayload, frozen=True, kw_only=True):
    """A life cycle told agents something."""

    users: Items
    team: Unpublished[str | None]


class EffectWithheld(EventPayload, frozen=True, kw_only=True):
    """An effect of a life cycle could not be carried out."""

    effect: Unpublished[str]
    reason: Unpublished[str]


class WebhookCalled(EventPayload, frozen=True, kw_only=True):
    """A life cycle called a webhook of its own."""

    webhook: str
    event: Unpublished[str]


class FeeCharged(EventPayload, frozen=True, kw_only=True):
    """A fee was charged."""

    kind: Unpublished[str]
    amount_minor: Unpublished[int]
    currency: Unpublished[str]
    user: Unpublished[str]


class RewardGranted(EventPayload, frozen=True, kw_only=True):
    """A reward was granted."""

    kind: Unpublished[str]
    amount_minor: Unpublished[int]
    currency: Unpublished[str]
    user: Unpublished[str]


class LinkedTicketWanted(EventPayload, frozen=True, kw_only=True):
    """A life cycle asked for another ticket."""

    wanted: LinkedTicket


class LinkedTicketMade(EventPayload, frozen=True, kw_only=True):
    """A life cycle opened another ticket."""

    ticket_id: UUID
    number: int
    link: str


class ApprovalRequested(EventPayload, frozen=True, kw_only=True):
    """An approval was asked for."""

    approval_id: UUID
    transition: Unpublished[str]
    team: Unpublished[str]
    needed: Unpublished[int]
    expires_at: Unpublished[datetime | None]
    comment: Unpublished[str | None]


class ApprovalVoted(EventPayload, frozen=True, kw_only=True):
    """Somebody voted on an approval."""

    transition: Unpublished[str]
    user: Unpublished[str]
    vote: Unpublished[str]
    comment: Unpublished[str | None]


class ApprovalDecided(EventPayload, frozen=True, kw_only=True):
    """An approval was decided. `field`: the field whose change withdrew it."""

    transition: Unpublished[str]
    outcome: Unpublished[str]
    field: str | Unset = UNSET


class TransitionRefused(EventPayload, frozen=True, kw_only=True):
    """A move was asked for and refused."""

    event: Unpublished[str]
    transition: Unpublished[str | None]
    reasons: Unpublished[Sequence[str]]


class EventUnmatched(EventPayload, frozen=True, kw_only=True):
    """A life cycle had no rule for something."""

    event: Unpublished[str]
    name: Unpublished[str]


class AutomationStopped(EventPayload, frozen=True, kw_only=True):
    """A chain of rules was ended."""

    event: Unpublished[str]
    reason: Unpublished[str]


class AutomationFailed(EventPayload, frozen=True, kw_only=True):
    """An automation was given up."""

    event: str
    task_id: Unpublished[int]
    reason: str


class SlaWarning(EventPayload, frozen=True, kw_only=True):
    """A promised time is near."""

    target: str
    due_at: Unpublished[datetime | None]


class SlaBreached(EventPayload, frozen=True, kw_only=True):
    """A promised time has passed."""

    target: str
    due_at: Unpublished[datetime | None]


class SignalReceived(EventPayload, frozen=True, kw_only=True):
    """An automation pushed a ticket along."""

    signal: str
    payload: Json
