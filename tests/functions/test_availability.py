"""Users who are away or at their capacity get no new tickets by a rule, and the reason is told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.definitions import store
from models.kernel import clock
from models.kernel.storage import database
from models.teams import availability
from models.teams import commands as teams
from models.teams.availability import Work
from models.ticket_actions import commands as tickets
from models.ticket_actions.commands import NewTicket
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.models.notices.reading import user

LABEL = {"en": "Label", "ru": "Надпись"}
WORKFLOW = {
    "workflow": "given",
    "label": LABEL,
    "types": ["given"],
    "initial": "new",
    "states": {"new": {"category": "todo", "label": LABEL}, "done": {"category": "done", "label": LABEL}},
    "transitions": {"finish": {"from": ["new"], "to": "done", "label": LABEL, "who": ["agent"]}},
    "reactions": [{"on": "ticket_created", "name": "give", "do": [{"assign": {"how": "least_busy", "team": "crew"}}]}],
}


@pytest.fixture
def crew(desk: Desk) -> None:
    """A team of the agent and the manager, whose tickets go to the least busy one."""
    with database.transaction():
        store.publish("workflow", "given", WORKFLOW, source="test", by="tests")
        store.publish(
            "model",
            "given",
            {"type": "given", "label": LABEL, "workflow": "given", "fields": {}},
            source="test",
            by="tests",
        )
        teams.declare("crew", LABEL)
        teams.set_members("crew", [user(desk).id, user(desk, "manager").id], expected_version=None)
    store.forget()


def work(desk: Desk, role: str, *, away_h: float | None = None, capacity: int | None = None) -> None:
    until = None if away_h is None else clock.now() + timedelta(hours=away_h)
    desk.command(availability.store, user(desk, role).id, Work(until, capacity))


def given(desk: Desk) -> Any:
    ticket = desk.command(tickets.create, NewTicket("Lamp", type="given"), actor=desk.person("admin"))
    return desk.reload(ticket).assignee_id


def test_a_user_who_is_away_gets_no_ticket_until_the_end_of_the_absence(desk: Desk, crew: None) -> None:
    work(desk, "agent", away_h=2)
    work(desk, "manager", capacity=1)

    first = given(desk)
    second = given(desk)
    desk.advance(hours=3)
    third = given(desk)

    assert (first, second, third) == (user(desk, "manager").id, None, user(desk).id)


@sqlite_only
def test_why_names_the_reasons_when_nobody_is_left(desk: Desk, crew: None) -> None:
    work(desk, "agent", away_h=2)
    work(desk, "manager", capacity=0)
    ticket = desk.command(tickets.create, NewTicket("Lamp", type="given"), actor=desk.person("admin"))

    [told] = [str(one["payload"]) for one in desk.events(ticket, "effect_withheld")]

    assert "Olga Agent is away" in told
    assert "Mira Manager is at capacity" in told


@sqlite_only
def test_nobody_but_the_user_assigns_a_ticket_to_who_is_away(desk: Desk, machine: Caller, as_user: Any) -> None:
    agent, ticket = as_user("agent"), machine.ticket("Lamp")
    until = (clock.now() + timedelta(days=1)).isoformat()
    shown = agent.ask("PUT", "/v1/me/availability", {"away_until": until})
    path, body = f"/v1/tickets/{ticket['id']}/assignment", {"assignee_id": str(user(desk).id)}

    refused = as_user("manager").ask("PUT", path, body, headers={"If-Match": "*"})
    taken = agent.ask("PUT", path, body, headers={"If-Match": "*"})
    seen = as_user("manager").read(f"/v1/users/{user(desk).id}/availability")

    assert shown.json["capacity"] is None
    problem(refused, 409, "assignee_away")
    assert taken.status_code == 200
    assert seen["away_until"] is not None
    back = agent.ask("PUT", "/v1/me/availability", {"away_until": None})
    assert back.json["away_until"] is None


@sqlite_only
def test_only_who_manages_users_sets_the_capacity_of_somebody(desk: Desk, machine: Caller, as_user: Any) -> None:
    path, body = f"/v1/users/{user(desk).id}/availability", {"away_until": None, "capacity": 3}

    problem(as_user("manager").ask("PUT", path, body), 403)
    set_ = machine.ask("PUT", path, body)

    assert set_.json["capacity"] == 3
    problem(machine.ask("PUT", path, {"away_until": None, "capacity": -1}), 422)
    problem(machine.ask("PUT", "/v1/me/availability", {"away_until": None}), 409)


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_two_tickets_at_once_never_exceed_a_capacity(desk: Desk, crew: None) -> None:
    work(desk, "agent", capacity=3)
    work(desk, "manager", capacity=2)
    actor = desk.person("admin")
    start = threading.Barrier(2)

    def write_six() -> None:
        for _ in range(6):
            start.wait(timeout=30)
            with database.connection(), database.transaction():
                tickets.create(NewTicket("Lamp", type="given"), actor=actor)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(write_six) for _ in range(2)]:
            one.result(timeout=60)

    held: dict[Any, int] = {}
    for ticket in desk.tickets():
        held[ticket.assignee_id] = held.get(ticket.assignee_id, 0) + 1
    assert held == {user(desk).id: 3, user(desk, "manager").id: 2, None: 7}


@sqlite_only
def test_the_tickets_of_a_user_who_is_away_are_found_by_the_team_and_say_so(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    held, other, free = (machine.ticket(title) for title in ("Held", "Other", "Free"))
    for ticket, role in ((held, "agent"), (other, "manager")):
        body = {"assignee_id": str(user(desk, role).id)}
        machine.ask("PUT", f"/v1/tickets/{ticket['id']}/assignment", body, headers={"If-Match": "*"})
    work(desk, "agent", away_h=0.05)
    desk.index()
    manager = as_user("manager")

    lists = [
        {one["title"] for one in manager.read(path)["items"]}
        for path in (
            "/v1/tickets?assignee_away=true",
            "/v1/views/assignee_away/tickets",
            "/v1/tickets?q=is:assignee_away",
            "/v1/tickets?assignee_away=false",
        )
    ]
    shown = manager.read(f"/v1/tickets/{held['id']}")["assignee"]
    desk.advance(minutes=4)

    assert lists == [{"Held"}, {"Held"}, {"Held"}, {"Other", "Free"}]
    assert shown["away_until"] is not None
    assert manager.read("/v1/tickets?assignee_away=true")["items"] == []
    assert manager.read(f"/v1/tickets/{held['id']}")["assignee"]["away_until"] is None
    assert free["assignee"] is None
