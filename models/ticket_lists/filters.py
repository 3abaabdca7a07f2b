"""The filter of a ticket list, with every name resolved: ids instead of `me`, instants instead of `-2d`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from `since` up to, but without, `until`. None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldValues:
    """The wanted values of a custom field. `hidden_in`: the types whose models hide the field from the caller."""

    name: str
    values: Sequence[str]
    hidden_in: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """The filters of a list. A ticket of the list meets all of them; several values of one filter mean any of them.

    None among `assignees` or `teams` means tickets without one. `tags` must all be on the ticket, of `any_tags` one.
    `addresses` are those of the requester. `without`: tickets that meet one of its filters are
    left out (its `snoozed` and `bin` do not count).
    """

    states: Sequence[str] = ()
    categories: Sequence[str] = ()
    types: Sequence[str] = ()
    priorities: Sequence[str] = ()
    channels: Sequence[str] = ()
    accounts: Sequence[str] = ()
    workflows: Sequence[str] = ()
    teams: Sequence[str | None] = ()
    assignees: Sequence[UUID | None] = ()
    followers: Sequence[UUID] = ()
    mentioned: Sequence[UUID] = ()
    requesters: Sequence[UUID] = ()
    addresses: Sequence[str] = ()
    organisations: Sequence[UUID] = ()
    tags: Sequence[str] = ()
    any_tags: Sequence[str] = ()
    created: Period | None = None
    updated: Period | None = None
    last_message: Period | None = None
    due: Period | None = None
    # The last public message that a person wrote is the requester's.
    unanswered: bool | None = None
    # A delivery of the ticket failed and nobody retried or discarded it.
    failed: bool | None = None
    # The assignee is away.
    assignee_away: bool | None = None
    # A running promise's due instant has passed.
    breached: bool | None = None
    has_file: bool | None = None
    # The user `reader` has a customer's message to read.
    unread: bool | None = None
    reader: UUID | None = None
    fields: Sequence[FieldValues] = ()
    # Snoozed tickets and tickets in the bin: left out, alone, or among the others.
    snoozed: Literal["no", "only", "any"] = "no"
    bin: Literal["no", "deleted", "spam", "any"] = "no"
    without: TicketFilter | None = None
