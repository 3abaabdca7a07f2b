"""Saved replies and macros of a file are published like every definition, and the API does not change them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from models.kernel.errors import Invalid
from models.macros import published
from models.publishing import catalogue, publishing
from models.publishing.catalogue import Found
from models.teams import commands as teams
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

BODY: dict[str, Any] = {
    "answers": "door",
    "saved_replies": {
        "hello": {
            "name": "Hello",
            "shortcut": "hello_door",
            "texts": {"en": "Hello {{ requester.name }}", "ru": "Здравствуйте, {{ requester.name }}"},
        },
        "bye": {"name": "Bye", "texts": {"en": "Bye", "ru": "До свидания"}},
    },
    "macros": {"take": {"name": "Take", "acts": [{"assign": "me"}, {"priority": "high"}]}},
}


def found(**changes: Any) -> Found:
    body = copy.deepcopy(BODY) | changes
    return Found("answers", catalogue.name_of("answers", body), body, str(body), Path("door.yaml"))


def publish(desk: Desk, **changes: Any) -> None:
    desk.command(publishing.apply, [found(**changes)], by="tests")


def of_the_set(machine: Caller, path: str) -> dict[str, Any]:
    return {one["name"]: one for one in machine.everything(path, limit=50) if one["definition"] == "door"}


@sqlite_only
def test_published_answers_are_used_like_others_and_changed_in_their_file_only(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    publish(desk)
    agent, ticket = as_user("agent"), machine.ticket("Lamp")
    [macro] = of_the_set(agent, "/v1/macros").values()
    reply = of_the_set(agent, "/v1/saved_replies")["Hello"]

    applied = agent.made(f"/v1/tickets/{ticket['id']}/macros/{macro['id']}/application")

    assert (applied["priority"], applied["assignee"]["id"]) == ("high", agent.read("/v1/me")["id"])
    for path, body in (
        (f"/v1/saved_replies/{reply['id']}", {"name": "Other", "texts": {"en": "Other"}}),
        (f"/v1/macros/{macro['id']}", {"name": "Other", "acts": [{"assign": "me"}]}),
    ):
        refused = problem(machine.ask("PUT", path, body), 409, "published_from_file")
        assert "`answers: door`" in refused["detail"]
        problem(machine.ask("DELETE", path), 409, "published_from_file")


@sqlite_only
def test_a_new_version_keeps_the_ids_and_the_counts_and_a_rollback_brings_the_old_one_back(
    desk: Desk, machine: Caller
) -> None:
    publish(desk)
    before, ticket = of_the_set(machine, "/v1/saved_replies"), machine.ticket("Lamp")
    hello = before["Hello"]["id"]
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": "x", "saved_replies": [hello]})
    changed = {"hello": BODY["saved_replies"]["hello"] | {"texts": {"en": "Hi", "ru": "Привет"}}}

    publish(desk, saved_replies=changed)
    after = of_the_set(machine, "/v1/saved_replies")
    desk.command(publishing.rollback, "answers", "door", to=None, by="tests", reason="back")
    back = of_the_set(machine, "/v1/saved_replies")

    assert after.keys() == {"Hello"}
    assert (after["Hello"]["id"], after["Hello"]["uses"], after["Hello"]["texts"]["en"]) == (hello, 1, "Hi")
    assert back.keys() == {"Hello", "Bye"}
    assert back["Bye"]["id"] == before["Bye"]["id"]
    assert back["Hello"]["texts"] == before["Hello"]["texts"]


@sqlite_only
def test_a_retired_set_takes_its_rows_along(desk: Desk, machine: Caller) -> None:
    publish(desk)

    desk.command(publishing.apply, [], by="tests", gone=[("answers", "door")])

    assert of_the_set(machine, "/v1/saved_replies") == of_the_set(machine, "/v1/macros") == {}


@sqlite_only
def test_a_set_of_a_team_is_for_its_members(desk: Desk, machine: Caller, as_user: Any) -> None:
    desk.command(teams.declare, "hr", {"en": "HR"})

    publish(desk, team="hr")

    assert of_the_set(machine, "/v1/macros")["Take"]["team"] == "hr"
    assert of_the_set(as_user("agent"), "/v1/macros") == {}


@sqlite_only
def test_a_shortcut_of_a_person_keeps_a_set_from_being_published(desk: Desk, machine: Caller) -> None:
    own = {"name": "Mine", "texts": {"en": "Mine"}, "shortcut": "hello_door", "scope": "all"}
    machine.made("/v1/saved_replies", own)

    refused = desk.refused(publishing.apply, [found()], by="tests")

    assert "the saved reply 'Mine' has the shortcut hello_door already" in str(refused)
    assert of_the_set(machine, "/v1/macros") == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"saved_replies": {"a": {"name": " ", "texts": {"en": "x"}}}}, ".saved_replies.a.name"),
        ({"macros": {"a": {"name": "A", "acts": [{"assign": "olga"}]}}}, ".macros.a.acts[0].assign"),
        (
            {
                "saved_replies": {
                    name: {"name": name, "shortcut": "same", "texts": {"en": "x"}} for name in ("first", "second")
                }
            },
            ".saved_replies.second.shortcut",
        ),
    ],
)
def test_a_set_that_is_wrong_by_itself_is_refused(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        found(**changes)

    assert [one.path for one in refused.value.problems] == [path]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"team": "nobody"}, "undefined_team", ".team"),
        (
            {"saved_replies": {"a": {"name": "A", "texts": {"en": "{{ ticket.colour }}"}}}},
            "wrong_text",
            ".saved_replies.a.texts.en",
        ),
        (
            {"macros": {"a": {"name": "A", "acts": [{"transition": {"name": "fly"}}]}}},
            "wrong_act",
            ".macros.a.acts[0].transition.name",
        ),
        ({"macros": {"a": {"name": "A", "acts": []}}}, "wrong_act", ".macros.a.acts"),
    ],
)
def test_a_set_is_checked_against_the_other_definitions(changes: dict[str, Any], code: str, path: str) -> None:
    files = defs.read_all(demo=True)
    wrong = found(**changes)

    errors = [
        (finding.code, finding.path)
        for one, finding in catalogue.judged([wrong], catalogue.surroundings_of([*files, wrong]))
        if finding.severity == "error"
    ]

    assert errors == [(code, path)]


def test_the_shipped_set_has_every_language_of_the_desk() -> None:
    files = defs.read_all(demo=True)
    [shipped] = [one for one in files if one.kind == "answers"]

    assert list(published.findings(shipped.body, catalogue.surroundings_of(files))) == []
    for reply in published.read(shipped.body).saved_replies.values():
        assert reply.texts.keys() == {"en", "ru"}
