"""A merge takes the work of the staff along: drafts and the time spent. The undo gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from models.ticket_actions.sorting import limits
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_merges import merge
from tests.functions.test_visibility import hide


@pytest.fixture
def pair(machine: Caller) -> tuple[Any, Any]:
    return machine.ticket("Printer"), machine.ticket("Printer again")


def spend(caller: Caller, ticket: Any, minutes: int) -> Any:
    return caller.made(f"/v1/tickets/{ticket['id']}/time_entries", {"minutes": minutes})


def spent(caller: Caller, ticket: Any) -> tuple[list[int], int]:
    found = caller.read(f"/v1/tickets/{ticket['id']}/time_entries")
    assert found["minutes_spent"] == caller.read(f"/v1/tickets/{ticket['id']}")["minutes_spent"]
    return [one["minutes"] for one in found["items"]], found["minutes_spent"]


def store_draft(caller: Caller, ticket: Any, body: str) -> None:
    stored = caller.ask("PUT", f"/v1/tickets/{ticket['id']}/draft", {"kind": "note", "body": body})
    assert stored.status_code == 200, stored.text


def drafts(caller: Caller) -> dict[int, str]:
    """The caller's drafts by the number of their ticket."""
    return {one["ticket_number"]: one["excerpt"] for one in caller.everything("/v1/me/drafts")}


def test_time_entries_count_in_the_target_and_go_back_with_an_undo(machine: Caller, pair: tuple[Any, Any]) -> None:
    source, target = pair
    spend(machine, source, 10)
    spend(machine, target, 5)
    gone = spend(machine, source, 7)

    undo = merge(machine, source, target)["undo"]

    assert spent(machine, target) == ([10, 5, 7], 22)
    assert spent(machine, source) == ([], 0)
    spend(machine, target, 1)
    assert machine.ask("DELETE", f"/v1/tickets/{target['id']}/time_entries/{gone['id']}").status_code == 204
    machine.made(f"/v1/undos/{undo['id']}")
    assert spent(machine, source) == ([10], 10)
    assert spent(machine, target) == ([5, 1], 6)


@sqlite_only
def test_a_merge_beyond_the_bound_of_time_entries_is_refused(
    machine: Caller, pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    spend(machine, source, 10)
    spend(machine, target, 5)
    monkeypatch.setattr(limits, "time_entries_max", 1)

    refused = machine.post(f"/v1/tickets/{source['id']}/merges", {"into": target["id"]})

    problem(refused, 409, "merge_refused")
    assert spent(machine, source) == ([10], 10)


def test_a_draft_moves_to_the_target_and_back_unless_it_was_changed(
    machine: Caller, agent: Caller, as_user: Any, pair: tuple[Any, Any]
) -> None:
    source, target = pair
    manager = as_user("manager")
    store_draft(agent, source, "Is it on?")
    store_draft(manager, source, "Is it off?")

    undo = merge(machine, source, target)["undo"]

    assert drafts(agent) == {target["number"]: "Is it on?"}
    assert drafts(manager) == {target["number"]: "Is it off?"}
    store_draft(manager, target, "Is it off now?")
    machine.made(f"/v1/undos/{undo['id']}")
    assert drafts(agent) == {source["number"]: "Is it on?"}
    assert drafts(manager) == {target["number"]: "Is it off now?"}


def test_a_draft_stays_if_its_author_has_one_in_the_target_or_does_not_see_it(
    desk: Desk, machine: Caller, agent: Caller, as_user: Any
) -> None:
    hide(desk)
    outsider = as_user("manager")
    source, target = machine.ticket("Printer"), machine.ticket("Salary", team="hr")
    store_draft(agent, source, "One")
    store_draft(agent, target, "Two")
    store_draft(outsider, source, "Three")

    merge(machine, source, target)

    assert drafts(agent) == {source["number"]: "One", target["number"]: "Two"}
    assert drafts(outsider) == {source["number"]: "Three"}


@sqlite_only
def test_the_undo_of_a_split_takes_the_work_of_the_new_ticket_along(machine: Caller, agent: Caller) -> None:
    source = machine.ticket("Printer")
    machine.made(f"/v1/tickets/{source['id']}/messages", {"kind": "note", "body": "A thing."})
    note = machine.made(f"/v1/tickets/{source['id']}/messages", {"kind": "note", "body": "Another thing."})
    split = machine.made(f"/v1/tickets/{source['id']}/splits", {"messages": [note["id"]], "title": "Other"})
    made = split["ticket"]
    spend(machine, made, 3)
    store_draft(agent, made, "One")

    machine.made(f"/v1/undos/{split['undo']['id']}")

    assert spent(machine, source) == ([3], 3)
    assert drafts(agent) == {source["number"]: "One"}
