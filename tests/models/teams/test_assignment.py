"""A team gives the tickets that enter it to its members, by the strategy that teams.yaml declares."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.definitions import store
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.publishing import catalogue, publishing
from models.publishing.catalogue import Found
from models.teams import availability
from models.teams import commands as teams
from models.teams.availability import Work
from models.ticket_actions import commands as tickets
from models.ticket_actions.commands import NewTicket
from models.ticket_actions.sorting import undoing
from models.ticket_workflow import why
from models.tickets.tables import Ticket
from models.undo import restorers
from models.workflow import checks
from models.workflow.testing.simulation import Person, Simulation
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.notices.reading import user

LABEL = {"en": "Label", "ru": "Надпись"}
DONE = {"from": ["new"], "to": "done", "label": LABEL, "who": ["agent", "automation"]}
WORKFLOW: dict[str, Any] = {
    "workflow": "plain",
    "label": LABEL,
    "types": ["plain"],
    "initial": "new",
    "states": {"new": {"category": "todo", "label": LABEL}, "done": {"category": "done", "label": LABEL}},
    "transitions": {"finish": DONE},
}


def publish(desk: Desk, strategy: str, *, reactions: list[Any] | None = None) -> None:
    """Publish team `crew` (agent and manager) with a strategy, team `others` without one, and a life cycle."""
    declared = {"crew": {"label": LABEL, "assignment": strategy}, "others": {"label": LABEL}}
    with database.connection(), database.transaction():
        store.publish("workflow", "plain", WORKFLOW | {"reactions": reactions or []}, source="test", by="tests")
        store.publish("model", "plain", _TYPE, source="test", by="tests")
        store.publish("teams", "teams", {"teams": declared}, source="test", by="tests")
        for name in declared:
            teams.declare(name, LABEL)
        teams.set_members("crew", [user(desk).id, user(desk, "manager").id], expected_version=None)
    store.forget()


_TYPE = {"type": "plain", "label": LABEL, "workflow": "plain", "fields": {}}


def create(desk: Desk, team: str | None = "crew") -> Ticket:
    ticket: Ticket = desk.command(
        tickets.create, NewTicket("Lamp", type="plain", team=team), actor=desk.person("admin")
    )
    return desk.reload(ticket)


def move(desk: Desk, ticket: Ticket, team: str | None) -> Ticket:
    desk.command(tickets.update, ticket.id, {"team": team}, expected_version=None, actor=desk.person("admin"))
    return desk.reload(ticket)


def work(desk: Desk, role: str, *, away_h: float | None = None, capacity: int | None = None) -> None:
    until = None if away_h is None else clock.now() + timedelta(hours=away_h)
    desk.command(availability.store, user(desk, role).id, Work(until, capacity))


def traces(ticket: Ticket) -> list[Any]:
    with database.connection():
        found = why.decisions(ticket.id, after=None, limit=50)
    return [trace for decision in found for trace in decision["looks"] if trace["rule"] == "assignment"]


@sqlite_only
def test_round_robin_gives_new_tickets_to_the_members_in_turn(desk: Desk) -> None:
    publish(desk, "round_robin")

    given = [create(desk).assignee_id for _ in range(4)]

    assert given[:2] == given[2:]
    assert set(given) == {user(desk).id, user(desk, "manager").id}


@sqlite_only
def test_a_ticket_that_enters_the_team_gets_its_least_busy_member(desk: Desk) -> None:
    publish(desk, "least_busy")
    busy = create(desk).assignee_id
    ticket = create(desk, "others")

    moved = move(desk, ticket, "crew")

    assert ticket.assignee_id is None
    assert {busy, moved.assignee_id} == {user(desk).id, user(desk, "manager").id}
    [event] = desk.events(moved, "ticket_assigned")
    assert (event["actor_kind"], event["payload"]["how"], event["payload"]["rule"]) == (
        "system",
        "least_busy",
        "team_assignment",
    )


@sqlite_only
def test_chance_gives_the_ticket_to_a_member(desk: Desk) -> None:
    publish(desk, "random")

    assert create(desk).assignee_id in (user(desk).id, user(desk, "manager").id)


@sqlite_only
def test_a_manual_team_gives_its_tickets_to_nobody(desk: Desk) -> None:
    publish(desk, "manual")

    ticket = create(desk)

    assert ticket.assignee_id is None
    assert desk.events(ticket, "effect_withheld") == []


@sqlite_only
def test_why_names_the_strategy_the_candidates_and_who_was_left_out(desk: Desk) -> None:
    publish(desk, "round_robin")
    work(desk, "agent", away_h=2)

    ticket = create(desk)

    [trace] = traces(ticket)
    assert trace["outcome"] == "acted"
    assert trace["values"] == {
        "strategy": "round_robin",
        "team": "crew",
        "chosen": "Mira Manager",
        "considered": 2,
        "candidates": [{"name": "Mira Manager", "open_tickets": 0}],
        "left_out": [{"name": "Olga Agent", "reason": "away"}],
    }
    [event] = desk.events(ticket, "ticket_assigned")
    assert event["payload"]["choice"]["left_out"] == {str(user(desk).id): "away"}


@sqlite_only
def test_why_says_that_nobody_of_the_team_takes_new_tickets(desk: Desk) -> None:
    publish(desk, "least_busy")
    work(desk, "agent", away_h=2)
    work(desk, "manager", capacity=0)

    ticket = create(desk)

    assert ticket.assignee_id is None
    [trace] = traces(ticket)
    assert trace["outcome"] == "refused"
    assert "Mira Manager is at capacity" in trace["reasons"][0]


@sqlite_only
def test_an_assignee_who_is_a_member_stays_and_another_is_replaced(desk: Desk) -> None:
    publish(desk, "round_robin")
    admin = desk.person("admin")
    kept, replaced = create(desk, "others"), create(desk, "others")
    desk.command(tickets.assign, kept.id, user(desk).id, actor=admin)
    desk.command(tickets.assign, replaced.id, UUID(str(admin.id)), actor=admin)

    kept, replaced = move(desk, kept, "crew"), move(desk, replaced, "crew")

    assert kept.assignee_id == user(desk).id
    assert replaced.assignee_id in (user(desk).id, user(desk, "manager").id)


@sqlite_only
def test_an_assignment_of_the_life_cycle_goes_before_the_strategy(desk: Desk) -> None:
    person = {"assign": {"how": "person", "user": user(desk, "admin").email}}
    publish(desk, "round_robin", reactions=[{"on": "ticket_created", "name": "give", "do": [person]}])

    assert create(desk).assignee_id == user(desk, "admin").id


@sqlite_only
def test_a_life_cycle_that_moves_the_ticket_to_a_team_lets_the_team_assign_it(desk: Desk) -> None:
    publish(desk, "least_busy", reactions=[{"on": "ticket_created", "name": "route", "do": [{"team": "crew"}]}])

    assert create(desk, None).assignee_id is not None


@sqlite_only
def test_a_life_cycle_can_assign_by_the_strategy_of_the_team(desk: Desk) -> None:
    by_team = {"assign": {"how": "team_strategy"}}
    reaction = {
        "on": "field_changed:title",
        "name": "again",
        "do": [{"assign": {"how": "nobody"}}, by_team],
    }
    publish(desk, "round_robin", reactions=[reaction])
    ticket, by_hand = create(desk), create(desk, "others")

    for one in (ticket, by_hand):
        desk.command(tickets.update, one.id, {"title": "Bulb"}, expected_version=None, actor=desk.person("admin"))

    assert desk.reload(ticket).assignee_id not in (None, ticket.assignee_id)
    [withheld] = desk.events(by_hand, "effect_withheld")
    assert withheld["payload"]["reason"] == "team others assigns its tickets by hand"


@sqlite_only
def test_an_undo_of_a_change_of_team_restores_the_assignee_from_before(desk: Desk) -> None:
    publish(desk, "round_robin")
    actor = desk.person("admin")
    ticket = move(desk, create(desk), None)
    desk.command(tickets.assign, ticket.id, None, actor=actor)
    ticket = move(desk, move(desk, ticket, "others"), None)
    change = lambda: tickets.update(ticket.id, {"team": "crew"}, expected_version=None, actor=actor)  # noqa: E731
    desk.command(undoing.undoable, change, actor=actor)
    assigned = desk.reload(ticket).assignee_id
    [undo] = desk.rows("SELECT id FROM undos ORDER BY id DESC LIMIT 1")

    desk.command(restorers.restore, UUID(str(undo["id"])), actor=actor, permissions=frozenset(Permission))

    assert assigned is not None
    after = desk.reload(ticket)
    assert (after.team, after.assignee_id) == (None, None)


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_two_workers_at_once_keep_the_round_robin_fair_and_the_capacity(desk: Desk) -> None:
    publish(desk, "round_robin")
    actor, start = desk.person("admin"), threading.Barrier(2)

    def write(count: int) -> None:
        for _ in range(count):
            start.wait(timeout=30)
            with database.connection(), database.transaction():
                tickets.create(NewTicket("Lamp", type="plain", team="crew"), actor=actor)

    def at_once() -> Counter[Any]:
        before = Counter(ticket.assignee_id for ticket in desk.tickets())
        with ThreadPoolExecutor(2) as pool:
            for one in [pool.submit(write, 5) for _ in range(2)]:
                one.result(timeout=60)
        return Counter(ticket.assignee_id for ticket in desk.tickets()) - before

    fair = at_once()
    work(desk, "agent", capacity=6)
    bounded = at_once()

    agent, manager = user(desk).id, user(desk, "manager").id
    assert fair == {agent: 5, manager: 5}
    assert bounded == {agent: 1, manager: 9}


def _teams(strategy: str) -> Found:
    body = {"teams": {"crew": {"label": LABEL, "assignment": strategy}}}
    return Found("teams", "teams", body, strategy, Path("teams.yaml"))


def test_a_team_names_one_of_the_strategies() -> None:
    with pytest.raises(Invalid) as refused:
        catalogue.name_of("teams", _teams("lottery").body)

    [problem] = refused.value.problems
    assert problem.path == ".teams.crew.assignment"
    assert problem.message == "expected one of manual, round_robin, least_busy, random, found 'lottery'"


@sqlite_only
def test_a_rollback_of_the_teams_brings_the_strategy_back(desk: Desk) -> None:
    publish(desk, "manual")
    desk.command(publishing.apply, [_teams("random")], by="tests")
    assigned = create(desk).assignee_id

    desk.command(publishing.rollback, "teams", "teams", to=None, by="tests", reason="too random")

    assert assigned is not None
    assert create(desk).assignee_id is None


def test_a_scenario_tests_a_life_cycle_with_the_strategy_of_a_team() -> None:
    routed = WORKFLOW | {"reactions": [{"on": "ticket_created", "name": "route", "do": [{"team": "crew"}]}]}
    simulation = Simulation(
        checks.parse(routed),
        datetime(2026, 11, 23, 9, tzinfo=UTC),
        [Person("olga", "Olga", teams=("crew",)), Person("otto", "Otto")],
        strategies={"crew": "round_robin"},
    )

    simulation.create()

    assert (simulation.instance.team, simulation.instance.assignee) == ("crew", "olga")
