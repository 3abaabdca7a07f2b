"""Run a bulk change, a batch of tickets at a time. Each batch is a transaction that stores the outcomes with the
changes, so a repeated task goes on with the tickets that have no outcome yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from models.bulk import jobs, limits, outcomes
from models.bulk.jobs import BulkJob
from models.bulk.outcomes import Outcome
from models.bulk.tables import BulkChange, BulkItem
from models.events.commands import Actor, ActorKind
from models.identity import principals
from models.identity.rules import Principal
from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.batch import as_json
from models.tickets import queries as tickets
from models.tickets.surroundings import Surroundings
from models.tickets.tables import Ticket
from models.undo.tables import Undo
from models.visibility import sight
from models.visibility.sight import Sight


def step(bulk_id: UUID) -> bool:
    """Change the next tickets; return True while some are left. Opens its own transaction."""
    with database.transaction():
        # Also held by the cancellation: a batch is before it or never runs.
        advisory_lock(f"bulk_change:{bulk_id}")
        job = jobs.find(bulk_id)
        if job.state != jobs.RUNNING:
            return False
        waiting = BulkItem.select(BulkItem.position, BulkItem.ticket_id).where(
            BulkItem.bulk_id == bulk_id, BulkItem.outcome.is_null()
        )
        batch = database.rows(waiting.order_by(BulkItem.position).limit(limits.batch_max))
        if not batch:
            BulkChange.update(state=jobs.FINISHED, error=None, finished_at=clock.now()).where(
                BulkChange.id == bulk_id
            ).execute()
            return False
        found = _run(job, [row["ticket_id"] for row in batch])
        _store(bulk_id, {row["position"]: found[row["ticket_id"]] for row in batch})
    return True


def _run(job: BulkJob, ticket_ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """Return the outcome of each ticket, by the caller's present rights and sight."""
    kind: ActorKind = "user" if job.actor_kind == "user" else "api_key"
    caller = principals.find(Actor(kind, job.actor_id, job.actor_name))
    if caller is None:
        refused = Outcome(outcomes.REFUSED, "forbidden", ("its caller may not act any more",))
        return dict.fromkeys(ticket_ids, refused)
    tickets.lock_all(ticket_ids)
    visible = _visible(caller, ticket_ids)
    undo_ids = _undo_ids(job, ticket_ids)
    found = {}
    for ticket_id in ticket_ids:
        if ticket_id not in visible:
            found[ticket_id] = Outcome(outcomes.REFUSED, "not_found", (f"there is no ticket {ticket_id}",))
        elif job.kind == "undo":
            found[ticket_id] = outcomes.run_undo(undo_ids.get(ticket_id), caller, ticket_id, _around(job))
        else:
            found[ticket_id] = outcomes.run_acts(
                ticket_id, [dict(act) for act in job.acts], caller, _around(job), group_id=job.id
            )
    return found


def _around(job: BulkJob) -> Surroundings:
    return Surroundings(causation_id=f"bulk:{job.id}", sends_wait_s=limits.sends_wait_s)


def _visible(caller: Principal, ticket_ids: Sequence[UUID]) -> set[UUID]:
    seen = Sight.of(caller)
    if seen.sees_all:
        return {row["id"] for row in database.rows(Ticket.select(Ticket.id).where(Ticket.id.in_(ticket_ids)))}
    return sight.visible_ids(seen, set(ticket_ids))


def _undo_ids(job: BulkJob, ticket_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    if job.undoes is None:
        return {}
    query = Undo.select(Undo.ticket_id, Undo.id).where(Undo.group_id == job.undoes, Undo.ticket_id.in_(ticket_ids))
    return {row["ticket_id"]: row["id"] for row in database.rows(query)}


def _store(bulk_id: UUID, found: dict[int, Outcome]) -> None:
    """Write the outcomes. Tickets with the same outcome and nothing else to store share a statement."""
    plain: dict[str, list[int]] = {}
    for position, one in found.items():
        if one.undo_id is None and not one.reasons and not one.delivery_ids:
            plain.setdefault(one.outcome, []).append(position)
            continue
        database.execute(
            "UPDATE bulk_items SET outcome = :outcome, code = :code, reasons = :reasons, undo_id = :undo_id,"
            " delivery_ids = :delivery_ids WHERE bulk_id = :bulk AND position = :position",
            outcome=one.outcome,
            code=one.code,
            reasons=as_json(list(one.reasons)),
            undo_id=one.undo_id,
            delivery_ids=as_json(list(one.delivery_ids)) if one.delivery_ids else None,
            bulk=bulk_id,
            position=position,
        )
    for outcome, positions in plain.items():
        BulkItem.update(outcome=outcome).where(BulkItem.bulk_id == bulk_id, BulkItem.position.in_(positions)).execute()
    counts = Counter(one.outcome for one in found.values())
    database.execute(
        "UPDATE bulk_changes SET changed = changed + :changed, unchanged = unchanged + :unchanged,"
        " refused = refused + :refused, failed = failed + :failed, sends = sends + :sends WHERE id = :id",
        {name: counts[name] for name in ("changed", "unchanged", "refused", "failed")},
        sends=sum(len(one.delivery_ids) for one in found.values()),
        id=bulk_id,
    )
