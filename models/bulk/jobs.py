"""Start, read, cancel and undo bulk changes. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.bulk import limits, outcomes, selection
from models.bulk.acts import ACTS
from models.bulk.selection import Selection
from models.bulk.tables import BulkChange, BulkItem
from models.deliveries.tables import Delivery
from models.identity.rules import Principal
from models.kernel import clock
from models.kernel.errors import Conflict, Forbidden, NotFound
from models.kernel.ids import new_id
from models.kernel.limits import error_chars_max
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import RowView, for_update
from models.tasks import commands as tasks
from models.tasks.payloads import ApplyBulkChange
from models.undo.tables import Undo
from models.visibility.sight import Sight

RUNNING: Final = "running"
FINISHED: Final = "finished"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"


class TooManyBulkChanges(Conflict):
    """Too many bulk changes of yours are running; wait for the end of one, or cancel one."""

    code = "too_many_bulk_changes"


class NothingToUndo(Conflict):
    """The bulk change has nothing that can be undone."""

    code = "nothing_to_undo"


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A bulk change with its progress. `tickets`: the number of all; the other counts are the tickets that had their
    turn, by outcome.
    """

    id: UUID
    kind: str
    acts: Sequence[Mapping[str, Any]]
    selection: Mapping[str, Any] | None
    note: str | None
    state: str
    tickets: int
    changed: int
    unchanged: int
    refused: int
    failed: int
    sends: int
    undoes: UUID | None
    undone_by: UUID | None
    actor_kind: str
    actor_id: str
    actor_name: str
    owner_id: UUID
    started_at: datetime
    finished_at: datetime | None
    error: str | None


_JOB = RowView(BulkJob, BulkChange)


def find(bulk_id: UUID, owner_id: UUID | None = None) -> BulkJob:
    """Read a bulk change. `owner_id`: only one of this user. Raises NotFound."""
    query = BulkChange.select(*_JOB.fields).where(BulkChange.id == bulk_id)
    if owner_id is not None:
        query = query.where(BulkChange.owner_id == owner_id)
    found = _JOB.all(query)
    if not found:
        raise NotFound(f"there is no bulk change {bulk_id}")
    return found[0]


def page(owner_id: UUID, *, before: UUID | None, limit: int) -> list[BulkJob]:
    """List the bulk changes of a user, newest first."""
    query = BulkChange.select(*_JOB.fields).where(BulkChange.owner_id == owner_id)
    if before is not None:
        query = query.where(BulkChange.id < before)
    return _JOB.all(query.order_by(BulkChange.id.desc()).limit(limit))


def items(bulk_id: UUID, *, outcome: str | None, after: int | None, limit: int, sight: Sight) -> list[database.Row]:
    """List the visible tickets of a bulk change in their order, with their outcomes."""
    query = BulkItem.select().where(BulkItem.bulk_id == bulk_id, sight.about(BulkItem.ticket_id))
    if outcome == "waiting":
        query = query.where(BulkItem.outcome.is_null())
    elif outcome is not None:
        query = query.where(BulkItem.outcome == outcome)
    if after is not None:
        query = query.where(BulkItem.position > after)
    return database.rows(query.order_by(BulkItem.position).limit(limit))


def check_rights(acts: Sequence[JsonObject], caller: Principal) -> None:
    """Raise Forbidden for an act that the caller may not take."""
    for act in acts:
        needs = ACTS[act["act"]].needs
        if needs not in caller.permissions:
            raise Forbidden(f"The act {act['act']} needs the permission {needs}.")


def start(wanted: Selection, acts: Sequence[JsonObject], *, note: str | None, caller: Principal) -> BulkJob:
    """Start a bulk change after the commit. Raises Invalid, Forbidden, TooManyBulkChanges."""
    check_rights(acts, caller)
    ids = selection.ticket_ids(wanted, Sight.of(caller))
    return begin("change", acts, ids, caller=caller, note=note, source=wanted.source)


def begin(
    kind: str,
    acts: Sequence[JsonObject],
    ids: Sequence[UUID],
    *,
    caller: Principal,
    note: str | None = None,
    source: JsonObject | None = None,
    undoes: UUID | None = None,
) -> BulkJob:
    """Store a bulk change of these tickets and enqueue its task. Raises TooManyBulkChanges."""
    advisory_lock(f"bulk_changes:{caller.owner_id}")
    running = BulkChange.select().where(BulkChange.owner_id == caller.owner_id, BulkChange.state == RUNNING).count()
    if running >= limits.running_max:
        raise TooManyBulkChanges()
    bulk_id = new_id()
    BulkChange.insert(
        id=bulk_id,
        kind=kind,
        acts=list(acts),
        selection=source,
        note=note,
        state=RUNNING,
        tickets=len(ids),
        undoes=undoes,
        actor_kind=caller.kind,
        actor_id=str(caller.id),
        actor_name=caller.name,
        owner_id=caller.owner_id,
        started_at=clock.now(),
    ).execute()
    selection.write(bulk_id, ids)
    after = {"kind": kind, "acts": [act["act"] for act in acts], "tickets": len(ids)}
    audit.record(AuditAction.bulk_change_started, "bulk_change", bulk_id, after=after)
    _enqueue(bulk_id)
    return find(bulk_id)


