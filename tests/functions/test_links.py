"""Links between tickets: their kinds from both ends, circles, and the event for a linked ticket that is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.ticket_workflow.links import numbers
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_visibility import hide

pytestmark = sqlite_only


def link(caller: Caller, ticket: Any, kind: str, other: Any) -> Any:
    return caller.post(f"/v1/tickets/{ticket['id']}/links", {"kind": kind, "ticket": other["id"]})


def links(caller: Caller, ticket: Any) -> list[tuple[str, int]]:
    found = caller.read(f"/v1/tickets/{ticket['id']}/links")["items"]
    return [(one["kind"], one["number"]) for one in found]


@pytest.mark.parametrize(
    ("kind", "other_end"),
    [
        ("related", "related"),
        ("child", "parent"),
        ("parent", "child"),
        ("blocks", "blocked_by"),
        ("blocked_by", "blocks"),
        ("duplicates", "duplicated_by"),
        ("duplicated_by", "duplicates"),
    ],
)
def test_a_link_is_seen_from_both_ends_added_once_and_removed(machine: Caller, kind: str, other_end: str) -> None:
    one, two = machine.ticket("One"), machine.ticket("Two")

    for _ in range(2):
        assert link(machine, one, kind, two).status_code == 201

    assert links(machine, one) == [(kind, two["number"])]
    assert links(machine, two) == [(other_end, one["number"])]
    linked = [event for event in machine.everything(f"/v1/tickets/{two['id']}/events") if "linked" in str(event)]
    assert [event["payload"]["kind"] for event in linked] == [other_end]
    assert machine.ask("DELETE", f"/v1/tickets/{two['id']}/links/{other_end}/{one['id']}").status_code == 204
    assert links(machine, one) == []
    problem(machine.ask("DELETE", f"/v1/tickets/{two['id']}/links/{other_end}/{one['id']}"), 404)


@pytest.mark.parametrize("kind", ["child", "blocks"])
def test_parents_and_blocks_form_no_circle(machine: Caller, kind: str) -> None:
    one, two, three = (machine.ticket(name) for name in ("One", "Two", "Three"))
    assert link(machine, one, kind, two).status_code == 201
    assert link(machine, two, kind, three).status_code == 201

    problem(link(machine, three, kind, one), 409, "link_refused")
    problem(link(machine, one, kind, one), 409, "link_refused")

    assert link(machine, three, "related", one).status_code == 201


def test_a_done_ticket_is_reported_to_parents_blocked_tickets_and_duplicates(desk: Desk, machine: Caller) -> None:
    done, parent, blocked, duplicate = (machine.ticket(name) for name in ("Done", "Parent", "Blocked", "Duplicate"))
    link(machine, parent, "child", done)
    link(machine, done, "blocks", blocked)
    link(machine, duplicate, "duplicates", done)

    for transition in ("start", "resolve"):
        machine.made(f"/v1/tickets/{done['id']}/transitions", {"transition": transition})

    payloads = [from_json(task["payload"]) for task in desk.tasks(kind="advance_ticket")]
    reported = {one["ticket_id"]: one["link"] for one in payloads if one["event"] == "linked_ticket_done"}
    assert reported == {parent["id"]: "child", blocked["id"]: "blocked_by", duplicate["id"]: "duplicates"}


def test_a_life_cycle_waits_for_children_and_blockers(desk: Desk, machine: Caller) -> None:
    parent, child, blocker = (machine.ticket(name) for name in ("Parent", "Child", "Blocker"))
    link(machine, parent, "child", child)
    link(machine, blocker, "blocks", parent)
    seen = []
    for ticket in (None, child, blocker):
        if ticket is not None:
            for transition in ("start", "resolve"):
                machine.made(f"/v1/tickets/{ticket['id']}/transitions", {"transition": transition})
        with database.connection():
            seen.append(numbers(UUID(parent["id"])))

    assert seen == [
        {"children": {"total": 1, "open": 1, "done": 0}, "blockers": {"total": 1, "open": 1}},
        {"children": {"total": 1, "open": 0, "done": 1}, "blockers": {"total": 1, "open": 1}},
        {"children": {"total": 1, "open": 0, "done": 1}, "blockers": {"total": 1, "open": 0}},
    ]


@pytest.mark.parametrize("kind", ["child", "blocks"])
def test_a_circle_through_a_hidden_ticket_is_no_answer_about_its_links(
    desk: Desk, machine: Caller, as_user: Any, kind: str
) -> None:
    hide(desk)
    one, two = machine.ticket("One"), machine.ticket("Two")
    hidden = machine.ticket("Hidden", team="hr")
    link(machine, one, kind, hidden)
    link(machine, hidden, kind, two)
    outsider = as_user("manager")

    linked = link(outsider, two, kind, one)

    assert linked.status_code == 201, linked.text
    problem(link(machine, one, kind, two), 409, "link_refused")


def test_a_merge_does_not_tell_a_circle_through_a_hidden_ticket(desk: Desk, machine: Caller, as_user: Any) -> None:
    hide(desk)
    one, two, into = (machine.ticket(name) for name in ("One", "Two", "Into"))
    hidden = machine.ticket("Hidden", team="hr")
    link(machine, into, "child", hidden)
    link(machine, hidden, "child", two)
    link(machine, two, "child", one)
    outsider = as_user("manager")

    outsider.made(f"/v1/tickets/{one['id']}/merges", {"into": into["id"], "confirm": True})

    assert links(outsider, one) == []
    assert links(outsider, into) == [("parent", two["number"])]
