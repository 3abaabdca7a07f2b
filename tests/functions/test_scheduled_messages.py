"""Messages that wait for their time: the queue, another time, and sending now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.kernel import clock
from tests.desk import Desk
from tests.functions.callers import Caller, problem

QUEUE = "/v1/scheduled_messages"


@pytest.fixture
def ticket(desk: Desk, agent: Caller) -> Any:
    made = agent.ticket(requester={"email": "ada@example.test"}, description_by="requester")
    desk.run_due()
    return made


def later(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


def schedule(caller: Caller, ticket: Any, body: str = "See you.", days: int = 30) -> str:
    """Schedule a reply; returns the path of the message."""
    path = f"/v1/tickets/{ticket['id']}/messages"
    return f"{path}/{caller.made(path, {'kind': 'reply', 'body': body, 'send_at': later(days)})['id']}"


def move(caller: Caller, message: str, send_at: str | None) -> Any:
    return caller.ask("PUT", f"{message}/send_at", {"send_at": send_at})


def test_the_queue_lists_what_waits_the_next_one_first(agent: Caller, desk: Desk, ticket: Any) -> None:
    schedule(agent, ticket, "Second", 31)
    schedule(agent, ticket, "First")
    schedule(agent, ticket, "Third", 32)

    listed = agent.everything(QUEUE)

    assert [one["excerpt"] for one in listed] == ["First", "Second", "Third"]
    assert (listed[0]["ticket_number"], listed[0]["address"]) == (ticket["number"], "ada@example.test")


def test_the_queue_has_the_own_messages_unless_all_are_wanted(agent: Caller, machine: Caller, ticket: Any) -> None:
    schedule(agent, ticket, "Mine")
    schedule(machine, ticket, "Theirs")

    assert [one["excerpt"] for one in agent.read(QUEUE)["items"]] == ["Mine"]
    everybody = agent.read(QUEUE, query_string="author=all")["items"]
    assert {one["excerpt"] for one in everybody} == {"Mine", "Theirs"}


def test_a_deleted_message_leaves_the_queue(agent: Caller, ticket: Any) -> None:
    message = schedule(agent, ticket)

    agent.ask("DELETE", message)

    assert agent.read(QUEUE)["items"] == []


def test_a_message_that_was_moved_is_sent_at_its_new_time_and_once(machine: Caller, desk: Desk, ticket: Any) -> None:
    message = schedule(machine, ticket)

    moved = move(machine, message, later(60))
    desk.advance(days=31)
    desk.run_due()
    early = desk.sent_bodies().count("See you.")
    desk.advance(days=30)
    desk.run_due()

    assert moved.status_code == 200, moved.text
    assert (early, desk.sent_bodies().count("See you.")) == (0, 1)
    history = [one["event_type"] for one in machine.everything(f"/v1/tickets/{ticket['id']}/events", limit=50)]
    assert history.count("message_rescheduled") == 1


@pytest.mark.parametrize("send_at", [None, "2020-01-01T00:00:00Z"])
def test_a_message_without_a_later_time_is_sent_now(machine: Caller, desk: Desk, ticket: Any, send_at: Any) -> None:
    message = schedule(machine, ticket)

    move(machine, message, send_at)
    desk.run_due()
    desk.advance(days=30)
    desk.run_due()

    assert desk.sent_bodies().count("See you.") == 1
    assert machine.read(f"/v1/tickets/{ticket['id']}")["first_response_at"] is not None
    problem(move(machine, message, None), 409, "not_scheduled")


def test_another_agents_message_is_moved_with_a_permission_only(
    agent: Caller, machine: Caller, as_user: Any, ticket: Any
) -> None:
    message = schedule(machine, ticket)

    problem(move(agent, message, None), 403, "not_your_message")
    assert move(as_user("manager"), message, None).status_code == 200


def test_a_time_too_far_away_is_refused(agent: Caller, ticket: Any) -> None:
    problem(move(agent, schedule(agent, ticket), later(400)), 422)
