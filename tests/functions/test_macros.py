"""Macros: their check, what they do to a ticket, and the preview that changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from models.teams import commands as teams
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

PATH = "/v1/macros"
SOLVE = [
    {"reply": {"texts": {"en": "Dear {{ requester.name }}, it is done."}}},
    {"note": {"texts": {"en": "Solved by {{ agent.name }}"}}},
    {"priority": "high"},
    {"tags": {"add": ["Done"], "remove": ["urgent"]}},
    {"team": "it"},
    {"assign": "me"},
    {"transition": {"name": "resolve"}},
]


def new(caller: Caller, acts: list[Any], **more: Any) -> Any:
    return caller.made(PATH, {"name": "Solve", "acts": acts, **more})


def path_of(ticket: Any, macro: Any, what: str = "application") -> str:
    return f"/v1/tickets/{ticket['id']}/macros/{macro['id']}/{what}"


def everything(desk: Desk) -> Any:
    """All rows that an act on a ticket can change."""
    return [desk.rows(f"SELECT * FROM {table}") for table in ("tickets", "messages", "deliveries", "events", "tasks")]


@pytest.fixture
def ticket(agent: Caller, desk: Desk) -> Any:
    requester = {"name": "Ada", "email": "ada@example.test"}
    made = agent.ticket(requester=requester, description_by="requester", tags=["urgent"])
    desk.run_due()
    return made


def test_a_macro_does_all_its_acts_in_their_order(agent: Caller, desk: Desk, ticket: Any) -> None:
    macro = new(agent, SOLVE)

    after = agent.made(path_of(ticket, macro))
    desk.run_due()

    assert (after["priority"], after["tags"], after["team"], after["state"]) == ("high", ["done"], "it", "solved")
    assert after["assignee"]["id"] == str(desk.person("agent").id)
    bodies = [one["body"] for one in agent.everything(f"/v1/tickets/{ticket['id']}/messages")]
    assert [one for one in bodies if "done" in one or "by" in one] == ["Dear Ada, it is done.", "Solved by Olga Agent"]
    assert "Dear Ada, it is done." in desk.sent_bodies()
    history = [one["event_type"] for one in agent.everything(f"/v1/tickets/{ticket['id']}/events", limit=50)]
    assert history.count("macro_applied") == 1
    assert agent.read(f"{PATH}/{macro['id']}")["uses"] == 1


def test_a_preview_shows_what_would_happen_and_changes_nothing(agent: Caller, desk: Desk, ticket: Any) -> None:
    macro = new(agent, SOLVE)
    before, sent = everything(desk), len(desk.calls)

    seen = agent.made(path_of(ticket, macro, "preview"))
    desk.run_due()

    assert everything(desk) == before
    assert len(desk.calls) == sent
    assert (seen["ticket"]["state"], seen["ticket"]["tags"]) == ("solved", ["done"])
    assert "Dear Ada, it is done." in [one["body"] for one in seen["messages"]]
    assert "ticket_state_changed" in [one["event_type"] for one in seen["events"]]
    assert agent.read(f"{PATH}/{macro['id']}")["uses"] == 0


@pytest.mark.parametrize("what", ["application", "preview"])
def test_an_act_that_is_not_possible_takes_the_others_back(agent: Caller, desk: Desk, ticket: Any, what: str) -> None:
    twice = [*SOLVE, {"transition": {"name": "resolve"}}]
    macro = new(agent, twice)
    before = everything(desk)

    refused = agent.post(path_of(ticket, macro, what))

    problem(refused, 409, "macro_refused")
    assert (refused.json["act"], refused.json["act_kind"]) == (len(SOLVE), "transition")
    assert everything(desk) == before


def test_a_text_sees_what_the_acts_before_it_changed(agent: Caller, ticket: Any) -> None:
    macro = new(agent, [{"priority": "urgent"}, {"note": {"texts": {"en": "Now {{ ticket.priority }}"}}}])

    agent.made(path_of(ticket, macro))

    assert agent.everything(f"/v1/tickets/{ticket['id']}/messages")[-1]["body"] == "Now urgent"


@pytest.mark.parametrize(
    ("act", "place"),
    [
        ({}, "/acts/0"),
        ({"priority": "high", "team": "it"}, "/acts/0"),
        ({"priority": "hihg"}, "/acts/0/priority"),
        ({"team": "nobody"}, "/acts/0/team"),
        ({"fields": {"colour_of_nothing": 1}}, "/acts/0/fields/colour_of_nothing"),
        ({"tags": {}}, "/acts/0/tags"),
        ({"tags": {"add": ["no tag!"]}}, "/acts/0/tags/add/0"),
        ({"assign": "everybody"}, "/acts/0/assign"),
        ({"assign": "00000000-0000-7000-8000-000000000000"}, "/acts/0/assign"),
        ({"transition": {"name": "resovle"}}, "/acts/0/transition/name"),
        ({"reply": {"texts": {"en": "{{ ticket.nummer }}"}}}, "/acts/0/reply/texts/en"),
        ({"note": {"texts": {}}}, "/acts/0/note/texts"),
    ],
)
@sqlite_only
def test_a_wrong_act_is_refused_with_its_place(agent: Caller, act: Any, place: str) -> None:
    refused = agent.post(PATH, {"name": "Wrong", "acts": [act]})

    problem(refused, 422)
    assert [one["path"] for one in refused.json["errors"]] == [place]


@sqlite_only
def test_a_macro_says_what_has_become_wrong(agent: Caller, machine: Caller, as_user: Any, desk: Desk) -> None:
    manager = str(desk.person("manager").id)
    macro = new(agent, [{"assign": manager}])

    as_user("admin").ask("PATCH", f"/v1/users/{manager}", {"active": False}, headers={"If-Match": "*"})

    [found] = agent.read(f"{PATH}/{macro['id']}")["problems"]
    assert found["path"] == "/acts/0/assign"


@sqlite_only
def test_a_macro_gives_nobody_more_rights_than_they_have(agent: Caller, machine: Caller, ticket: Any) -> None:
    shared = new(machine, [{"assign": "none"}], scope="all")
    machine.made("/v1/roles", {"name": "writer", "based_on": "agent", "permissions": ["tickets_read", "tickets_write"]})
    key = machine.made("/v1/api_keys", {"name": "writer", "scopes": ["tickets_read", "tickets_write"]})["key"]

    for what in ("application", "preview"):
        problem(Caller(agent.app, key).post(path_of(ticket, shared, what)), 403)


@sqlite_only
def test_macros_are_seen_and_changed_as_saved_replies_are(agent: Caller, as_user: Any, desk: Desk, ticket: Any) -> None:
    manager, admin = as_user("manager"), as_user("admin")
    desk.command(teams.declare, "hr", {"en": "HR"})
    own, of_all = new(manager, [{"priority": "low"}]), new(manager, [{"priority": "low"}], scope="all")
    of_team = new(admin, [{"priority": "low"}], scope="team", team="hr")

    for hidden in (own, of_team):
        problem(agent.get(f"{PATH}/{hidden['id']}"), 404)
        problem(agent.post(path_of(ticket, hidden)), 404)
    problem(agent.ask("PUT", f"{PATH}/{of_all['id']}", {"name": "x", "acts": [{"priority": "low"}]}), 403)
    problem(agent.ask("DELETE", f"{PATH}/{of_all['id']}"), 403)
    assert [one for one in agent.everything(PATH) if one["definition"] is None] == [of_all]


def test_a_change_of_an_older_version_is_refused(agent: Caller, ticket: Any) -> None:
    macro = new(agent, [{"priority": "low"}])
    body = {"name": "Second", "acts": [{"snooze": {"for": "PT4H"}}]}
    path = f"{PATH}/{macro['id']}"

    assert agent.ask("PUT", path, body, headers={"If-Match": '"1"'}).json["version"] == 2
    problem(agent.ask("PUT", path, body, headers={"If-Match": '"1"'}), 412)
    problem(agent.post(path_of(ticket, macro), headers={"If-Match": '"999"'}), 412)
    assert agent.made(path_of(ticket, macro))["snoozed_until"] is not None
    assert agent.ask("DELETE", path).status_code == 204