def _enqueue(bulk_id: UUID) -> None:
    tasks.enqueue(ApplyBulkChange(bulk_id=bulk_id), key=f"bulk_change:{bulk_id}")


def cancel(bulk_id: UUID, *, caller: Principal) -> BulkJob:
    """Stop a bulk change, and discard those of its sends that have not left. Tickets that had their turn stay changed.

    A change that is over only loses its waiting sends.
    """
    advisory_lock(f"bulk_change:{bulk_id}")
    job = find(bulk_id, caller.owner_id)
    if job.state in (RUNNING, FAILED):
        BulkItem.update(outcome=outcomes.CANCELLED).where(
            BulkItem.bulk_id == bulk_id, BulkItem.outcome.is_null()
        ).execute()
        BulkChange.update(state=CANCELLED, finished_at=clock.now()).where(BulkChange.id == bulk_id).execute()
    discarded = _discard_sends(bulk_id)
    audit.record(AuditAction.bulk_change_cancelled, "bulk_change", bulk_id, after={"sends_discarded": discarded})
    return find(bulk_id)


def _discard_sends(bulk_id: UUID) -> int:
    """Discard the deliveries of a bulk change that no worker has begun to send; return their number."""
    query = BulkItem.select(BulkItem.delivery_ids).where(
        BulkItem.bulk_id == bulk_id, BulkItem.delivery_ids.is_null(False)
    )
    ids = [UUID(one) for row in database.rows(query) for one in row["delivery_ids"]]
    discarded = 0
    for start_ in range(0, len(ids), limits.batch_max):
        part = ids[start_ : start_ + limits.batch_max]
        discarded += (
            Delivery.update(state="discarded", finished_at=clock.now())
            .where(Delivery.id.in_(part), Delivery.state.in_(["pending", "scheduled"]))
            .execute()
        )
    return discarded


def resume(bulk_id: UUID, *, caller: Principal) -> BulkJob:
    """Let a bulk change whose task was given up go on with its next ticket."""
    # As `cancel` does: otherwise this could take a cancellation back that commits meanwhile.
    advisory_lock(f"bulk_change:{bulk_id}")
    job = find(bulk_id, caller.owner_id)
    if job.state == FAILED:
        BulkChange.update(state=RUNNING, error=None).where(BulkChange.id == bulk_id).execute()
        _enqueue(bulk_id)
    return find(bulk_id)


def fail(bulk_id: UUID, reason: str) -> None:
    """Record that the task of a bulk change was given up."""
    BulkChange.update(state=FAILED, error=reason[:error_chars_max]).where(
        BulkChange.id == bulk_id, BulkChange.state == RUNNING
    ).execute()


def undo(bulk_id: UUID, *, caller: Principal) -> BulkJob:
    """Take a bulk change back, as a bulk change of its own. Raises NotFound, NothingToUndo, TooManyBulkChanges.

    Each ticket has an hour from its change. A ticket that moved in its life cycle, or whose change sent something, is
    left out.
    """
    for_update(BulkChange.select(BulkChange.id).where(BulkChange.id == bulk_id)).execute()
    job = find(bulk_id, caller.owner_id)
    if job.state == RUNNING:
        raise NothingToUndo("The bulk change is running; cancel it first.")
    if job.undone_by is not None:
        raise NothingToUndo(f"The bulk change was undone already, by {job.undone_by}.")
    open_undos = Undo.select(Undo.ticket_id).where(
        Undo.group_id == bulk_id, Undo.undone_at.is_null(), Undo.expires_at > clock.now()
    )
    ids = [row["ticket_id"] for row in database.rows(open_undos.order_by(Undo.ticket_id))]
    if not ids:
        raise NothingToUndo(
            "Nothing can be undone: the hour is over, or the change moved the tickets or sent something."
        )
    made = begin("undo", [], ids, caller=caller, undoes=bulk_id)
    BulkChange.update(undone_by=made.id).where(BulkChange.id == bulk_id).execute()
    return made


def collect(*, batch_max: int) -> int:
    """Delete bulk changes that are over for long, with their items; return their number."""
    before = clock.now() - timedelta(seconds=limits.kept_s)
    old = BulkChange.select(BulkChange.id).where(BulkChange.started_at < before, BulkChange.state != RUNNING)
    ids = [row["id"] for row in database.rows(old.limit(batch_max))]
    BulkItem.delete().where(BulkItem.bulk_id.in_(ids)).execute()
    return int(BulkChange.delete().where(BulkChange.id.in_(ids)).execute())
