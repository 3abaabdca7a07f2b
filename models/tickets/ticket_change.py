"""The unit of work of one ticket: writes the row, its messages, its events and its tasks together.

The change holds the ticket's row from the start. So messages and events get their numbers without races, and the tasks
of one ticket get ids in commit order, which keeps them in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.events import commands as events
from models.events.commands import Actor
from models.events.payload import Cause, EventPayload
from models.kernel import clock
from models.kernel.errors import PreconditionFailed
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, as_json
from models.kernel.storage.prepared import Prepared
from models.requesters.tables import Requester
from models.sla.clocks import Clock
from models.tasks import commands as tasks
from models.tasks.payloads import (
    CallWebhook,
    MakeLinkedTicket,
    NotifyPeople,
    Payload,
    ReleaseMessage,
    SendDelivery,
    TellStaff,
)
from models.tickets import bin as bin_
from models.tickets import merged, news, queries, staff_groups, surroundings
from models.tickets.surroundings import Surroundings
from models.tickets.tables import Ticket


class TicketChange:
    """Collects what happens to a ticket; `save` writes it. Joins the caller's transaction."""

    def __init__(
        self,
        ticket: Ticket,
        *,
        actor: Actor,
        new: bool,
        causation_id: str | None = None,
        requester: Requester | None = None,
    ) -> None:
        """`requester`: who asks, where the caller knows it already; the change does not look it up."""
        self.ticket = ticket
        self.actor = actor
        self.requester = requester
        self.at: datetime = clock.now()
        self.batch = Batch()
        self._within = surroundings.current()
        self.causation_id = causation_id or (self._within.causation_id if self._within is not None else None)
        self.tasks: list[Mapping[str, Any]] = []
        # SLA clocks, once the life cycle has read or changed them in this change.
        self.clocks: dict[str, Clock] | None = None
        # The event of this change that the workflow reacts to (ticket_created, agent_reply ...).
        self.event = ""
        # Whether the ticket moved to the life cycle of another type in this change. It does so once at most.
        self.is_reclassified = False
        # Whether the strategies of teams leave the assignee alone: an undo restores the assignee from before.
        self.keeps_assignee = False
        # The rating that was asked for last in this change.
        self.rating_id: UUID | None = None
        # The failed delivery or the missed promise that this change is about: its notices are not doubled.
        self.about_id: UUID | None = None
        # Events that may concern users, with their ids.
        self._news: list[tuple[UUID, EventPayload, Actor]] = []
        self._new = new
        self._before = None if new else ticket.row()
        self._sequence_before = 0 if new else ticket.event_sequence

    @classmethod
    def of(cls, ticket_id: UUID, *, actor: Actor, causation_id: str | None = None) -> TicketChange:
        """Hold an existing ticket. Raises NotFound.

        The desk and requesters act on the target of a merged ticket instead. A user or an API key, who chose the
        ticket and perhaps may not see its target, gets TicketMerged; of a ticket in the bin, TicketInBin.
        """
        ticket = queries.lock(ticket_id)
        if ticket.merged_into is not None:
            if actor.kind in ("user", "api_key"):
                raise merged.refusal(ticket)
            ticket = merged.lock_target(ticket_id)
        if ticket.binned_at is not None and actor.kind in ("user", "api_key"):
            raise bin_.refusal(ticket)
        return cls(ticket, actor=actor, new=False, causation_id=causation_id)

    @classmethod
    def of_exactly(cls, ticket_id: UUID, *, actor: Actor) -> TicketChange:
        """Hold an existing ticket, merged or not. Raises NotFound."""
        return cls(queries.lock(ticket_id), actor=actor, new=False)

    def expect_version(self, expected: int | None) -> None:
        """Raise PreconditionFailed if the ticket is not at the version that the caller read; None expects nothing."""
        if expected is not None and self.ticket.version != expected:
            raise PreconditionFailed(f"If-Match: expected version {self.ticket.version}, found {expected}")

    @property
    def is_new(self) -> bool:
        """Return True if the ticket's row does not exist yet."""
        return self._new

    def record(self, event: EventPayload, *, cause: Cause | None = None, actor: Actor | None = None) -> UUID:
        """Append an event to the ticket's history; returns its id. See `events.add` for `event` and `cause`."""
        self.ticket.event_sequence += 1
        event_id = events.add(
            self.batch,
            event,
            aggregate="ticket",
            aggregate_id=self.ticket.id,
            sequence=self.ticket.event_sequence,
            actor=actor or self.actor,
            cause=cause,
            at=self.at,
            causation_id=self.causation_id,
        )
        self._news.append((event_id, event, actor or self.actor))
        return event_id

    def enqueue(
        self,
        payload: Payload,
        *,
        key: str | None,
        due_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Add a task that commits with the change and wakes a worker after it."""
        if self._within is not None:
            due_at = self._waiting(payload, due_at, self._within)
        self.tasks.append(
            tasks.row(
                payload,
                key=key,
                due_at=due_at,
                dedupe_key=dedupe_key,
                caused_by=f"ticket:{self.ticket.number}",
            )
        )

    def _waiting(self, payload: Payload, due_at: datetime | None, within: Surroundings) -> datetime | None:
        """Note what leaves the desk for the larger act, and return the instant at which it leaves."""
        if isinstance(payload, CallWebhook | MakeLinkedTicket):
            within.calls_out = True
        if not isinstance(payload, SendDelivery | ReleaseMessage):
            return due_at
        within.delivery_ids.append(payload.delivery_id)
        wait = timedelta(seconds=within.sends_wait_s)
        return self.at + wait if due_at is None and wait else due_at

    def save(self, *, visible: bool = True) -> Ticket:
        """Write everything. `visible` changes raise the version (the ETag); a recorded refusal does not."""
        ticket = self.ticket
        if self._new:
            first = Batch()
            first.insert("tickets", ticket.row())
            first.extend(self.batch)
            self.batch = first
        else:
            if self.actor.kind == "user" and ticket.woken_at is not None:
                ticket.woken_at = None  # a person has seen it
            if visible:
                ticket.version += 1
                ticket.updated_at = self.at
            self._update_row()
            if self._within is not None:
                assert self._before is not None
                self._within.changed(ticket.id, self._before, ticket.row())
        if ticket.event_sequence > self._sequence_before:
            self._tell_staff()
            self._notify_people()
        for task in self.tasks:
            tasks.add(self.batch, task)
        tasks.write(self.batch)
        return ticket

    def _update_row(self) -> None:
        """Write the columns that changed."""
        assert self._before is not None
        after = self.ticket.row()
        values = {name: value for name, value in after.items() if value != self._before[name]}
        if not values:
            return
        for name in values.keys() & {"fields", "tags", "former_types"}:
            values[name] = as_json(values[name])
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        database.execute(
            Prepared(f"UPDATE tickets SET {assignments} WHERE id = :ticket_id"), values, ticket_id=self.ticket.id
        )

    def _tell_staff(self) -> None:
        """Enqueue a post in the ticket's topic for each staff group that follows it."""
        for account in staff_groups.that_hear_of(self.ticket, (event for _, event, _ in self._news)):
            names = f"{account.channel}:{account.name}"
            payload = TellStaff(channel=account.channel, account=account.name, ticket_id=self.ticket.id)
            self.enqueue(payload, key=f"staff:{names}:{self.ticket.id}")

    def _notify_people(self) -> None:
        """Enqueue the notices of the events that concern users."""
        for event_id in news.of_interest(self.ticket, self._news):
            self.enqueue(NotifyPeople(ticket_id=self.ticket.id, event_id=event_id), key=None)
