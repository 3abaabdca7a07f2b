"""Saved replies: who sees and changes them, their check, and a text for one ticket."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.storage import database
from models.saved_replies import commands
from models.teams import commands as teams
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

PATH = "/v1/saved_replies"
GREETING = "Dear {{ requester.name }}, ticket {{ ticket.number }} is ours. {{ agent.name }}"


def new(caller: Caller, **more: Any) -> Any:
    return caller.made(PATH, {"name": "Greeting", "texts": {"en": GREETING}, **more})


def written(caller: Caller) -> list[Any]:
    """The saved replies that people wrote, page by page; the shipped ones are published from a file."""
    return [one for one in caller.everything(PATH, limit=1) if one["definition"] is None]


def render(caller: Caller, ticket: Any, reply: Any, language: str | None = None) -> Any:
    return caller.made(f"/v1/tickets/{ticket['id']}/saved_replies/{reply['id']}/rendering", {"language": language})


@pytest.fixture
def ticket(agent: Caller) -> Any:
    return agent.ticket(requester={"name": "Ada", "email": "ada@example.test"}, description_by="requester")


def test_a_saved_reply_is_rendered_with_the_values_of_a_ticket(agent: Caller, ticket: Any) -> None:
    made = render(agent, ticket, new(agent))

    assert made["body"] == f"Dear Ada, ticket {ticket['number']} is ours. Olga Agent"
    assert (made["language"], made["missing"]) == ("en", [])


def test_the_language_is_the_requesters_or_the_wanted_one(agent: Caller, desk: Desk, ticket: Any) -> None:
    reply = new(agent, texts={"en": "Hello", "de": "Guten Tag", "ru": "Здравствуйте"})
    desk.command(database.execute, "UPDATE requesters SET locale = 'de-AT'")

    assert render(agent, ticket, reply)["body"] == "Guten Tag"
    assert render(agent, ticket, reply, "ru")["body"] == "Здравствуйте"
    assert render(agent, ticket, reply, "fr")["language"] == "de"


def test_variables_without_a_value_are_named(agent: Caller, ticket: Any) -> None:
    reply = new(agent, texts={"en": "{{ assignee.name }} of {{ ticket.team }} helps {{ requester.name }}"})

    assert render(agent, ticket, reply)["missing"] == ["assignee.name", "ticket.team"]


def test_values_are_data_and_never_a_template(agent: Caller) -> None:
    ticket = agent.ticket("{{ desk.name }} {% if 1 %}", requester={"name": "{{ ticket.id }}"})
    reply = new(agent, texts={"en": "{{ ticket.title }} for {{ requester.name }}"})

    assert render(agent, ticket, reply)["body"] == "{{ desk.name }} {% if 1 %} for {{ ticket.id }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ ticket.nummer }}", "did you mean ticket.number?"),
        ("{{ event.name }}", "unknown variable"),
        ("{{ rating.url }}", "unknown variable"),
        ("{{ fields.colour_of_nothing }}", "unknown variable"),
        ("{% for x in y %}{% endfor %}", "not allowed"),
        ("{{ ticket.number", "not a template"),
        ("  ", "expected a text"),
    ],
)
@sqlite_only
def test_a_wrong_text_is_refused_with_its_place(agent: Caller, text: str, expected: str) -> None:
    refused = agent.post(PATH, {"name": "Greeting", "texts": {"en": text}})

    problem(refused, 422)
    [error] = refused.json["errors"]
    assert error["path"] == "/texts/en"
    assert expected in error["message"]


@sqlite_only
def test_own_replies_are_seen_by_their_author_alone(agent: Caller, as_user: Any) -> None:
    own = new(agent)

    for other in (as_user("manager"), as_user("admin")):
        problem(other.get(f"{PATH}/{own['id']}"), 404)
        problem(other.ask("DELETE", f"{PATH}/{own['id']}"), 404)
        assert written(other) == []


@sqlite_only
def test_replies_of_all_are_changed_with_a_permission_only(agent: Caller, as_user: Any) -> None:
    shared = new(as_user("manager"), scope="all")
    body = {"name": "Mine now", "texts": {"en": "x"}, "scope": "all"}

    problem(agent.post(PATH, body), 403)
    problem(agent.ask("PUT", f"{PATH}/{shared['id']}", body), 403)
    problem(agent.ask("PUT", f"{PATH}/{shared['id']}", {**body, "scope": "own"}), 403)
    problem(agent.ask("DELETE", f"{PATH}/{shared['id']}"), 403)
    assert agent.read(f"{PATH}/{shared['id']}") == shared


@sqlite_only
def test_replies_of_a_team_are_seen_by_its_members(agent: Caller, desk: Desk, as_user: Any) -> None:
    manager, admin = as_user("manager"), as_user("admin")
    desk.command(teams.declare, "hr", {"en": "HR"})
    shared = new(admin, scope="team", team="hr")
    problem(agent.get(f"{PATH}/{shared['id']}"), 404)
    problem(manager.post(PATH, {"name": "x", "texts": {"en": "x"}, "scope": "team", "team": "hr"}), 403)

    desk.command(teams.set_members, "hr", [desk.person("agent").id], expected_version=None)

    assert written(agent) == [shared]


@pytest.mark.parametrize(
    "more", [{"scope": "team"}, {"scope": "all", "team": "it"}, {"scope": "team", "team": "nobody"}]
)
@sqlite_only
def test_scope_and_team_belong_together(as_user: Any, more: Any) -> None:
    problem(as_user("admin").post(PATH, {"name": "x", "texts": {"en": "x"}, **more}), 422)


def test_a_change_of_an_older_version_is_refused(agent: Caller) -> None:
    own = new(agent)
    body = {"name": "Second", "texts": {"en": "x"}, "folder": "Greetings"}
    path = f"{PATH}/{own['id']}"

    assert agent.ask("PUT", path, body, headers={"If-Match": '"1"'}).json["version"] == 2
    problem(agent.ask("PUT", path, body, headers={"If-Match": '"1"'}), 412)
    assert agent.ask("DELETE", path).status_code == 204
    problem(agent.get(path), 404)


def test_a_shortcut_is_used_once_by_the_same_readers(agent: Caller, as_user: Any) -> None:
    new(agent, shortcut="hi")

    problem(agent.post(PATH, {"name": "Other", "texts": {"en": "x"}, "shortcut": "hi"}), 409, "shortcut_taken")
    new(as_user("manager"), shortcut="hi")
    assert [one["name"] for one in agent.read(PATH, query_string="shortcut=hi")["items"]] == ["Greeting"]


def test_the_list_is_by_folder_and_name(agent: Caller) -> None:
    for folder, name in (("b", "1"), ("a", "2"), ("a", "1"), ("", "9")):
        new(agent, folder=folder, name=name)

    listed = [(one["folder"], one["name"]) for one in written(agent)]

    assert listed == [("", "9"), ("a", "1"), ("a", "2"), ("b", "1")]
    assert [one["name"] for one in agent.read(PATH, query_string="folder=a")["items"]] == ["1", "2"]
    assert [one["name"] for one in agent.read(PATH, query_string="q=9")["items"]] == ["9"]


def test_uses_are_counted_by_the_messages_that_name_them(agent: Caller, ticket: Any, as_user: Any) -> None:
    own, hidden = new(agent), new(as_user("manager"))
    path = f"/v1/tickets/{ticket['id']}/messages"
    body = {"kind": "note", "body": "x"}

    agent.made(path, {**body, "saved_replies": [own["id"], own["id"]]})
    problem(agent.post(path, {**body, "saved_replies": [hidden["id"]]}), 422)

    assert agent.read(f"{PATH}/{own['id']}")["uses"] == 1
    assert agent.read(f"{PATH}/{own['id']}")["last_used_at"] is not None


@sqlite_only
def test_the_number_of_saved_replies_is_bounded(agent: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "saved_replies_max", 1)
    new(agent)

    problem(agent.post(PATH, {"name": "x", "texts": {"en": "x"}}), 409, "too_many_saved_replies")
