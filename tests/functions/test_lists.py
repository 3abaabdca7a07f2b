"""Lists: cursors that neither repeat nor skip while rows come in, and filters."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from models.kernel import clock
from models.publishing import publishing
from models.publishing.catalogue import Found
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

SORTS = ("-updated_at", "updated_at", "-created_at", "created_at", "-number", "number")


def numbers(items: list[Any]) -> list[int]:
    return [item["number"] for item in items]


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_is_walked_without_a_repeat_or_a_gap_while_tickets_come_in(
    machine: Caller, desk: Desk, sort: str
) -> None:
    for n in range(7):
        desk.create_ticket(f"Ticket {n}")
    before = [ticket.number for ticket in desk.tickets()]

    walked: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = machine.read("/v1/tickets", params={"limit": "2", "sort": sort} | ({"cursor": cursor} if cursor else {}))
        walked += numbers(page["items"])
        cursor = page["next_cursor"]
        if len(desk.tickets()) < 12:
            desk.create_ticket("Newcomer")

    assert len(walked) == len(set(walked))
    assert set(before) <= set(walked)
    known = [number for number in walked if number in before]
    assert known == sorted(before, reverse=sort.startswith("-"))


def test_the_list_by_due_instant_has_tickets_without_a_promise_last_in_both_directions(
    machine: Caller, desk: Desk
) -> None:
    bare = desk.create_ticket("Without a promise").number
    urgent = {n: desk.create_ticket(type="incident", priority="urgent").number for n in range(3)}
    desk.advance(minutes=1)
    later = desk.create_ticket(type="incident", priority="urgent").number

    ascending = numbers(machine.everything("/v1/tickets", limit=2, sort="next_due_at"))
    descending = numbers(machine.everything("/v1/tickets", limit=2, sort="-next_due_at"))

    assert ascending == [*urgent.values(), later, bare]
    assert descending == [later, *reversed(urgent.values()), bare]


def test_a_list_is_filtered_by_the_due_instant_of_the_next_promise(machine: Caller, desk: Desk) -> None:
    desk.create_ticket("Without a promise")
    ticket = desk.create_ticket(type="incident", priority="urgent")
    promises = machine.read(f"/v1/tickets/{ticket.number}/promises")

    due = {one["target"]: one["due_at"] for one in promises["items"]}
    assert promises["next_due_at"] == due["first_response"] < due["resolution"]
    assert machine.read(f"/v1/tickets/{ticket.number}")["next_due_at"] == due["first_response"]
    for query, found in (
        ({"due_until": due["first_response"]}, []),
        ({"due_since": due["first_response"]}, [ticket.number]),
        ({"due_since": due["first_response"], "due_until": due["resolution"]}, [ticket.number]),
        ({"due_since": due["resolution"]}, []),
    ):
        assert numbers(machine.everything("/v1/tickets", **query)) == found


def test_the_next_due_instant_follows_the_promises_until_the_last_one_ends(machine: Caller, desk: Desk) -> None:
    ticket = desk.create_ticket(type="incident", priority="urgent", email="ada@example.com")
    path = f"/v1/tickets/{ticket.number}"

    desk.reply(ticket)
    after_reply = machine.read(f"{path}/promises")
    assert after_reply["next_due_at"] == {one["target"]: one["due_at"] for one in after_reply["items"]}["resolution"]
    desk.advance(hours=5)
    desk.run_due()
    assert machine.read(path)["next_due_at"] == after_reply["next_due_at"]  # a broken promise stays at the top
    assert desk.transition(ticket, "resolve", fields={"root_cause": "A cable was cut by a digger."}) == ()

    assert machine.read(path)["next_due_at"] is None


def test_equal_instants_are_ordered_by_id(machine: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    for n in range(5):
        desk.create_ticket(f"Ticket {n}")

    for sort in SORTS:
        assert sorted(numbers(machine.everything("/v1/tickets", sort=sort))) == [1, 2, 3, 4, 5]


def test_the_last_full_page_has_no_next_one(machine: Caller, desk: Desk) -> None:
    for n in range(4):
        desk.create_ticket(f"Ticket {n}")

    page = machine.read("/v1/tickets?limit=2")
    last = machine.read("/v1/tickets", params={"limit": "2", "cursor": page["next_cursor"]})

    assert page["next_cursor"] is not None
    assert len(last["items"]) == 2
    assert last["next_cursor"] is None


def test_every_list_is_walked_by_its_cursor(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(description="x", requester={"email": "ada@example.test"})
    for n in range(4):
        machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": f"Answer {n}"})
        machine.made("/v1/api_keys", {"name": f"key {n}", "role": "agent"})
    path = f"/v1/tickets/{ticket['id']}"

    for url, identity in (
        ("/v1/users", "id"),
        ("/v1/api_keys", "id"),
        ("/v1/tasks", "id"),
        ("/v1/deliveries", "id"),
        (f"{path}/messages", "id"),
        (f"{path}/events", "event_id"),
    ):
        whole = [item[identity] for item in machine.read(url)["items"]]
        walked = [item[identity] for item in machine.everything(url)]
        assert walked == whole
        assert len(walked) >= 4, url
    assert [m["sequence"] for m in machine.everything(f"{path}/messages")] == [1, 2, 3, 4, 5, 6]


def test_the_inbox_is_walked_by_its_cursor(machine: Caller, desk: Desk) -> None:
    events = [str(desk.receive_email(f"Mail {n}")) for n in range(5)]

    assert [event["id"] for event in machine.everything("/v1/inbox")] == events[::-1]


def forged(*values: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


SOME_ID = "00000000-0000-7000-8000-000000000000"


@sqlite_only
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ключ",
        "%%%",
        "=" * 20,
        "A" * 501,
        forged(),
        forged("tickets:-updated_at"),
        forged("tickets:-updated_at", "2026-01-01T00:00:00+00:00"),
        forged("tickets:-updated_at", "yesterday", SOME_ID),
        forged("tickets:-updated_at", "2026-01-01T00:00:00", SOME_ID),
        forged("tickets:-updated_at", "0001-01-01T00:00:00+14:00", SOME_ID),
        forged("tickets:-updated_at", "2026-01-01T00:00:00+00:00", "7"),
        forged("tickets:number", "7", SOME_ID),
        forged("users", "2026-01-01T00:00:00+00:00", SOME_ID),
        base64.urlsafe_b64encode(b"[" * 300).decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    ],
)
def test_a_foreign_cursor_is_refused(machine: Caller, cursor: str) -> None:
    result = machine.get("/v1/tickets", params={"cursor": cursor})

    assert paths(problem(result, 422, "invalid")) == ["?cursor"]


@sqlite_only
def test_a_cursor_of_another_order_or_list_is_refused(machine: Caller, desk: Desk) -> None:
    for n in range(3):
        desk.create_ticket(f"Ticket {n}")
        desk.create_ticket(type="incident")
    sorts = (*SORTS, "next_due_at", "-next_due_at")
    cursors = {sort: machine.read("/v1/tickets", params={"limit": "1", "sort": sort})["next_cursor"] for sort in sorts}

    for mine, other in itertools.permutations(sorts, 2):
        result = machine.get("/v1/tickets", params={"sort": mine, "cursor": cursors[other]})
        problem(result, 422)
    for path in ("/v1/users", "/v1/deliveries", "/v1/inbox", "/v1/tasks", "/v1/api_keys"):
        problem(machine.get(path, params={"cursor": cursors["-created_at"]}), 422)


@sqlite_only
def test_numbers_in_a_cursor_are_bounded(machine: Caller) -> None:
    for value in ("-1", str(2**63), "9" * 100, "1.5", ""):
        result = machine.get("/v1/tasks", params={"cursor": forged("tasks", value)})
        problem(result, 422)


def test_tickets_are_filtered(machine: Caller, desk: Desk) -> None:
    me = desk.person("agent").id
    declared = {"type": "problem", "label": {"en": "Problem"}, "fields": {}}
    publishing.apply([Found("model", "problem", declared, "", Path("problem.yaml"))], by="test")
    printer = machine.ticket("Printer on fire", type="problem", requester={"email": "ada@example.test"})
    fax = machine.ticket("Fax", description="The paper is 100% wet_ today")
    solved = machine.ticket("Phone")
    machine.made(f"/v1/tickets/{solved['id']}/transitions", {"transition": "resolve"})
    machine.ask("PUT", f"/v1/tickets/{fax['id']}/assignment", {"assignee_id": me})
    one, two, three = printer["number"], fax["number"], solved["number"]
    desk.index()

    for query, expected in (
        ("", {one, two, three}),
        ("state=new", {one, two}),
        ("state=new,solved", {one, two, three}),
        ("state=new&state=solved", {one, two, three}),
        ("category=done", {three}),
        ("type=problem", {one}),
        ("type=problem,question&state=new", {one, two}),
        (f"assignee={me}", {two}),
        ("assignee=none", {one, three}),
        ("assignee=me", set()),
        (f"requester={printer['requester']['id']}", {one}),
        ("q=printer", {one}),
        ("q=WET", {two}),
        ("q=100%25", {two}),
        ("q=wet_", {two}),
        ("q=w_t", set()),
        ("q=%25", set()),
        ("q=", {one, two, three}),
        ("updated_since=2020-01-01T00:00:00Z", {one, two, three}),
        ("updated_since=2099-01-01T00:00:00%2B03:00", set()),
        ("updated_since=2099-01-01T00:00:00-23:59", set()),
    ):
        found = machine.get("/v1/tickets", query_string=query)
        assert found.status_code == 200, found.text
        assert set(numbers(found.json["items"])) == expected, query


def test_my_tickets_are_mine(machine: Caller, agent: Caller, desk: Desk) -> None:
    ticket = machine.ticket()
    machine.ask("PUT", f"/v1/tickets/{ticket['id']}/assignment", {"assignee_id": desk.person("agent").id})

    assert numbers(agent.read("/v1/tickets?assignee=me")["items"]) == [ticket["number"]]


def test_other_lists_are_filtered(machine: Caller, desk: Desk) -> None:
    machine.ticket(description="x", requester={"email": "ada@example.test"})

    assert [user["email"] for user in machine.read("/v1/users?role=agent")["items"]] == ["agent@example.test"]
    assert machine.read("/v1/users?active=false")["items"] == []
    assert len(machine.read("/v1/deliveries?status=pending")["items"]) == 1
    assert machine.read("/v1/deliveries?status=failed")["items"] == []
    assert len(machine.read("/v1/tasks?state=ready")["items"]) == 1
    assert machine.read("/v1/tasks?state=dead")["items"] == []
