"""A reply whose author has not seen what others wrote is held."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, problem


@pytest.fixture
def path(desk: Desk, machine: Caller) -> str:
    desk.receive_telegram("It burns.")
    desk.run_due()
    return f"/v1/tickets/{machine.read('/v1/tickets')['items'][0]['id']}/messages"


def messages(caller: Caller, path: str) -> list[Any]:
    items: list[Any] = caller.read(path)["items"]
    return items


def reply(caller: Caller, path: str, **more: Any) -> Any:
    return caller.post(path, {"kind": "reply", "body": "Use water.", **more})


def test_a_reply_is_held_when_the_requester_wrote_meanwhile(agent: Caller, desk: Desk, path: str) -> None:
    seen = messages(agent, path)[-1]["id"]
    desk.receive_telegram("It went out by itself.")
    desk.run_due()
    before = len(messages(agent, path))

    held = reply(agent, path, seen_message=seen)

    problem(held, 409, "thread_moved_on")
    [new] = held.json["new_messages"]
    assert (new["author_kind"], new["kind"]) == ("requester", "reply")
    assert len(messages(agent, path)) == before
    assert reply(agent, path, seen_message=new["id"]).status_code == 201


def test_a_held_reply_is_sent_anyway_at_the_authors_wish(agent: Caller, desk: Desk, path: str) -> None:
    seen = messages(agent, path)[0]["id"]
    desk.receive_telegram("It went out by itself.")
    desk.run_due()

    assert reply(agent, path, seen_message=seen, send_anyway=True).status_code == 201


@pytest.mark.parametrize("kind", ["reply", "note"])
def test_a_colleagues_words_hold_a_reply_and_own_words_do_not(
    agent: Caller, as_user: Any, path: str, kind: str
) -> None:
    seen = messages(agent, path)[-1]["id"]
    agent.made(path, {"kind": kind, "body": "I look at it."})
    own = reply(agent, path, seen_message=seen)
    seen = messages(agent, path)[-1]["id"]
    as_user("manager").made(path, {"kind": kind, "body": "Leave it to me."})

    held = reply(agent, path, seen_message=seen)

    assert own.status_code == 201
    problem(held, 409, "thread_moved_on")


def test_an_acknowledgement_of_the_desk_holds_no_reply(agent: Caller, path: str) -> None:
    first, *rest = messages(agent, path)

    assert {one["author"]["kind"] for one in rest} == {"system"}
    assert reply(agent, path, seen_message=first["id"]).status_code == 201


def test_a_message_of_another_ticket_is_refused(agent: Caller, path: str) -> None:
    other = agent.ticket(description="Else", description_by="requester")
    [message] = messages(agent, f"/v1/tickets/{other['id']}/messages")

    problem(reply(agent, path, seen_message=message["id"]), 422)


@pytest.mark.parametrize("kind", ["reply", "note"])
def test_if_match_holds_a_message_for_any_change_of_the_ticket(agent: Caller, path: str, kind: str) -> None:
    ticket = path.removesuffix("/messages")
    seen = agent.get(ticket).headers["etag"]
    agent.ask("PATCH", ticket, {"title": "Fire"}, headers={"If-Match": "*"})
    body = {"kind": kind, "body": "Use water."}

    problem(agent.post(path, body, headers={"If-Match": seen}), 412)
    assert agent.post(path, {**body, "send_anyway": True}, headers={"If-Match": seen}).status_code == 201


def test_a_note_is_never_held(agent: Caller, path: str) -> None:
    seen = messages(agent, path)[0]["id"]

    problem(agent.post(path, {"kind": "note", "body": "x", "seen_message": seen}), 422)
