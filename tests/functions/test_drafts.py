"""Drafts: one for each ticket and person, kept on the server."""

from __future__ import annotations

from typing import Any

import pytest

from models.drafts import commands
from models.kernel.storage import database
from models.teams import commands as teams
from tests.desk import Desk
from tests.functions.callers import Caller, problem


@pytest.fixture
def ticket(agent: Caller) -> str:
    made = agent.ticket(requester={"email": "ada@example.test"}, description_by="requester")
    return f"/v1/tickets/{made['id']}"


def store(caller: Caller, ticket: str, body: str, match: str | None = None, **more: Any) -> Any:
    headers = {} if match is None else {"If-Match": f'"{match}"'}
    return caller.ask("PUT", f"{ticket}/draft", {"body": body, **more}, headers=headers)


def test_a_draft_is_found_again_as_it_was_stored(agent: Caller, ticket: str) -> None:
    stored = store(agent, ticket, "Dear Ada", kind="note", body_format="markdown", copies=["bo@example.test"])

    read = agent.get(f"{ticket}/draft")

    assert (read.json, read.headers["etag"]) == (stored.json, '"1"')
    assert (read.json["body"], read.json["kind"], read.json["copies"]) == ("Dear Ada", "note", ["bo@example.test"])


def test_a_draft_is_its_authors_alone(agent: Caller, as_user: Any, ticket: str) -> None:
    store(agent, ticket, "Dear Ada")
    manager = as_user("manager")

    problem(manager.get(f"{ticket}/draft"), 404)
    assert manager.read("/v1/me/drafts")["items"] == []


def test_two_windows_do_not_overwrite_each_other(agent: Caller, ticket: str) -> None:
    first = store(agent, ticket, "From the office", "0")
    late = store(agent, ticket, "From home", "0")
    second = store(agent, ticket, "From the office again", "1")

    problem(late, 412)
    assert (first.json["version"], second.json["version"]) == (1, 2)
    assert agent.read(f"{ticket}/draft")["body"] == "From the office again"


def test_a_message_from_the_draft_deletes_it(agent: Caller, ticket: str) -> None:
    store(agent, ticket, "Dear Ada")

    agent.made(f"{ticket}/messages", {"kind": "note", "body": "Else"})
    kept = agent.get(f"{ticket}/draft").status_code
    agent.made(f"{ticket}/messages", {"kind": "reply", "body": "Dear Ada", "from_draft": True})

    assert kept == 200
    problem(agent.get(f"{ticket}/draft"), 404)


def test_a_held_reply_keeps_the_draft(agent: Caller, as_user: Any, ticket: str) -> None:
    seen = agent.made(f"{ticket}/messages", {"kind": "note", "body": "Mine"})["id"]
    store(agent, ticket, "Dear Ada")
    as_user("manager").made(f"{ticket}/messages", {"kind": "note", "body": "Wait"})

    body = {"kind": "reply", "body": "Dear Ada", "from_draft": True, "seen_message": seen}
    problem(agent.post(f"{ticket}/messages", body), 409, "thread_moved_on")

    assert agent.read(f"{ticket}/draft")["body"] == "Dear Ada"


def test_the_list_has_the_own_drafts_the_newest_first(agent: Caller, ticket: str) -> None:
    other = f"/v1/tickets/{agent.ticket('Lamp')['id']}"
    for path in (ticket, other):
        store(agent, path, f"Draft in {path}")

    listed = agent.everything("/v1/me/drafts", limit=1)

    assert [one["ticket_title"] for one in listed] == ["Lamp", "Printer"]


def test_deletion_is_repeatable_and_an_api_key_has_no_drafts(agent: Caller, machine: Caller, ticket: str) -> None:
    store(agent, ticket, "Dear Ada")

    assert [agent.ask("DELETE", f"{ticket}/draft").status_code for _ in range(2)] == [204, 204]
    problem(store(machine, ticket, "Dear Ada"), 409)


def test_the_number_of_drafts_is_bounded(agent: Caller, ticket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "drafts_per_user_max", 1)
    store(agent, ticket, "Dear Ada")

    problem(store(agent, f"/v1/tickets/{agent.ticket('Lamp')['id']}", "x"), 409, "too_many_drafts")
    assert store(agent, ticket, "Changed").status_code == 200


def test_a_forgotten_draft_is_deleted(agent: Caller, desk: Desk, ticket: str) -> None:
    store(agent, ticket, "Dear Ada")
    desk.advance(days=91)

    assert desk.command(commands.collect, batch_max=10) == 1
    assert desk.rows("SELECT 1 AS n FROM drafts") == []


def test_the_list_leaves_out_tickets_that_the_author_no_longer_sees(
    agent: Caller, machine: Caller, desk: Desk, ticket: str
) -> None:
    store(agent, ticket, "Dear Ada")
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
    machine.ask("PATCH", ticket, {"team": "hr"}, headers={"If-Match": "*"})

    assert agent.read("/v1/me/drafts")["items"] == []
    problem(agent.get(f"{ticket}/draft"), 404)
