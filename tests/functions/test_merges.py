"""A merge puts the messages of two tickets into one, forwards what comes later, and can be undone exactly."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.channels import accounts
from models.conversations import threading
from models.conversations.threading import Clues
from models.kernel import clock
from models.kernel.storage import database
from models.requesters import commands as requesters
from models.ticket_workflow.tables import TicketLink
from models.tickets.ticket_change import TicketChange
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.files import upload


def texts(caller: Caller, ticket: Any) -> list[tuple[int, str]]:
    """The sequence numbers and bodies of a ticket's messages."""
    found = caller.everything(f"/v1/tickets/{ticket['id']}/messages")
    return [(one["sequence"], one["body"].strip()) for one in found]


def kinds(caller: Caller, ticket: Any) -> list[str]:
    """The types of a ticket's events; their sequence has no gap."""
    found = caller.everything(f"/v1/tickets/{ticket['id']}/events")
    assert [one["sequence"] for one in found] == list(range(1, len(found) + 1))
    return [one["event_type"] for one in found]


def merge(caller: Caller, source: Any, target: Any, **more: Any) -> Any:
    """Merge by the API; return the answer's body."""
    return caller.made(f"/v1/tickets/{source['id']}/merges", {"into": target["id"], **more})


@pytest.fixture
def pair(desk: Desk, machine: Caller) -> tuple[Any, Any]:
    """Two mail tickets of Ada, whose messages alternate in time."""
    for subject in ("Printer", "Printer again"):
        desk.receive_email(f"First about {subject}.", subject=subject)
        desk.run_due()
        desk.advance(seconds=10)
    first, second = sorted(machine.everything("/v1/tickets"), key=lambda one: one["number"])
    for ticket, body in ((first, "Note 1"), (second, "Note 2"), (first, "Note 3")):
        machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": body})
        desk.advance(seconds=10)
    return first, second


def people_texts(caller: Caller, ticket: Any) -> list[str]:
    return [body for _, body in texts(caller, ticket) if body.startswith(("First", "Note", "Later"))]


