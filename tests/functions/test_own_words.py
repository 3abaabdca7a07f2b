"""Own words: another's note or reply is edited or deleted only with a permission, and the message says by whom; the own
failed message is sent again by its writer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.ports import outbound
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only
CHANGE = {"body": "You are wrong."}


@pytest.fixture
def path(desk: Desk, agent: Caller) -> str:
    """A ticket with a requester."""
    return f"/v1/tickets/{agent.ticket(requester={'email': 'ada@example.com'})['id']}"


@pytest.fixture
def note(path: str, agent: Caller) -> str:
    """The path of a note of the agent's."""
    made = agent.made(f"{path}/messages", {"kind": "note", "body": "I was here."})
    return f"{path}/messages/{made['id']}"


@pytest.fixture
def other_agent(desk: Desk, machine: Caller, gateway: Any) -> Caller:
    """A second person with the role agent."""
    body = {"email": "otto@example.test", "name": "Otto", "password": "a-plant-in-a-pot", "role": "agent"}
    machine.made("/v1/users", body)
    tokens = Caller(gateway).made("/v1/auth/tokens", {"email": body["email"], "password": body["password"]})
    return Caller(gateway, tokens["access_token"])


def change(caller: Caller, path: str) -> Any:
    return caller.ask("PATCH", path, CHANGE, headers={"If-Match": "*"})


def test_another_agents_note_is_neither_edited_nor_deleted(note: str, agent: Caller, other_agent: Caller) -> None:
    before = agent.read(note)

    problem(change(other_agent, note), 403, "not_your_message")
    problem(other_agent.ask("DELETE", note), 403, "not_your_message")

    assert agent.read(note) == before


def test_the_own_note_is_edited_and_deleted(note: str, agent: Caller, desk: Desk) -> None:
    edited = change(agent, note).json
    deleted = agent.ask("DELETE", note).json

    me = {"kind": "user", "id": str(desk.person("agent").id), "name": "Olga Agent"}
    assert (edited["body"], edited["edited_by"]) == (CHANGE["body"], me)
    assert deleted["deleted_at"] is not None


def test_with_the_permission_another_persons_note_is_edited_and_says_by_whom(
    note: str, desk: Desk, as_user: Callable[[str], Caller]
) -> None:
    manager = as_user("manager")
    assert "messages_manage" in manager.read("/v1/me")["permissions"]

    edited = change(manager, note).json

    assert edited["author"]["name"] == "Olga Agent"
    assert edited["edited_by"] == {"kind": "user", "id": str(desk.person("manager").id), "name": "Mira Manager"}
    assert manager.read(f"{note}")["edited_by"] == edited["edited_by"]


def test_a_deletion_says_by_whom(note: str, as_user: Callable[[str], Caller]) -> None:
    manager = as_user("manager")

    assert manager.ask("DELETE", note).json["edited_by"]["name"] == "Mira Manager"


def test_what_a_life_cycle_wrote_is_nobodys_own(path: str, desk: Desk, agent: Caller) -> None:
    [automatic] = [one for one in agent.everything(f"{path}/messages") if one["author"]["kind"] == "system"]

    problem(change(agent, f"{path}/messages/{automatic['id']}"), 403, "not_your_message")


def test_an_api_key_changes_its_own_words_and_no_other_keys(path: str, as_role: Callable[[str], Caller]) -> None:
    first, second = as_role("agent"), as_role("agent")
    made = first.made(f"{path}/messages", {"kind": "note", "body": "By a program."})
    own = f"{path}/messages/{made['id']}"

    problem(change(second, own), 403, "not_your_message")
    assert change(first, own).json["edited_by"]["kind"] == "api_key"


# -- the own failed message ------------------------------------------------------------------------------------


@pytest.fixture
def failed(path: str, desk: Desk, agent: Caller) -> str:
    """The path of a reply of the agent's that did not arrive."""
    desk.run_due()
    made = agent.made(f"{path}/messages", {"kind": "reply", "body": "Water it."})
    desk.answers.append(outbound.permanent("no such mailbox"))
    desk.run_due()
    reply = f"{path}/messages/{made['id']}"
    assert [one["state"] for one in agent.read(reply)["deliveries"]] == ["failed"]
    return reply


def test_an_agent_sends_the_own_failed_message_again(failed: str, path: str, desk: Desk, agent: Caller) -> None:
    before = len(desk.sent)

    answers = [agent.post(f"{failed}/retry") for _ in range(2)]
    desk.run_due()

    assert [answer.status_code for answer in answers] == [202, 202]
    assert [one["state"] for one in agent.read(failed)["deliveries"]] == ["sent"]
    assert len(desk.sent) == before + 1
    assert [one["event_type"] for one in agent.everything(f"{path}/events")].count("message_retried") == 1


def test_an_agent_sends_no_other_agents_message_again(
    failed: str, other_agent: Caller, as_user: Callable[[str], Caller]
) -> None:
    problem(other_agent.post(f"{failed}/retry"), 403, "not_your_message")
    assert as_user("manager").post(f"{failed}/retry").status_code == 202


def test_a_note_is_not_sent_again(note: str, agent: Caller) -> None:
    problem(agent.post(f"{note}/retry"), 409)


# -- single tags -----------------------------------------------------------------------------------------------


def test_single_tags_are_added_and_removed_and_a_repetition_changes_nothing(path: str, agent: Caller) -> None:
    agent.ask("PATCH", path, {"tags": ["old"]}, headers={"If-Match": "*"})

    added = [agent.ask("PUT", f"{path}/tags/urgent") for _ in range(2)]
    removed = [agent.ask("DELETE", f"{path}/tags/old") for _ in range(2)]

    assert [answer.json["tags"] for answer in added] == [["old", "urgent"]] * 2
    assert [answer.json["tags"] for answer in removed] == [["urgent"]] * 2
    assert added[0].json["version"] == added[1].json["version"]
    changes = [one["payload"]["changes"] for one in agent.everything(f"{path}/events") if "changes" in one["payload"]]
    assert changes[1:] == [
        {"tags": {"from": ["old"], "to": ["old", "urgent"]}},
        {"tags": {"from": ["old", "urgent"], "to": ["urgent"]}},
    ]


@pytest.mark.parametrize("tag", ["Urgent", "1st", "a" * 61, "two%20words"])
def test_a_tag_is_a_word(path: str, agent: Caller, tag: str) -> None:
    problem(agent.ask("PUT", f"{path}/tags/{tag}"), 422)


def test_a_ticket_has_a_bounded_number_of_tags(path: str, agent: Caller) -> None:
    agent.ask("PATCH", path, {"tags": [f"tag-{n}" for n in range(50)]}, headers={"If-Match": "*"})

    problem(agent.ask("PUT", f"{path}/tags/one-more"), 422)
