"""Events of requesters and organisations. Their audit entries are written by the commands, with the same names."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from models.audit import callers
from models.events import commands as events
from models.events import history
from models.events.commands import SYSTEM, Actor, ActorKind
from models.events.payload import EventPayload
from models.events.people_payloads import RequesterCreated
from models.kernel import clock
from models.kernel.storage.batch import Batch
from models.requesters.tables import Requester

_KINDS: Final[dict[str, ActorKind]] = {"user": "user", "api_key": "api_key"}


def record(aggregate: Literal["requester", "organisation"], aggregate_id: UUID, event: EventPayload) -> None:
    """Write an event of the current caller. Joins the caller's transaction, which holds the aggregate's row."""
    history.append(aggregate, aggregate_id, [event], actor=_actor(), at=clock.now(), is_audited=False)


def add_created(batch: Batch, requester: Requester) -> None:
    """Put the event of a requester who creates themselves by writing into the batch that inserts their row."""
    events.add(
        batch,
        RequesterCreated(organisation_id=requester.organisation_id),
        aggregate="requester",
        aggregate_id=requester.id,
        sequence=1,
        actor=Actor("requester", str(requester.id)),
        at=requester.created_at,
    )


def _actor() -> Actor:
    """Return the user or API key of the current request. A command of the operator and a worker are the desk itself."""
    caller = callers.current()
    kind = _KINDS.get(caller.kind)
    return SYSTEM if kind is None else Actor(kind, caller.id)
