"""A replay drives the tickets that its starter sees, and shows money to those who read the ledger."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from models.kernel.storage import database
from models.ticket_workflow import jobs
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_visibility import hide

pytestmark = sqlite_only


@pytest.fixture
def hidden(desk: Desk, machine: Caller) -> Any:
    """Two tickets of everybody's and one of a team whose tickets only its members see."""
    machine.ticket("Lamp")
    machine.ticket("Chair")
    hide(desk, members=("agent",))
    ticket = machine.ticket("Zanzibar")
    machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"team": "hr"}, headers={"If-Match": "*"})
    permissions = ["definitions_manage", "definitions_read", "tickets_read"]
    machine.made("/v1/roles", {"name": "designer", "permissions": permissions})
    machine.made("/v1/roles", {"name": "writer", "permissions": permissions[:2]})
    return ticket


def replayed(desk: Desk, caller: Caller) -> Any:
    started = caller.made("/v1/workflows/support/replays", {"days": 3})
    desk.run_due()
    return caller.read(f"/v1/workflow_replays/{started['id']}")


def test_a_replay_leaves_out_tickets_that_its_starter_does_not_see(
    desk: Desk, machine: Caller, hidden: Any, as_role: Any
) -> None:
    mine, everything = replayed(desk, as_role("designer")), replayed(desk, machine)

    assert (mine["state"], mine["tickets"], mine["report"]["tickets"]) == ("finished", 2, 2)
    assert (everything["tickets"], everything["report"]["tickets"]) == (3, 3)


def test_a_replay_of_somebody_who_sees_more_is_not_found(
    desk: Desk, machine: Caller, hidden: Any, as_role: Any
) -> None:
    designer = as_role("designer")
    of_all, own = replayed(desk, machine), replayed(desk, designer)

    problem(designer.get(f"/v1/workflow_replays/{of_all['id']}"), 404)
    assert machine.read(f"/v1/workflow_replays/{own['id']}")["report"]["tickets"] == 2


def test_a_replay_needs_the_right_to_read_tickets(desk: Desk, hidden: Any, as_role: Any) -> None:
    refused = as_role("writer").post("/v1/workflows/support/replays", {})

    assert "tickets_read" in problem(refused, 403, "forbidden")["detail"]


def test_a_user_who_lost_the_sight_of_all_tickets_meanwhile_replays_what_is_left(
    desk: Desk, machine: Caller, hidden: Any
) -> None:
    started = machine.made("/v1/workflows/support/replays", {"days": 3})
    with database.transaction():
        database.execute("UPDATE users SET role = 'manager' WHERE id = :id", id=seer(desk, started["id"]))
    desk.run_due()

    with database.connection():
        tally = jobs._replay_job(UUID(started["id"])).tally
    assert tally is not None
    assert tally["report"]["tickets"] == 2


def seer(desk: Desk, replay_id: str) -> Any:
    [row] = desk.rows("SELECT seen_by FROM workflow_replays WHERE id = :id", id=replay_id)
    return row["seen_by"]


def test_the_money_of_a_replay_is_shown_to_readers_of_the_ledger_only(
    desk: Desk, machine: Caller, hidden: Any, as_role: Any
) -> None:
    designer = as_role("designer")
    found = replayed(desk, designer)
    [row] = desk.rows("SELECT tally FROM workflow_replays WHERE id = :id", id=found["id"])
    tally = row["tally"] if isinstance(row["tally"], dict) else json.loads(row["tally"])
    tally["money"] = [{"fee EUR": 100}, {"fee EUR": 200}]
    with database.transaction():
        database.execute(
            "UPDATE workflow_replays SET tally = :tally WHERE id = :id", tally=json.dumps(tally), id=found["id"]
        )

    shown = [caller.read(f"/v1/workflow_replays/{found['id']}")["report"] for caller in (machine, designer)]

    assert [(one["money"], one["hidden"]) for one in shown] == [({"fee EUR": [100, 200]}, []), ({}, ["money"])]
