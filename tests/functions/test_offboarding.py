"""A person leaves: what they hold is listed, handed over, or ended."""

from __future__ import annotations

from typing import Any

from models.staff import addresses
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

    assert done == {"api_keys": 1, "webhooks": 1}
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
