"""An agent writes to somebody else than the requester, and sees when the requester is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.kernel import clock
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only

SUPPLIER = "supplier@parts.example"


@pytest.fixture
def path(desk: Desk) -> str:
    """Ida's ticket by mail, with Bo as a reader of a copy."""
    desk.receive_email(sender="Ida <ida@firma.example>", headers={"Cc": "Bo <bo@firma.example>"})
    desk.run_due()
    return f"/v1/tickets/{desk.ticket().id}"


def write(agent: Caller, path: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = agent.made(f"{path}/messages", {"kind": "reply", "body": "Do you have the part?"} | more)
    return made


def warnings(agent: Caller, path: str, **more: Any) -> list[str]:
    found: list[str] = agent.post(f"{path}/recipients", more).json["warnings"]
    return found


def test_a_mail_goes_to_the_chosen_address_alone(path: str, desk: Desk, agent: Caller) -> None:
    made = write(agent, path, to=SUPPLIER)
    desk.run_due()

    sent = desk.sent[-1]
    assert (sent.address, sent.message.copies, sent.message.recipient_name) == (SUPPLIER, (), "")
    assert made["details"]["to"] == {"address": SUPPLIER, "reaches_requester": False}


def test_a_mail_past_the_requester_is_no_answer_to_them(path: str, desk: Desk, agent: Caller) -> None:
    write(agent, path, to=SUPPLIER)
    write(agent, path, to=SUPPLIER, send_at=clock.rfc3339(clock.now() + timedelta(hours=2)))
    desk.run_due()
    desk.advance(hours=3)
    desk.run_due()

    assert [sent.address for sent in desk.sent].count(SUPPLIER) == 2
    assert desk.ticket().state == "new"
    assert desk.ticket().first_response_at is None


def test_the_answer_of_the_chosen_recipient_joins_and_leaves_the_contact(path: str, desk: Desk, agent: Caller) -> None:
    write(agent, path, to=SUPPLIER)
    desk.run_due()

    desk.receive_email("Yes.", sender=SUPPLIER, in_reply_to=desk.sent[-1].message.external_id)
    desk.run_due()

    assert desk.bodies(desk.ticket())[-1] == "Yes."
    assert desk.ticket().contact_address == "ida@firma.example"
    assert SUPPLIER in {one["address"] for one in agent.read(f"{path}/participants")["items"]}


def test_the_agent_is_warned_that_the_last_reply_did_not_go_to_the_requester(
    path: str, desk: Desk, agent: Caller
) -> None:
    assert warnings(agent, path) == []
    assert warnings(agent, path, to=SUPPLIER) == ["The requester does not get this message."]

    write(agent, path, to=SUPPLIER)
    assert warnings(agent, path) == [f"The last reply went to {SUPPLIER} and not to the requester."]

    write(agent, path)
    assert warnings(agent, path) == []


def test_a_participant_may_be_the_recipient_and_the_requester_a_reader(path: str, desk: Desk, agent: Caller) -> None:
    wanted = {"to": "Bo@firma.example", "copies": ["ida@firma.example"]}
    preview = agent.post(f"{path}/recipients", wanted).json
    write(agent, path, **wanted)
    desk.run_due()

    assert (preview["to"]["address"], preview["warnings"]) == ("bo@firma.example", [])
    assert (desk.sent[-1].address, desk.sent[-1].message.copies) == ("bo@firma.example", (("", "ida@firma.example"),))
    assert desk.ticket().state == "waiting_on_requester"


def test_the_requesters_own_address_is_no_other_recipient(path: str, desk: Desk, agent: Caller) -> None:
    made = write(agent, path, to="Ida@firma.example", copies=[])
    desk.run_due()

    assert desk.sent[-1].address == "ida@firma.example"
    assert "to" not in made["details"]


def test_a_mailbox_of_the_desk_is_no_recipient(path: str, agent: Caller) -> None:
    refused = problem(agent.post(f"{path}/messages", {"kind": "reply", "body": "x", "to": "desk@example.test"}), 422)

    assert refused["errors"][0]["path"] == "/to"


def test_a_note_has_no_recipient(path: str, agent: Caller) -> None:
    problem(agent.post(f"{path}/messages", {"kind": "note", "body": "x", "to": SUPPLIER}), 422)


def test_a_ticket_that_nobody_asked_for_can_ask_somebody_by_mail(desk: Desk, agent: Caller) -> None:
    path = f"/v1/tickets/{agent.made('/v1/tickets', {'title': 'Parts'})['id']}"

    made = write(agent, path, to=SUPPLIER)
    desk.run_due()

    assert desk.sent[-1].address == SUPPLIER
    assert made["details"]["to"]["reaches_requester"] is False


def test_a_ticket_of_a_chat_can_ask_somebody_by_mail(desk: Desk, agent: Caller) -> None:
    desk.receive_telegram("It burns.", chat=42, name="Ada")
    desk.run_due()
    path = f"/v1/tickets/{desk.ticket().id}"

    write(agent, path, to=SUPPLIER)
    desk.run_due()

    assert (desk.sent[-1].address, desk.ticket().contact_channel) == (SUPPLIER, "telegram")
