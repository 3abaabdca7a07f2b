"""Payloads of tasks: typed on both sides, readable across releases."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.tasks import commands, payloads, timers
from models.tasks.kinds import KINDS, kind_of
from models.tasks.payloads import AdvanceTicket, IngestEvent, Undecodable, decoded, encoded
from queues import runner
from tests.desk import Desk

ID = "0190a5d0-0000-7000-8000-000000000001"
# What the release before typed payloads stored.
STORED: list[tuple[str, dict[str, Any]]] = [
    ("ingest_event", {"inbox_id": ID}),
    ("advance_ticket", {"ticket_id": ID, "event": "requester_message", "message_id": ID}),
    ("advance_ticket", {"ticket_id": ID, "event": "timer", "timer": "remind", "count": 2}),
    ("advance_ticket", {"ticket_id": ID, "event": "signal", "signal": "restored", "event_id": ID}),
    ("advance_ticket", {"ticket_id": ID, "event": "rated", "event_id": ID}),
    ("advance_ticket", {"ticket_id": ID, "event": "sla", "target": "resolution"}),
    ("advance_ticket", {"ticket_id": ID, "event": "approval_expired", "transition": "approve"}),
    ("advance_ticket", {"ticket_id": ID, "event": "linked_ticket_done", "linked_id": ID}),
    ("advance_ticket", {"ticket_id": ID, "event": "delivery_failed"}),
    ("release_message", {"delivery_id": ID}),
    ("send_delivery", {"delivery_id": ID}),
    ("send_notice", {"channel": "telegram", "account": "demo", "address": "42", "text": "Hello."}),
    ("fetch_attachment", {"attachment_id": ID}),
    ("scan_file", {"sha256": "ab" * 32}),
    ("send_code", {"code_id": ID, "account": "demo"}),
    ("send_desk_mail", {"mail_id": ID}),
    ("request_password_reset", {"email": "ada@example.test"}),
    ("mail_portal_link", {"link_id": ID}),
    ("open_account", {"user_id": ID}),
    ("activate_user", {"user_id": ID, "account_id": ID}),
    ("repair_activations", {}),
    ("tell_staff", {"channel": "telegram", "account": "demo", "ticket_id": ID}),
    ("make_linked_ticket", {"ticket_id": ID, "event_id": ID}),
    ("call_webhook", {"ticket_id": ID, "event_id": ID}),
    ("deliver_webhook", {"subscription_id": ID, "event_id": ID}),
    ("migrate_tickets", {"migration_id": ID}),
    ("replay_events", {"replay_id": ID}),
    ("reassign_tickets", {"from_id": ID, "actor_kind": "user", "to_id": ID, "actor_id": ID, "actor_name": "Ada"}),
    ("notify_people", {"ticket_id": ID, "event_id": ID}),
    ("plan_notice", {"notice_id": ID}),
    ("hand_over_notices", {"user_id": ID, "way": "mail"}),
    ("send_chat_notices", {"batch_id": ID, "user_id": ID}),
    ("pull_account", {"channel": "email", "account": "demo"}),
    ("wake_ticket", {"ticket_id": ID, "until": "2026-03-02T09:00:00Z"}),
    ("apply_bulk_change", {"bulk_id": ID}),
    ("run_import", {"import_id": ID}),
    ("index_tickets", {}),
    ("follow_log", {"consumer": "search"}),
    ("watch_accounts", {}),
    ("collect_garbage", {}),
]


def _insert(kind: str, payload: dict[str, Any]) -> int:
    """A task as another release may have stored it."""
    with database.transaction():
        row = commands.stored_row(kind, json.dumps(payload), queue="default", due_at=clock.now())
        columns = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        found = database.one(f"INSERT INTO tasks ({columns}) VALUES ({places}) RETURNING id", row)
    assert found is not None
    return int(found["id"])


@pytest.mark.parametrize(("kind", "stored"), STORED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_payload_of_the_previous_release_is_read_and_written_as_it_was(kind: str, stored: dict[str, Any]) -> None:
    payload = decoded(KINDS[kind].payload, json.dumps(stored))

    assert not isinstance(payload, Undecodable)
    assert kind_of(payload) is KINDS[kind]
    assert json.loads(encoded(payload)) == stored


def test_every_kind_is_among_the_payloads_of_the_previous_release() -> None:
    assert {kind for kind, _ in STORED} == set(KINDS)


def test_a_field_of_the_next_release_is_ignored() -> None:
    payload = decoded(IngestEvent, {"inbox_id": ID, "priority": "high"})

    assert payload == IngestEvent(inbox_id=UUID(ID))


@pytest.mark.parametrize(
    ("kind", "stored", "said"),
    [
        (IngestEvent, {}, "inbox_id"),
        (IngestEvent, {"inbox_id": 7}, "Expected `uuid`"),
        (IngestEvent, {"inbox_id": "no id"}, "Invalid UUID"),
        (IngestEvent, [], "Expected `object`"),
        (IngestEvent, "{", "IngestEvent"),
        (AdvanceTicket, {"ticket_id": ID, "event": "sla"}, "sla needs"),
        (AdvanceTicket, {"ticket_id": ID, "event": "approval_expired"}, "approval_expired needs"),
    ],
)
def test_an_undecodable_payload_names_what_was_expected(kind: type[payloads.Payload], stored: Any, said: str) -> None:
    found = decoded(kind, stored)

    assert isinstance(found, Undecodable)
    assert said in found.reason


@pytest.mark.parametrize("kind", ["ingest_event", "send_delivery", "advance_ticket"])
def test_a_task_with_an_undecodable_payload_becomes_a_dead_letter_at_once(desk: Desk, kind: str) -> None:
    task_id = _insert(kind, {"delivery": "?"})

    outcome = runner.run_task(task_id)

    task = desk.task(task_id)
    assert (outcome, task["state"], task["attempts"]) == ("dead", "dead", 1)
    assert "the payload does not fit" in task["last_error"]


def test_the_payload_of_an_unknown_kind_stays_as_it_is_and_the_task_waits(desk: Desk) -> None:
    task_id = _insert("of_tomorrow", {"n": [1, {"deep": True}]})

    assert runner.run_task(task_id) == "postponed"

    desk.advance(minutes=1)
    task = commands.claim(task_id, lease_s=20)
    assert task is not None
    assert task.payload == {"n": [1, {"deep": True}]}


def test_a_timer_of_a_newer_kind_makes_its_task_unread(desk: Desk) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO timers (name, kind, queue, payload, due_at) VALUES ('new', 'of_tomorrow', 'sends',"
            " :payload, :at)",
            payload='{"n": 1}',
            at=clock.now(),
        )

    assert timers.fire_due() == 1

    [task] = desk.tasks("ready", kind="of_tomorrow")
    assert (task["queue"], from_json(task["payload"])) == ("sends", {"n": 1})


def test_a_claimed_task_has_its_payload_typed(desk: Desk) -> None:
    ticket_id = new_id()
    with database.transaction():
        task_id = commands.enqueue(AdvanceTicket(ticket_id=ticket_id, event="delivery_failed"))
    assert task_id is not None

    task = commands.claim(task_id, lease_s=20)

    assert task is not None
    assert task.payload == AdvanceTicket(ticket_id=ticket_id, event="delivery_failed")


def test_a_payload_type_that_no_kind_names_is_refused() -> None:
    with pytest.raises(LookupError, match="Payload"):
        kind_of(payloads.Payload())
