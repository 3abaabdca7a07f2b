"""A change of one ticket can be undone for an hour: properties, tags, assignment, snooze."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, problem


def changed(machine: Caller, ticket: Any, method: str, path: str, body: Any = None) -> None:
    version = machine.read(f"/v1/tickets/{ticket['id']}")["version"]
    headers = {"If-Match": f'"{version}"'} if method == "PATCH" else {}
    result = machine.ask(method, f"/v1/tickets/{ticket['id']}{path}", body, headers=headers)
    assert result.status_code == 200, result.text


def last_undo(machine: Caller, ticket: Any) -> Any:
    return machine.read(f"/v1/tickets/{ticket['id']}/undos")["items"][0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"title": "Scanner", "priority": "high", "fields": {"floor": 4}, "tags": {"add": ["vip"]}}),
        ("PUT", "/tags/vip", None),
        ("DELETE", "/tags/paper", None),
        ("PUT", "/snooze", {"until_answer": True, "note": "later"}),
    ],
)
def test_an_act_is_undone_to_the_values_before_it(
    machine: Caller, desk: Desk, method: str, path: str, body: Any
) -> None:
    ticket = machine.ticket(tags=["paper", "x"], fields={"floor": 3})
    changed(machine, ticket, method, path, body)

    machine.made(f"/v1/undos/{last_undo(machine, ticket)['id']}")

    now = machine.read(f"/v1/tickets/{ticket['id']}")
    for name in ("title", "priority", "fields", "snoozed_at", "snoozed_until", "snooze_note", "assignee"):
        assert now[name] == ticket[name], name
    assert sorted(now["tags"]) == ["paper", "x"]


def test_an_assignment_is_undone(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket()
    changed(machine, ticket, "PUT", "/assignment", {"assignee_id": desk.person().id})

    machine.made(f"/v1/undos/{last_undo(machine, ticket)['id']}")

    assert machine.read(f"/v1/tickets/{ticket['id']}")["assignee"] is None


def test_an_undo_keeps_what_somebody_changed_since(machine: Caller) -> None:
    ticket = machine.ticket()
    changed(machine, ticket, "PATCH", "", {"title": "Scanner", "priority": "high"})
    undo = last_undo(machine, ticket)
    changed(machine, ticket, "PATCH", "", {"title": "Fax"})

    kept = machine.made(f"/v1/undos/{undo['id']}")["kept"]

    now = machine.read(f"/v1/tickets/{ticket['id']}")
    assert (now["title"], now["priority"]) == ("Fax", "normal")
    assert kept == ["title changed again since and stays"]


def test_an_undo_of_nothing_but_changed_values_is_refused(machine: Caller) -> None:
    ticket = machine.ticket()
    changed(machine, ticket, "PATCH", "", {"title": "Scanner"})
    undo = last_undo(machine, ticket)
    changed(machine, ticket, "PATCH", "", {"title": "Fax"})

    problem(machine.post(f"/v1/undos/{undo['id']}"), 409, "undo_refused")


def test_a_change_without_effect_has_no_undo(machine: Caller) -> None:
    ticket = machine.ticket(tags=["vip"])

    changed(machine, ticket, "PUT", "/tags/vip")

    assert machine.read(f"/v1/tickets/{ticket['id']}/undos")["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [("PATCH", "", {"title": "Scanner"}, "ticket_change"), ("POST", "/deletion", {}, "ticket_bin")],
)
def test_an_undo_is_an_audit_entry(machine: Caller, method: str, path: str, body: Any, kind: str) -> None:
    ticket = machine.ticket()
    changed(machine, ticket, method, path, body)

    machine.made(f"/v1/undos/{last_undo(machine, ticket)['id']}")

    [entry] = machine.read("/v1/audit", params={"action": "act_undone"})["items"]
    assert (entry["object_id"], entry["after"]) == (ticket["id"], {"kind": kind})
    assert (entry["actor_kind"], entry["actor_id"]) == ("api_key", machine.read("/v1/me")["id"])
