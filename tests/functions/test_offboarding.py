"""A person leaves: what they hold is listed, handed over, or ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.kernel import clock
from models.staff import addresses
from models.ticket_actions import commands
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, paths, problem, sqlite_only
from tests.functions.conftest import sign_in

BOSS = {"email": "boss@example.test", "name": "Bea Boss", "password": "secret-parrot-word", "role": "admin"}
HOOK = {"url": "https://receiver.example.test/hook", "event_types": ["ticket_created"]}
ANYBODY = {"If-Match": "*"}


def boss_with_holdings(gateway: Any, machine: Caller, desk: Desk) -> tuple[Any, Caller, Caller]:
    """A second admin with a session, a key, a webhook, a chat address and an unused link."""
    boss = machine.made("/v1/users", BOSS)
    signed_in, _ = sign_in(gateway, BOSS["email"], BOSS["password"])
    key = signed_in.made("/v1/api_keys", {"name": "robot", "role": "agent"})
    signed_in.made("/v1/webhooks", HOOK)
    desk.command(addresses.make_link, boss["id"])
    return boss, signed_in, Caller(gateway, key["key"])


def test_holdings_are_listed_before_a_person_leaves(gateway: Any, machine: Caller, desk: Desk) -> None:
    boss, _, _ = boss_with_holdings(gateway, machine, desk)

    held = machine.read(f"/v1/users/{boss['id']}/holdings")

    assert held["sessions"] == 1
    assert [key["name"] for key in held["api_keys"]] == ["robot"]
    assert [webhook["url"] for webhook in held["webhooks"]] == [HOOK["url"]]
    assert (held["addresses"], held["teams"], held["tickets"]) == ([], [], 0)


def test_a_deactivation_ends_what_the_person_holds(gateway: Any, machine: Caller, desk: Desk) -> None:
    boss, signed_in, robot = boss_with_holdings(gateway, machine, desk)

    machine.ask("PATCH", f"/v1/users/{boss['id']}", {"active": False}, headers=ANYBODY)

    problem(signed_in.get("/v1/me"), 401)
    problem(robot.get("/v1/me"), 401)
    held = machine.read(f"/v1/users/{boss['id']}/holdings")
    assert (held["sessions"], held["api_keys"], held["addresses"]) == (0, [], [])
    assert [webhook["state"] for webhook in held["webhooks"]] == ["paused"]
    assert desk.rows("SELECT user_id FROM user_links") == []


def test_what_is_handed_over_goes_on_after_the_deactivation(gateway: Any, machine: Caller, desk: Desk) -> None:
    boss, _, robot = boss_with_holdings(gateway, machine, desk)
    heir = next(one for one in machine.read("/v1/users")["items"] if one["email"] == "admin@example.test")

    done = machine.made(f"/v1/users/{boss['id']}/handovers", {"to": heir["id"]})
    machine.ask("PATCH", f"/v1/users/{boss['id']}", {"active": False}, headers=ANYBODY)

    assert done == {"api_keys": 1, "webhooks": 1, "tickets": 0, "views": 0, "saved_replies": 0, "macros": 0}
    assert robot.read("/v1/me")["name"] == "robot"
    held = machine.read(f"/v1/users/{heir['id']}/holdings")
    assert "robot" in {key["name"] for key in held["api_keys"]}
    assert [webhook["state"] for webhook in held["webhooks"]] == ["active"]


def test_nothing_is_handed_over_to_somebody_with_fewer_rights(gateway: Any, machine: Caller, desk: Desk) -> None:
    boss, signed_in, _ = boss_with_holdings(gateway, machine, desk)
    signed_in.made("/v1/api_keys", {"name": "strong"})
    agent = next(one for one in machine.read("/v1/users")["items"] if one["role"] == "agent")

    refused = problem(machine.post(f"/v1/users/{boss['id']}/handovers", {"to": agent["id"]}), 422)

    assert paths(refused) == ["/owner_id"]
    held = machine.read(f"/v1/users/{boss['id']}/holdings")
    assert (len(held["api_keys"]), len(held["webhooks"])) == (2, 1)
    assert paths(problem(machine.post(f"/v1/users/{boss['id']}/handovers", {"to": boss["id"]}), 422)) == ["/to"]


def given(desk: Desk, role: str, count: int) -> list[Ticket]:
    """Open tickets of a seeded user, and one that is solved."""
    user = UUID(str(desk.person(role).id))
    tickets = [desk.create_ticket(f"Printer {number}") for number in range(count + 1)]
    for ticket in tickets:
        desk.command(commands.assign, ticket.id, user, actor=desk.person("admin"))
    desk.transition(tickets[-1], "resolve")
    desk.run_due()
    return tickets


def assignees(desk: Desk, tickets: list[Ticket]) -> list[str | None]:
    return [None if (one := desk.reload(ticket).assignee_id) is None else str(one) for ticket in tickets]


@pytest.mark.parametrize("change", [{"active": False}, {"role": "accountant"}])
@sqlite_only
def test_the_open_tickets_of_an_agent_who_leaves_are_freed_with_an_event_each(
    machine: Caller, desk: Desk, change: dict[str, object]
) -> None:
    agent = str(desk.person("agent").id)
    tickets = given(desk, "agent", 23)

    machine.ask("PATCH", f"/v1/users/{agent}", change, headers=ANYBODY)
    desk.run_due()

    assert assignees(desk, tickets) == [None] * 23 + [agent]
    for ticket in tickets[:23]:
        [freed] = [one for one in desk.events(ticket, "ticket_assigned") if one["payload"]["to"] is None]
        assert freed["payload"] == {"from": agent, "to": None, "how": "freed"}
        assert freed["actor_kind"] == "api_key"
    assert desk.events(tickets[-1], "ticket_assigned")[-1]["payload"]["to"] == agent


@sqlite_only
def test_a_freed_ticket_of_a_team_is_new_work_for_its_members(machine: Caller, desk: Desk) -> None:
    ticket = desk.create_ticket(team="support")
    desk.run_due()
    desk.command(commands.assign, ticket.id, UUID(str(desk.person("agent").id)), actor=desk.person("admin"))
    desk.run_due()

    machine.ask("PATCH", f"/v1/users/{desk.person('agent').id}", {"active": False}, headers=ANYBODY)
    desk.run_due()

    told = desk.rows("SELECT kind FROM notices WHERE user_id = :id ORDER BY id", id=desk.person("manager").id)
    assert [row["kind"] for row in told] == ["new_work", "new_work"]


@sqlite_only
def test_tickets_are_handed_over_before_a_deactivation_frees_the_rest(machine: Caller, desk: Desk) -> None:
    agent, manager = str(desk.person("agent").id), str(desk.person("manager").id)
    tickets = given(desk, "agent", 45)

    done = machine.made(f"/v1/users/{agent}/handovers", {"to": manager})
    machine.ask("PATCH", f"/v1/users/{agent}", {"active": False}, headers=ANYBODY)
    desk.run_due()

    assert done["tickets"] == 45
    assert assignees(desk, tickets) == [manager] * 45 + [agent]
    assert desk.events(tickets[0], "ticket_assigned")[-1]["payload"]["how"] == "handed_over"


@sqlite_only
def test_tickets_are_not_handed_over_to_somebody_who_cannot_take_them(machine: Caller, desk: Desk) -> None:
    agent, accountant = str(desk.person("agent").id), str(desk.person("accountant").id)
    tickets = given(desk, "agent", 1)

    refused = problem(machine.post(f"/v1/users/{agent}/handovers", {"to": accountant}), 422)
    without = machine.made(f"/v1/users/{agent}/handovers", {"to": accountant, "tickets": False})
    desk.run_due()

    assert paths(refused) == ["/to"]
    assert without["tickets"] == 0
    assert assignees(desk, tickets) == [agent, agent]


@sqlite_only
def test_an_agent_lists_colleagues_with_presence_and_teams_and_no_addresses(
    gateway: Any, desk: Desk, machine: Caller
) -> None:
    agent, _ = sign_in(gateway, "agent@example.test", PASSWORD)

    listed = agent.get("/v1/colleagues")

    people = {one["name"]: one for one in listed.json["items"]}
    assert people["Olga Agent"]["presence"] == "online"
    assert people["Mira Manager"]["presence"] == "offline"
    assert people["Olga Agent"]["teams"]
    assert "@" not in listed.text
    assert all(set(one) == {"id", "name", "presence", "teams"} for one in people.values())
    desk.advance(minutes=10)
    assert machine.read("/v1/colleagues")["items"][0]["presence"] == "offline"


def own_texts(caller: Caller, ticket: str) -> None:
    """A saved reply with a shortcut, a macro, a signature and a draft of the caller."""
    caller.made("/v1/saved_replies", {"name": "Hello", "texts": {"en": "Hello"}, "shortcut": "hi"})
    caller.made("/v1/macros", {"name": "Take", "acts": [{"assign": "me"}]})
    caller.ask("PUT", "/v1/me/signature", {"texts": {"en": "Olga"}})
    caller.ask("PUT", f"/v1/tickets/{ticket}/draft", {"kind": "note", "body": "not sent"})


def counted(held: Any) -> list[int]:
    return [held[name] for name in ("saved_replies", "macros", "signatures", "drafts")]


@sqlite_only
def test_own_saved_replies_and_macros_are_handed_over_and_the_other_texts_end(
    machine: Caller, desk: Desk, as_user: Any
) -> None:
    agent, manager = str(desk.person("agent").id), str(desk.person("manager").id)
    heir = as_user("manager")
    own_texts(as_user("agent"), machine.ticket("Lamp")["id"])
    heir.made("/v1/saved_replies", {"name": "Mine", "texts": {"en": "Hi"}, "shortcut": "hi"})
    held = machine.read(f"/v1/users/{agent}/holdings")

    done = machine.made(f"/v1/users/{agent}/handovers", {"to": manager})
    left = machine.read(f"/v1/users/{agent}/holdings")
    machine.ask("PATCH", f"/v1/users/{agent}", {"active": False}, headers=ANYBODY)

    assert (counted(held), counted(left)) == ([1, 1, 1, 1], [0, 0, 1, 1])
    assert (done["saved_replies"], done["macros"]) == (1, 1)
    mine = {one["name"]: one["shortcut"] for one in heir.read("/v1/saved_replies")["items"] if one["scope"] == "own"}
    assert mine == {"Hello": None, "Mine": "hi"}
    assert counted(machine.read(f"/v1/users/{agent}/holdings")) == [0, 0, 0, 0]
    audited = {row["action"] for row in desk.rows("SELECT action FROM audit_entries WHERE object_id = :id", id=agent)}
    assert {"holdings_handed_over", "holdings_removed"} <= audited


@sqlite_only
def test_a_deactivation_removes_the_own_texts_and_leaves_those_of_others(
    machine: Caller, desk: Desk, as_user: Any
) -> None:
    agent, ticket = str(desk.person("agent").id), machine.ticket("Lamp")["id"]
    for role in ("agent", "manager"):
        own_texts(as_user(role), ticket)

    machine.ask("PATCH", f"/v1/users/{agent}", {"active": False}, headers=ANYBODY)

    assert counted(machine.read(f"/v1/users/{agent}/holdings")) == [0, 0, 0, 0]
    assert counted(machine.read(f"/v1/users/{desk.person('manager').id}/holdings")) == [1, 1, 1, 1]


@sqlite_only
def test_tickets_are_not_handed_over_to_somebody_who_is_away(machine: Caller, desk: Desk, as_user: Any) -> None:
    agent, manager = str(desk.person("agent").id), str(desk.person("manager").id)
    tickets = given(desk, "agent", 1)
    until = (clock.now() + timedelta(hours=1)).isoformat()
    as_user("manager").ask("PUT", "/v1/me/availability", {"away_until": until})

    problem(machine.post(f"/v1/users/{agent}/handovers", {"to": manager}), 409, "assignee_away")
    desk.run_due()

    assert assignees(desk, tickets) == [agent, agent]


@sqlite_only
def test_a_receiver_who_goes_away_before_the_tickets_move_gets_none(machine: Caller, desk: Desk, as_user: Any) -> None:
    agent, manager = str(desk.person("agent").id), str(desk.person("manager").id)
    tickets = given(desk, "agent", 1)
    machine.made(f"/v1/users/{agent}/handovers", {"to": manager})
    until = (clock.now() + timedelta(hours=1)).isoformat()
    as_user("manager").ask("PUT", "/v1/me/availability", {"away_until": until})

    desk.run_due()

    assert assignees(desk, tickets) == [None, agent]
