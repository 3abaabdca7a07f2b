"""A ticket can be given to another requester, and its answers to another address; both can be undone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only
from tests.functions.test_merges import everything_of, kinds, people_texts


@pytest.fixture
def pair(desk: Desk, machine: Caller) -> tuple[Any, Any]:
    """A mail ticket of Ada, and one of Bob."""
    for name in ("ada", "bob"):
        desk.receive_email(
            f"First of {name}.", sender=f"{name} <{name}@example.com>", subject=name, message_id=f"<{name}@x.test>"
        )
        desk.run_due()
    first, second = sorted(machine.everything("/v1/tickets"), key=lambda one: one["number"])
    return first, second


def give(caller: Caller, ticket: Any, requester: Any) -> Any:
    answer = caller.ask("PUT", f"/v1/tickets/{ticket['id']}/requester", {"requester_id": requester["id"]})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_answers_go_to_the_new_requester_and_the_former_one_takes_part_no_more(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    ada, bob = pair
    before = len(desk.calls)

    given = give(machine, ada, bob["requester"])
    machine.made(f"/v1/tickets/{ada['id']}/messages", {"kind": "reply", "body": "An answer."})
    desk.run_due()
    desk.receive_email("Later of ada", sender="ada@example.com", in_reply_to="<ada@x.test>", subject="Re: ada")
    desk.run_due()

    assert given["ticket"]["requester"] == bob["requester"]
    assert given["contact"]["address"] == "bob@example.com"
    [reply] = [one.message for one in desk.calls[before:] if "An answer." in one.body]
    assert (reply.address, list(reply.copies)) == ("bob@example.com", [])
    assert people_texts(machine, ada) == ["First of ada."]
    newest = machine.everything("/v1/tickets", sort="-number")[0]
    assert people_texts(machine, newest) == ["Later of ada"]
    assert "requester_changed" in kinds(machine, ada)
    assert machine.read(f"/v1/tickets/{ada['id']}/participants")["items"] == []


def test_the_undo_gives_the_ticket_back(desk: Desk, machine: Caller, pair: tuple[Any, Any]) -> None:
    ada, bob = pair
    before = everything_of(desk, ada)
    given = give(machine, ada, bob["requester"])
    assert everything_of(desk, ada) != before

    answer = machine.made(f"/v1/undos/{given['undo']['id']}")

    assert answer["kept"] == []
    assert everything_of(desk, ada) == before
    desk.receive_email("Later of ada", sender="ada@example.com", in_reply_to="<ada@x.test>", subject="Re: ada")
    desk.run_due()
    assert people_texts(machine, ada)[-1] == "Later of ada"


def test_the_former_requesters_chat_leaves_the_ticket(desk: Desk, machine: Caller, pair: tuple[Any, Any]) -> None:
    desk.receive_telegram("First in the chat")
    desk.run_due()
    chat = machine.everything("/v1/tickets", sort="-number")[0]

    give(machine, chat, pair[0]["requester"])
    desk.receive_telegram("Later in the chat")
    desk.run_due()

    assert people_texts(machine, chat) == ["First in the chat"]
    assert len(machine.everything("/v1/tickets")) == 4


@sqlite_only
def test_an_agent_who_names_the_former_requester_lets_them_take_part_again(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    ada, bob = pair
    give(machine, ada, bob["requester"])

    body = {"kind": "reply", "body": "For both.", "copies": ["ada@example.com"]}
    machine.made(f"/v1/tickets/{ada['id']}/messages", body)
    desk.run_due()
    desk.receive_email("Later of ada", sender="ada@example.com", in_reply_to="<ada@x.test>", subject="Re: ada")
    desk.run_due()

    assert people_texts(machine, ada)[-1] == "Later of ada"


@sqlite_only
def test_the_contact_is_an_address_of_the_requester_or_of_a_confirmed_participant(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    ada, _ = pair
    path = f"/v1/tickets/{ada['id']}/contact"
    stranger = machine.ask("PUT", path, {"channel": "email", "address": "bob@example.com"})
    assert paths(problem(stranger, 422)) == ["/address"]
    machine.made(
        f"/v1/requesters/{ada['requester']['id']}/identities", {"channel": "email", "address": "ada@home.example"}
    )
    machine.made(f"/v1/tickets/{ada['id']}/messages", {"kind": "reply", "body": "x", "copies": ["carol@example.com"]})
    desk.run_due()

    home = machine.ask("PUT", path, {"channel": "email", "address": "ada@home.example"}).json
    assert (home["contact"]["address"], home["warnings"]) == ("ada@home.example", [])
    carol = machine.ask("PUT", path, {"channel": "email", "address": "carol@example.com"}).json
    assert "The requester does not get the answers of this ticket." in carol["warnings"]
    machine.made(f"/v1/undos/{carol['undo']['id']}")
    assert machine.read(path)["contact"]["address"] == "ada@home.example"
    assert "contact_changed" in kinds(machine, ada)


@sqlite_only
def test_a_merged_or_unknown_requester_gets_no_ticket(machine: Caller, pair: tuple[Any, Any]) -> None:
    ada, bob = pair
    machine.made(f"/v1/requesters/{ada['requester']['id']}/merges", {"source_id": bob["requester"]["id"]})

    for requester_id in (bob["requester"]["id"], "00000000-0000-7000-8000-000000000000"):
        answer = machine.ask("PUT", f"/v1/tickets/{ada['id']}/requester", {"requester_id": requester_id})
        assert paths(problem(answer, 422)) == ["/requester_id"]
