"""A bulk change: each ticket gets all acts or none, once, by the rules of its life cycle and the caller's rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from models.bulk import jobs, limits, preview, running
from models.bulk.jobs import BulkJob, NothingToUndo
from models.bulk.selection import Selection
from models.identity import principals
from models.identity.rules import Principal
from models.kernel.errors import Forbidden, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks.payloads import CollectGarbage
from models.ticket_actions import commands
from models.ticket_lists.filters import TicketFilter
from models.tickets.tables import Ticket
from models.undo.limits import undo_kept_s, undo_s
from tests.desk import Desk, gapless

HIGH: JsonObject = {"act": "change", "arguments": {"priority": "high"}}
RESOLVE: JsonObject = {"act": "transition", "arguments": {"transition": "resolve"}}
VIP: JsonObject = {"act": "change", "arguments": {"tags": {"add": ["vip"], "remove": ["old"]}}}


def caller(desk: Desk, role: str = "agent") -> Principal:
    found: Principal | None = desk.command(principals.find, desk.person(role))
    assert found is not None
    return found


def started(desk: Desk, tickets: Sequence[Ticket], *acts: JsonObject, role: str = "agent") -> BulkJob:
    chosen = Selection(ids=[ticket.id for ticket in tickets])
    job: BulkJob = desk.command(jobs.start, chosen, list(acts), note=None, caller=caller(desk, role))
    return job


def state_of(desk: Desk, job: BulkJob) -> BulkJob:
    found: BulkJob = desk.command(jobs.find, job.id)
    return found


def done(desk: Desk, tickets: Sequence[Ticket], *acts: JsonObject, role: str = "agent") -> BulkJob:
    job = started(desk, tickets, *acts, role=role)
    desk.run_due()
    return state_of(desk, job)


def items(desk: Desk, job: BulkJob) -> list[dict[str, Any]]:
    return desk.rows("SELECT * FROM bulk_items WHERE bulk_id = :id ORDER BY position", id=job.id)


def test_every_ticket_is_changed_once_and_its_events_name_the_bulk_change(desk: Desk) -> None:
    tickets = [desk.create_ticket() for _ in range(limits.batch_max + 3)]

    job = done(desk, tickets, HIGH, VIP)

    assert (job.state, job.tickets, job.changed, job.refused) == ("finished", len(tickets), len(tickets), 0)
    for ticket in tickets:
        now = desk.reload(ticket)
        assert (now.priority, now.tags) == ("high", ["vip"])
        updates = desk.events(ticket, "ticket_updated")
        assert [event["causation_id"] for event in updates] == [f"bulk:{job.id}"] * 2
        assert gapless([event["sequence"] for event in desk.events(ticket)])


def test_a_refused_ticket_keeps_its_reasons_and_does_not_stop_the_others(desk: Desk) -> None:
    first, closed, last = (desk.create_ticket() for _ in range(3))
    desk.transition(closed, "resolve")
    desk.transition(closed, "close", role="manager")

    job = done(desk, [first, closed, last], HIGH, RESOLVE)

    assert (job.changed, job.refused, job.failed) == (2, 1, 0)
    [refused] = [row for row in items(desk, job) if row["outcome"] == "refused"]
    assert UUID(str(refused["ticket_id"])) == closed.id
    assert refused["code"] == "transition_refused"
    assert desk.reload(closed).priority == "normal", "all acts or none"
    assert desk.reload(last).state == "solved"


def test_a_filter_selects_the_visible_tickets(desk: Desk) -> None:
    mine, other = desk.create_ticket(tags=("a",)), desk.create_ticket(tags=("b",))
    wanted = Selection(filter=TicketFilter(tags=["a"]))

    desk.command(jobs.start, wanted, [HIGH], note=None, caller=caller(desk))
    desk.run_due()

    assert desk.reload(mine).priority == "high"
    assert desk.reload(other).priority == "normal"


def test_too_many_tickets_are_refused_before_the_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        desk.create_ticket()
    monkeypatch.setattr(limits, "tickets_max", 2)

    refused = desk.refused(jobs.start, Selection(filter=TicketFilter()), [HIGH], note=None, caller=caller(desk))

    assert isinstance(refused, Invalid)


def test_a_caller_without_the_permission_of_an_act_cannot_start(desk: Desk) -> None:
    ticket = desk.create_ticket()

    refused = desk.refused(jobs.start, Selection(ids=[ticket.id]), [HIGH], note=None, caller=caller(desk, "accountant"))

    assert isinstance(refused, Forbidden)


def test_rights_are_those_of_the_moment_of_the_run(desk: Desk) -> None:
    ticket = desk.create_ticket()
    job = started(desk, [ticket], HIGH)
    desk.command(database.execute, "UPDATE users SET active = FALSE WHERE email = 'agent@example.test'")

    desk.run_due()

    [item] = items(desk, job)
    assert (item["outcome"], item["code"]) == ("refused", "forbidden")
    assert desk.reload(ticket).priority == "normal"


def test_a_run_that_dies_in_a_batch_changes_each_ticket_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = [desk.create_ticket() for _ in range(limits.batch_max + 5)]
    job = started(desk, tickets, HIGH)
    assert running.step(job.id)

    with monkeypatch.context() as patch:
        # The process ends after the changes of the second batch and before its commit.
        patch.setattr(running, "_store", _die)
        with pytest.raises(KeyboardInterrupt):
            running.step(job.id)
    desk.run_due()

    assert state_of(desk, job).changed == len(tickets)
    assert {len(desk.events(ticket, "ticket_updated")) for ticket in tickets} == {1}


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_cancelled_change_stops_before_the_next_batch(desk: Desk) -> None:
    tickets = [desk.create_ticket() for _ in range(limits.batch_max + 5)]
    job = started(desk, tickets, HIGH)
    running.step(job.id)

    desk.command(jobs.cancel, job.id, caller=caller(desk))
    desk.run_due()

    now = state_of(desk, job)
    assert (now.state, now.changed) == ("cancelled", limits.batch_max)
    assert [row["outcome"] for row in items(desk, job)].count("cancelled") == 5


def test_an_undo_restores_properties_and_keeps_values_that_changed_since(desk: Desk) -> None:
    one = desk.create_ticket(tags=("old", "x"))
    two = desk.create_ticket()
    agent = UUID(desk.person().id or "")
    assign: JsonObject = {"act": "assignment", "arguments": {"assignee_id": str(agent)}}
    snooze: JsonObject = {"act": "snooze", "arguments": {"until": None, "distance": "PT4H", "note": "later"}}
    job = done(desk, [one, two], HIGH, VIP, assign, snooze)
    desk.command(commands.update, two.id, {"priority": "low"}, expected_version=None, actor=desk.person("manager"))

    desk.command(jobs.undo, job.id, caller=caller(desk))
    desk.run_due()

    first, second = desk.reload(one), desk.reload(two)
    assert (first.priority, sorted(first.tags), first.assignee_id, first.snoozed_at) == (
        "normal",
        ["old", "x"],
        None,
        None,
    )
    assert (second.priority, second.tags, second.assignee_id) == ("low", [], None)
    undone = state_of(desk, job).undone_by
    assert undone is not None
    kept = [row for row in items(desk, desk.command(jobs.find, undone)) if "priority" in str(row["reasons"])]
    assert [UUID(str(row["ticket_id"])) for row in kept] == [two.id]


def test_an_undo_is_refused_after_an_hour_and_a_second_time(desk: Desk) -> None:
    ticket = desk.create_ticket()
    job = done(desk, [ticket], HIGH)
    late = done(desk, [desk.create_ticket()], HIGH)
    desk.command(jobs.undo, job.id, caller=caller(desk))
    desk.run_due()

    assert isinstance(desk.refused(jobs.undo, job.id, caller=caller(desk)), NothingToUndo)
    desk.advance(hours=2)
    assert isinstance(desk.refused(jobs.undo, late.id, caller=caller(desk)), NothingToUndo)


def test_a_bulk_undo_that_goes_on_after_its_undos_were_deleted_refuses_the_tickets(desk: Desk) -> None:
    ticket = desk.create_ticket()
    job = done(desk, [ticket], HIGH)
    undo: BulkJob = desk.command(jobs.undo, job.id, caller=caller(desk))
    desk.command(jobs.fail, undo.id, "the worker died")
    for task in desk.tasks("ready"):
        with database.transaction():
            database.execute("UPDATE tasks SET state = 'dead' WHERE id = :id", id=task["id"])
    desk.advance(seconds=undo_s + undo_kept_s + 60)
    desk.command(tasks.enqueue, CollectGarbage(), key=None)
    desk.run_due()

    desk.command(jobs.resume, undo.id, caller=caller(desk))
    desk.run_due()

    now = state_of(desk, undo)
    assert (now.state, now.refused, now.error) == ("finished", 1, None)
    assert [row["code"] for row in items(desk, undo)] == ["undo_expired"]
    assert desk.reload(ticket).priority == "high"


def test_a_transition_has_no_undo(desk: Desk) -> None:
    job = done(desk, [desk.create_ticket()], RESOLVE)

    assert isinstance(desk.refused(jobs.undo, job.id, caller=caller(desk)), NothingToUndo)


def test_sends_of_a_bulk_change_wait_and_a_cancellation_discards_them(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.test", description="Help!")
    desk.run_due()
    before = len(desk.sent)
    kind: JsonObject = {"act": "transition", "arguments": {"transition": "resolve"}}

    job = started(desk, [ticket], kind)
    running.step(job.id)

    waiting = [row for row in desk.deliveries(ticket) if row["state"] == "pending"]
    assert len(desk.sent) == before
    desk.command(jobs.cancel, job.id, caller=caller(desk))
    desk.advance(seconds=limits.sends_wait_s + 1)
    desk.run_due()
    assert len(desk.sent) == before
    states = {row["id"]: row["state"] for row in desk.deliveries(ticket)}
    assert {states[row["id"]] for row in waiting} <= {"discarded"}


def test_a_preview_shows_the_outcome_and_changes_nothing(desk: Desk) -> None:
    good, closed = desk.create_ticket(), desk.create_ticket()
    desk.transition(closed, "resolve")
    desk.transition(closed, "close", role="manager")
    before = (len(desk.events(good)), len(desk.events(closed)), len(desk.tasks()))

    found = desk.command(preview.preview, Selection(ids=[good.id, closed.id]), [HIGH, RESOLVE], caller(desk))

    assert found.tickets == 2
    assert dict(found.counts()) == {"changed": 1, "refused": 1}
    [changed] = [tried for tried in found.sample if tried.outcome.outcome == "changed"]
    assert changed.outcome.differences["priority"] == ["normal", "high"]
    assert changed.outcome.differences["state"][1] == "solved"
    assert (len(desk.events(good)), len(desk.events(closed)), len(desk.tasks())) == before
    assert desk.reload(good).priority == "normal"


def test_two_bulk_changes_of_the_same_tickets_at_once_are_one_after_the_other(desk: Desk) -> None:
    tickets = [desk.create_ticket() for _ in range(5)]
    first = started(desk, tickets, {"act": "change", "arguments": {"tags": {"add": ["a"], "remove": []}}})
    second = started(
        desk, tickets, {"act": "change", "arguments": {"tags": {"add": ["b"], "remove": []}}}, role="admin"
    )

    desk.in_threads(lambda: running.step(first.id), lambda: running.step(second.id))
    desk.run_due()

    for ticket in tickets:
        assert sorted(desk.reload(ticket).tags) == ["a", "b"]
        assert gapless([event["sequence"] for event in desk.events(ticket)])
