"""The preview of a reply's recipients: who will read it, and why."""

from __future__ import annotations

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, problem

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def _path(desk: Desk) -> str:
    return f"/v1/tickets/{desk.ticket().id}/recipients"


def test_the_preview_names_the_readers_of_an_answer_with_reasons(machine: Caller, desk: Desk) -> None:
    desk.receive_email("It burns.", headers={"Cc": "Grace <grace@example.com>"})
    desk.run_due()

    found = machine.ask("POST", _path(desk), {}).json
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    assert (found["to"]["address"], found["to_grade"]) == ("ada@example.com", "unjudged")
    assert "no judge" in found["to"]["reason"]
    assert found["copies"] == []
    [left_out] = found["left_out"]
    assert (left_out["address"], left_out["name"]) == ("grace@example.com", "Grace")
    assert "not confirmed" in left_out["reason"]
    assert (desk.sent[-1].address, desk.sent[-1].message.copies) == ("ada@example.com", ())


def test_the_preview_shows_the_readers_whom_the_agent_names(machine: Caller, desk: Desk) -> None:
    desk.receive_email("It burns.")
    desk.run_due()

    found = machine.ask("POST", _path(desk), {"copies": ["Grace@example.com", "ada@example.com"]}).json

    assert [(one["address"], one["reason"]) for one in found["copies"]] == [
        ("grace@example.com", "the agent names them")
    ]
    assert desk.rows("SELECT 1 FROM ticket_participants") == []


def test_the_preview_shows_that_answers_go_to_reply_to(machine: Caller, desk: Desk) -> None:
    desk.receive_email("It burns.", headers={"Reply-To": "ada@home.test"})
    desk.run_due()

    found = machine.ask("POST", _path(desk), {}).json

    assert (found["to"]["address"], found["to_grade"]) == ("ada@home.test", "unproved")
    assert found["copies"] == found["left_out"] == []


def test_a_chat_has_one_reader(machine: Caller, desk: Desk) -> None:
    desk.receive_telegram("It burns.")
    desk.run_due()

    found = machine.ask("POST", _path(desk), {}).json

    assert (found["channel"], found["to"]["address"], found["to_grade"]) == ("telegram", "42", None)
    problem(machine.ask("POST", _path(desk), {"copies": ["a@example.com"]}), 422)


def test_a_ticket_without_a_way_to_its_requester_has_no_reader(machine: Caller) -> None:
    ticket = machine.ticket(requester={"name": "Ada"})

    assert machine.ask("POST", f"/v1/tickets/{ticket['id']}/recipients", {}).json["to"] is None


def test_the_participants_show_who_is_confirmed(machine: Caller, desk: Desk) -> None:
    desk.receive_email("It burns.", headers={"Cc": "grace@example.com"})
    desk.run_due()
    path = f"/v1/tickets/{desk.ticket().id}"

    before = machine.read(f"{path}/participants")["items"]
    machine.made(f"{path}/messages", {"kind": "reply", "body": "Hello", "copies": ["grace@example.com"]})
    after = machine.read(f"{path}/participants")["items"]

    assert [one["confirmed_at"] is None for one in (*before, *after)] == [True, False]


def test_a_message_shows_the_proof_of_its_author(machine: Caller, desk: Desk) -> None:
    desk.receive_email("It burns.")
    desk.run_due()

    ticket = machine.read(f"/v1/tickets/{desk.ticket().id}")
    message = machine.read(f"/v1/tickets/{desk.ticket().id}/messages")["items"][0]

    assert ticket["author_grade"] == "unjudged"
    assert message["author_proof"] == {
        "address": "ada@example.com",
        "grade": "unjudged",
        "rests_on": "no judge is configured for this mailbox (authserv_ids)",
        "source": "from",
    }
