"""What went wrong and a person's word about it: deliveries, the inbox, tasks."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.storage import database
from models.ports import outbound
from tests.desk import Desk
from tests.functions.callers import Caller, problem

MISSING = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def failed_delivery(machine: Caller, desk: Desk) -> Any:
    """A reply that its provider refused for good."""
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    desk.answers.append(outbound.permanent("mailbox unavailable"))
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "Hello"})
    desk.run_due()
    return machine.read("/v1/deliveries?status=failed")["items"][0]


def test_a_failed_delivery_is_shown_with_its_cause_and_sent_again_on_a_persons_word(
    machine: Caller, desk: Desk, failed_delivery: Any
) -> None:
    path = f"/v1/deliveries/{failed_delivery['id']}"

    retried = machine.post(f"{path}/retry")
    desk.run_due()
    again = machine.post(f"{path}/retry")

    assert failed_delivery["last_error"] == "mailbox unavailable"
    assert (retried.status_code, retried.json["state"]) == (202, "pending")
    sent = machine.read(path)
    assert sent["state"] == "sent"
    assert [attempt["outcome"] for attempt in sent["attempt_log"]] == ["permanent", "accepted"]
    problem(again, 409, "conflict")


def test_a_failed_delivery_is_discarded(machine: Caller, failed_delivery: Any) -> None:
    path = f"/v1/deliveries/{failed_delivery['id']}"

    discarded = machine.post(f"{path}/discard")

    assert discarded.json["state"] == "discarded"
    problem(machine.post(f"{path}/discard"), 409)


def test_a_scheduled_delivery_that_is_discarded_is_not_sent(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    later = {"kind": "reply", "body": "Later", "send_at": "2027-01-01T00:00:00Z"}
    message = machine.made(f"/v1/tickets/{ticket['id']}/messages", later)

    machine.made(f"/v1/deliveries/{message['deliveries'][0]['id']}/discard")
    desk.advance(days=400)
    desk.run_due()

    assert "Later" not in desk.sent_bodies()


@pytest.fixture
def failed_event(desk: Desk) -> str:
    """A Telegram update that is no JSON."""
    return str(desk.receive_raw("telegram", b'{"update_id": 1, \xff', content_type="application/json"))


def test_an_event_that_cannot_be_read_is_kept_shown_and_can_be_replayed(
    machine: Caller, desk: Desk, failed_event: str
) -> None:
    path = f"/v1/inbox/{failed_event}"

    shown = machine.read(path)
    raw = machine.get(f"{path}/raw")
    replayed = machine.post(f"{path}/replay")
    desk.run_due()

    assert shown["status"] == "failed"
    assert "JSON" in shown["reason"]
    assert raw.content == b'{"update_id": 1, \xff'
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"].startswith("attachment")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert (replayed.status_code, replayed.json["status"]) == (202, "stored")
    assert machine.read(path)["status"] == "failed"
    assert [event["id"] for event in machine.read("/v1/inbox?status=failed")["items"]] == [failed_event]


def test_a_processed_event_is_linked_and_not_replayed(machine: Caller, desk: Desk) -> None:
    event_id = desk.receive_email("Help")
    desk.run_due()

    event = machine.read(f"/v1/inbox/{event_id}")

    assert event["status"] == "processed"
    assert machine.read(f"/v1/tickets/{event['ticket_id']}/messages/{event['message_id']}")["body"].strip() == "Help"
    problem(machine.post(f"/v1/inbox/{event_id}/replay"), 409, "conflict")


def test_a_message_of_another_ticket_is_not_found(machine: Caller, desk: Desk) -> None:
    event_id = desk.receive_email("Help")
    desk.run_due()
    message_id = machine.read(f"/v1/inbox/{event_id}")["message_id"]
    other = machine.ticket()

    problem(machine.get(f"/v1/tickets/{other['id']}/messages/{message_id}"), 404, "not_found")


def test_a_dead_task_is_shown_retried_and_discarded(machine: Caller, desk: Desk) -> None:
    desk.receive_telegram()
    task_id = desk.due_tasks()[0]
    with_dead = "UPDATE tasks SET state = 'dead', finished_at = NOW(), last_error = 'gave up' WHERE id = :id"
    desk.command(database.execute, with_dead, id=task_id)
    path = f"/v1/tasks/{task_id}"

    dead = machine.read("/v1/tasks?state=dead")["items"]
    retried = machine.post(f"{path}/retry")
    refused = machine.post(f"{path}/retry")
    desk.run_due()

    assert [(task["id"], task["last_error"]) for task in dead] == [(task_id, "gave up")]
    assert (retried.status_code, retried.json["state"], retried.json["attempts"]) == (202, "ready", 0)
    problem(refused, 409, "conflict")
    assert machine.read(path)["state"] == "done"
    problem(machine.post(f"{path}/discard"), 409, "conflict")


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("GET", "/v1/deliveries/{}", (MISSING, "7")),
        ("POST", "/v1/deliveries/{}/retry", (MISSING, "7")),
        ("POST", "/v1/deliveries/{}/discard", (MISSING, "7")),
        ("GET", "/v1/inbox/{}", (MISSING, "7")),
        ("GET", "/v1/inbox/{}/raw", (MISSING, "7")),
        ("POST", "/v1/inbox/{}/replay", (MISSING, "7")),
        ("GET", "/v1/tasks/{}", ("4711", MISSING, "9" * 30, "-1")),
        ("POST", "/v1/tasks/{}/retry", ("4711", MISSING)),
        ("POST", "/v1/tasks/{}/discard", ("4711", MISSING)),
    ],
)
def test_what_does_not_exist_is_404(machine: Caller, method: str, path: str, names: tuple[str, ...]) -> None:
    for name in names:
        problem(machine.ask(method, path.format(name)), 404, "not_found")


def test_a_tickets_deliveries_are_read_page_by_page(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    for number in range(5):
        machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": f"Answer {number}"})
    desk.run_due()
    path = f"/v1/tickets/{ticket['id']}/deliveries"

    found = machine.everything(path, limit=2)

    whole = machine.read(path, params={"limit": 200})
    assert whole["next_cursor"] is None
    assert [row["id"] for row in found] == [row["id"] for row in whole["items"]]
    assert len({row["id"] for row in found}) >= 5
    problem(machine.get(path, params={"limit": 201}), 422)
