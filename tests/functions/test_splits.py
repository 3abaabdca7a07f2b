"""A split moves chosen messages to a new ticket, where later answers to them arrive, and can be undone."""

from __future__ import annotations

from typing import Any

import pytest

from queues import runner
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only
from tests.functions.test_merges import everything_of, kinds, people_texts, texts


@pytest.fixture
def ticket(desk: Desk, machine: Caller) -> Any:
    """A mail ticket of Ada with two questions and a note."""
    desk.receive_email("First question.", subject="Two things", message_id="<one@example.com>")
    desk.run_due()
    [found] = machine.everything("/v1/tickets")
    desk.advance(seconds=10)
    desk.receive_email(
        "Note the second.", subject="Re: Two things", message_id="<two@example.com>", in_reply_to="<one@example.com>"
    )
    desk.run_due()
    desk.advance(seconds=10)
    machine.made(f"/v1/tickets/{found['id']}/messages", {"kind": "note", "body": "Note of an agent"})
    desk.advance(seconds=10)
    return found


def ids_of(caller: Caller, ticket: Any, *bodies: str) -> list[str]:
    found = caller.everything(f"/v1/tickets/{ticket['id']}/messages")
    return [one["id"] for one in found if one["body"].strip() in bodies]


def split(caller: Caller, ticket: Any, *bodies: str, **more: Any) -> Any:
    body = {"messages": ids_of(caller, ticket, *bodies), "title": "The second thing", **more}
    return caller.made(f"/v1/tickets/{ticket['id']}/splits", body)


def test_a_later_answer_to_a_moved_message_joins_the_new_ticket(desk: Desk, machine: Caller, ticket: Any) -> None:
    sent_before = len(desk.calls)

    made = split(machine, ticket, "Note the second.", "Note of an agent")["ticket"]
    desk.receive_email("Later", subject="Re: Two things", in_reply_to="<two@example.com>")
    desk.run_due()

    assert people_texts(machine, ticket) == ["First question."]
    assert people_texts(machine, made) == ["Note the second.", "Note of an agent", "Later"]
    for one in (ticket, made):
        numbers = [number for number, _ in texts(machine, one)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert made["requester"] == ticket["requester"]
    assert len(desk.calls) == sent_before, "nobody gets an automatic message for a split"
    links = machine.read(f"/v1/tickets/{made['id']}/links")["items"]
    assert [(one["kind"], one["number"]) for one in links] == [("split_from", ticket["number"])]
    assert "ticket_split" in kinds(machine, ticket)
    assert kinds(machine, made)[:2] == ["ticket_created", "ticket_split_from"]


def test_the_undo_of_a_split_restores_the_ticket_and_brings_later_messages_back(
    desk: Desk, machine: Caller, ticket: Any
) -> None:
    before = everything_of(desk, ticket)
    made = split(machine, ticket, "Note the second.")
    assert everything_of(desk, ticket) != before

    answer = machine.made(f"/v1/undos/{made['undo']['id']}")

    assert answer["kept"] == []
    assert everything_of(desk, ticket) == before
    gone = machine.read(f"/v1/tickets/{made['ticket']['id']}")
    assert (gone["category"], gone["merged_into"], gone["message_count"]) == ("closed", ticket["id"], 0)

    again = split(machine, ticket, "Note the second.")
    machine.made(f"/v1/tickets/{again['ticket']['id']}/messages", {"kind": "note", "body": "Later"})
    answer = machine.made(f"/v1/undos/{again['undo']['id']}")
    assert answer["kept"] == [f"Messages that came after the split are now in ticket #{ticket['number']}."]
    assert people_texts(machine, ticket) == ["First question.", "Note the second.", "Note of an agent", "Later"]


@sqlite_only
def test_a_message_of_somebody_else_can_become_their_own_ticket(desk: Desk, machine: Caller, ticket: Any) -> None:
    [sent] = [one.message for one in desk.calls if one.address == "ada@example.com"][:1]
    desk.receive_email("First of Ada, with Bob.", subject="x", headers={"Cc": "bob@example.com"})
    desk.run_due()
    other = machine.everything("/v1/tickets", sort="-number")[0]
    [mail] = [one for one in machine.everything(f"/v1/tickets/{other['id']}/messages") if one["direction"] == "inbound"]
    desk.receive_email("Later of Bob.", sender="Bob <bob@example.com>", in_reply_to=mail["external_id"])
    desk.run_due()

    made = split(machine, other, "Later of Bob.", requester="author")["ticket"]

    assert made["requester"]["name"] == "Bob"
    recipients = machine.made(f"/v1/tickets/{made['id']}/recipients", {})
    assert recipients["to"]["address"] == "bob@example.com"
    assert sent.address == "ada@example.com"


@sqlite_only
def test_a_split_of_every_message_or_of_another_tickets_is_refused(desk: Desk, machine: Caller, ticket: Any) -> None:
    path = f"/v1/tickets/{ticket['id']}/splits"
    every = [one["id"] for one in machine.everything(f"/v1/tickets/{ticket['id']}/messages")]
    other = machine.ticket("Other", description="Other")

    problem(machine.post(path, {"messages": every, "title": "All"}), 409, "split_refused")
    answer = machine.post(path, {"messages": [every[0], *ids_of(machine, other, "Other")], "title": "x"})
    assert paths(problem(answer, 422)) == ["/messages/1"]


@sqlite_only
def test_an_unread_message_that_moves_is_read_by_the_new_life_cycle(desk: Desk, machine: Caller, ticket: Any) -> None:
    desk.receive_email("Later", subject="Re: Two things", in_reply_to="<one@example.com>")
    [task] = desk.due_tasks()
    runner.run_task(task)  # the mail is recorded, and the life cycle has not read it yet
    made = split(machine, ticket, "Later")["ticket"]
    desk.run_due()

    reactions = [one["event"] for one in machine.read(f"/v1/tickets/{made['id']}/why")["decisions"]]
    assert "ticket_created" in reactions
    assert "requester_message" not in reactions