def test_messages_are_in_time_order_in_the_target_and_the_source_forwards(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair

    made = merge(machine, second, first)

    assert people_texts(machine, first) == [
        "First about Printer.",
        "First about Printer again.",
        "Note 1",
        "Note 2",
        "Note 3",
    ]
    numbers = [number for number, _ in texts(machine, first)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert made["into"]["message_count"] == len(numbers)
    assert texts(machine, second) == []
    merged = machine.read(f"/v1/tickets/{second['id']}")
    assert (merged["category"], merged["merged_into"]) == ("closed", first["id"])
    assert [one["number"] for one in machine.read(f"/v1/tickets/{first['id']}/merges")["items"]] == [second["number"]]
    assert "ticket_merged" in kinds(machine, second)
    assert "ticket_merge_received" in kinds(machine, first)
    decisions = machine.read(f"/v1/tickets/{first['id']}/why")["decisions"]
    assert "merge" in [one["event"] for one in decisions]


def test_a_mail_to_the_merged_ticket_joins_the_target(desk: Desk, machine: Caller, pair: tuple[Any, Any]) -> None:
    first, second = pair
    machine.made(f"/v1/tickets/{second['id']}/messages", {"kind": "reply", "body": "We look at it."})
    desk.run_due()
    sent = desk.calls[-1].message
    merge(machine, second, first)

    desk.receive_email("Later by id.", subject="Re: Printer again", in_reply_to=sent.external_id)
    desk.run_due()

    assert people_texts(machine, first)[-1] == "Later by id."
    assert len(machine.everything("/v1/tickets")) == 2


def found_by(desk: Desk, ticket: Any) -> list[str]:
    """The tickets that a proved mail of Ada finds by the reply token and by the number of a ticket."""
    [row] = desk.rows("SELECT reply_token FROM tickets WHERE id = :id", id=ticket["id"])
    found = []
    with database.connection():
        ada = requesters.find("email", "ada@example.com")
        assert ada is not None
        for clues in (Clues(reply_token=row["reply_token"]), Clues(subject_number=ticket["number"])):
            account = accounts.find("email", "demo")
            thread = threading.find(
                account, clues, requester_id=ada.id, author_address="ada@example.com", grade="proved"
            )
            found.append(str(thread.ticket_id))
    return found


@sqlite_only
def test_the_token_and_the_number_of_a_merged_ticket_name_the_target(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair

    merge(machine, second, first)

    assert found_by(desk, second) == [first["id"], first["id"]]


def test_a_chat_whose_ticket_was_merged_goes_on_in_the_target(desk: Desk, machine: Caller) -> None:
    desk.receive_telegram("First")
    desk.run_due()
    one = machine.everything("/v1/tickets")[0]
    requester = UUID(one["requester"]["id"])
    target = machine.ticket("Target")
    with database.transaction():
        change = TicketChange.of(UUID(target["id"]), actor=desk.person())
        change.ticket.requester_id = requester
        change.save()

    merge(machine, one, target)
    desk.receive_telegram("Later")
    desk.run_due()

    assert people_texts(machine, target) == ["First", "Later"]


def test_a_reply_to_the_merged_ticket_over_the_api_joins_the_target(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair
    file = upload(machine)
    merge(machine, second, first)

    path = f"/v1/tickets/{second['id']}"
    made = machine.made(f"{path}/messages", {"kind": "note", "body": "Later note", "attachments": [file["id"]]})

    assert made["ticket_id"] == first["id"]
    assert made["attachments"]
    refusal = problem(machine.ask("PATCH", path, {"title": "x"}, headers={"If-Match": "*"}), 409, "ticket_merged")
    assert first["id"] in refusal["detail"]


def test_an_undo_restores_both_tickets_exactly(desk: Desk, machine: Caller, pair: tuple[Any, Any]) -> None:
    first, second = pair
    machine.ask("PUT", f"/v1/tickets/{second['id']}/tags/urgent")
    machine.ask("PUT", f"/v1/tickets/{second['id']}/followers/{desk.person('manager').id}")
    desk.run_due()
    before = everything_of(desk, first, second)

    made = merge(machine, second, first)
    during = everything_of(desk, first, second)
    answer = machine.made(f"/v1/undos/{made['undo']['id']}")

    assert answer["kept"] == []
    assert during != before
    assert everything_of(desk, first, second) == before
    assert "ticket_merge_undone" in kinds(machine, first)
    assert "ticket_merge_undone" in kinds(machine, second)


def everything_of(desk: Desk, *tickets: Any) -> dict[str, list[Any]]:
    """All rows of the tickets but their logs, versions and instants of change."""
    ids = ", ".join(f"'{one['id']}'" for one in tickets)
    rows: dict[str, list[Any]] = {}
    for table, column in (
        ("messages", "ticket_id"),
        ("message_references", "ticket_id"),
        ("deliveries", "ticket_id"),
        ("attachments", "ticket_id"),
        ("inbox", "ticket_id"),
        ("conversations", "ticket_id"),
        ("ticket_participants", "ticket_id"),
        ("ticket_followers", "ticket_id"),
        ("sla_clocks", "ticket_id"),
        ("approvals", "ticket_id"),
        ("ticket_links", "from_id"),
    ):
        found = desk.rows(f"SELECT * FROM {table} WHERE {column} IN ({ids})")
        for row in found:
            row.pop("raw", None)
        rows[table] = sorted((repr(sorted(row.items())) for row in found if row.pop("updated_at", 1)), key=str)
    timers = desk.rows("SELECT name, due_at, payload, key FROM timers")
    rows["timers"] = sorted(repr(sorted(row.items())) for row in timers if row["name"].startswith("ticket:"))
    for row in desk.rows(f"SELECT * FROM tickets WHERE id IN ({ids}) ORDER BY number"):
        changing = ("version", "updated_at", "event_sequence", "woken_at")
        rows[f"ticket {row['number']}"] = [{name: value for name, value in row.items() if name not in changing}]
    return rows


def test_messages_that_came_after_the_merge_stay_in_the_target(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair
    made = merge(machine, second, first)
    machine.made(f"/v1/tickets/{second['id']}/messages", {"kind": "note", "body": "Later note"})

    answer = machine.made(f"/v1/undos/{made['undo']['id']}")

    assert answer["kept"] == [f"Messages that came after the merge stay in ticket #{first['number']}."]
    assert "Later note" in people_texts(machine, first)
    assert people_texts(machine, second) == ["First about Printer again.", "Note 2"]


@sqlite_only
def test_what_cannot_be_merged_is_refused_with_the_reason(desk: Desk, machine: Caller, pair: tuple[Any, Any]) -> None:
    first, second = pair
    third = machine.ticket("Third")

    def refused(source: Any, target: Any, code: str = "merge_refused", **more: Any) -> str:
        answer = machine.post(f"/v1/tickets/{source['id']}/merges", {"into": target["id"], **more})
        return str(problem(answer, 409, code)["detail"])

    assert "itself" in refused(first, first)
    assert "two requesters" in refused(third, first, "confirmation_required")
    merge(machine, third, first, confirm=True)
    assert "was merged into" in refused(third, second, "ticket_merged")
    assert f"#{first['number']}" in refused(second, third)
    with database.transaction():
        change = TicketChange.of(UUID(second["id"]), actor=desk.person())
        change.ticket.category = "closed"
        change.save()
    assert "closed" in refused(first, second)


@sqlite_only
def test_merges_in_a_chain_forward_to_the_last_ticket_and_are_undone_from_the_end(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair
    third = machine.ticket("Third")
    one = merge(machine, second, first)
    two = merge(machine, first, third, confirm=True)

    assert found_by(desk, second) == [third["id"], third["id"]]
    machine.made(f"/v1/tickets/{second['id']}/messages", {"kind": "note", "body": "Later"})
    assert people_texts(machine, third)[-1] == "Later"

    assert "undo that merge first" in problem(machine.post(f"/v1/undos/{one['undo']['id']}"), 409)["detail"]
    machine.made(f"/v1/undos/{two['undo']['id']}")
    machine.made(f"/v1/undos/{one['undo']['id']}")
    assert people_texts(machine, second) == ["First about Printer again.", "Note 2"]
    assert people_texts(machine, third) == ["Later"]


@sqlite_only
def test_links_of_the_merged_ticket_move_unless_they_close_a_circle(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair
    child = machine.ticket("Child")
    with database.transaction():
        for from_id, to_id, kind in (
            (second["id"], child["id"], "child"),
            (second["id"], first["id"], "related"),
            (child["id"], first["id"], "child"),
        ):
            TicketLink.insert(from_id=from_id, to_id=to_id, kind=kind, created_at=clock.now()).execute()

    merge(machine, second, first)

    links = machine.read(f"/v1/tickets/{first['id']}/links")["items"]
    assert [(one["kind"], one["number"]) for one in links] == [("parent", child["number"])]
    left = machine.read(f"/v1/tickets/{second['id']}/links")["items"]
    assert [(one["kind"], one["number"]) for one in left] == [("child", child["number"])]


def test_two_agents_who_merge_in_opposite_directions_make_one_merge(
    desk: Desk, machine: Caller, pair: tuple[Any, Any]
) -> None:
    first, second = pair

    def ask(source: Any, target: Any) -> int:
        return machine.post(f"/v1/tickets/{source['id']}/merges", {"into": target["id"]}).status_code

    codes = desk.in_threads(lambda: ask(first, second), lambda: ask(second, first))

    assert sorted(codes) == [201, 409]
    merged = [one for one in machine.everything("/v1/tickets") if one["merged_into"]]
    assert len(merged) == 1


@sqlite_only
def test_the_requester_of_a_merged_ticket_takes_part_in_the_other_persons(desk: Desk, machine: Caller) -> None:
    for name in ("ada", "bob"):
        desk.receive_email(f"First of {name}", sender=f"{name}@example.com", subject=name)
        desk.run_due()
    ada, bob = sorted(machine.everything("/v1/tickets"), key=lambda one: one["number"])

    merge(machine, bob, ada, confirm=True)
    [sent] = [one.message for one in desk.calls if one.address == "bob@example.com"]
    desk.receive_email("Later of bob", sender="bob@example.com", subject="Re: bob", in_reply_to=sent.external_id)
    desk.run_due()

    assert people_texts(machine, ada)[-1] == "Later of bob"
