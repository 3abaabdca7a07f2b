"""The list of tickets by HTTP: wanted columns, totals, custom fields as parameters."""

from __future__ import annotations

import base64
import json

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only


@sqlite_only
def test_a_list_has_the_wanted_columns_and_the_id(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(description="It burns.", requester={"email": "ada@example.test"})

    [row] = machine.read("/v1/tickets?fields=title,requester_address,last_message")["items"]

    assert row.keys() == {"id", "title", "requester_address", "last_message"}
    assert row["id"] == ticket["id"]
    assert row["requester_address"] == {"channel": "email", "address": "ada@example.test"}
    assert row["last_message"]["excerpt"].startswith("Hello ada@example.test, we received your message")
    assert row["last_message"]["kind"] == "reply"


@sqlite_only
def test_a_list_shows_who_is_in_a_ticket_now(machine: Caller, agent: Caller, desk: Desk) -> None:
    ticket = machine.ticket("Printer")
    machine.ticket("Fax")
    agent.ask("PUT", f"/v1/tickets/{ticket['id']}/presence", {"doing": "writing"})

    rows = machine.read("/v1/tickets?fields=title,present")["items"]

    present = {row["title"]: [(one["id"], one["doing"]) for one in row["present"]] for row in rows}
    assert present == {"Printer": [(str(desk.person("agent").id), "writing")], "Fax": []}


@sqlite_only
def test_without_fields_a_list_has_the_columns_of_a_ticket(machine: Caller) -> None:
    ticket = machine.ticket()

    [row] = machine.read("/v1/tickets")["items"]

    assert row == machine.read(f"/v1/tickets/{ticket['id']}")


@sqlite_only
def test_a_ticket_without_messages_and_requester_has_null_in_those_columns(machine: Caller) -> None:
    machine.ticket()

    [row] = machine.read("/v1/tickets?fields=requester_address,last_message")["items"]

    assert (row["requester_address"], row["last_message"]) == (None, None)


@sqlite_only
def test_a_total_is_there_when_it_is_asked_for(machine: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        machine.ticket(f"Ticket {number}")

    assert "total" not in machine.read("/v1/tickets?limit=2")
    assert machine.read("/v1/tickets?limit=2&total=true")["total"] == {"count": 3, "more": False, "text": "3"}
    monkeypatch.setattr("functions.gateway.lists.ticket_list.total_max", 2)
    monkeypatch.setattr("models.ticket_lists.page.total_max", 2)
    assert machine.read("/v1/tickets?total=true")["total"] == {"count": 2, "more": True, "text": "2+"}


@sqlite_only
def test_custom_fields_are_parameters_of_their_own(machine: Caller) -> None:
    machine.ticket("Major", type="incident", fields={"severity": "major"})
    machine.ticket("Minor", type="incident")

    def titles(query: str) -> list[str]:
        return sorted(one["title"] for one in machine.read(f"/v1/tickets?{query}")["items"])

    assert titles("field.severity=major") == ["Major"]
    assert titles("field.severity=major,minor") == ["Major", "Minor"]
    assert titles("field.severity=major&field.severity=minor") == ["Major", "Minor"]
    assert titles("not_field.severity=major") == ["Minor"]


@sqlite_only
@pytest.mark.parametrize("value", ["=\x00", "=\ud800", "", "=" + "9" * 40])
def test_a_forged_position_is_refused_or_matches_nothing(machine: Caller, value: str) -> None:
    machine.ticket()
    text = json.dumps(["tickets:title", value, "not an id"])
    cursor = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    problem(machine.get("/v1/tickets", params={"sort": "title", "cursor": cursor}), 422)
