"""Received events: each has one effect, none is dropped, a failed one can be read again."""

from __future__ import annotations

import pytest

from models.inbox import commands as inbox
from models.kernel.errors import ConfigurationError, TransientFailure
from models.ports.inbound import Ignored, InboundMessage, Unparseable
from models.tasks import commands as tasks
from models.tasks.kinds import KINDS
from models.tasks.payloads import IngestEvent
from queues import runner
from tests.desk import Desk

HELLO = InboundMessage("ada@example.com", "Ada", "ada@example.com", "Hello")


def test_the_same_event_by_many_at_once_is_stored_once(desk: Desk) -> None:
    ids = desk.in_threads(*[lambda: desk.receive_telegram(update_id=5)] * 8)

    assert len(set(ids)) == 1
    assert len(desk.tasks(kind="ingest_event")) == 1


def test_the_same_key_on_another_account_or_channel_is_another_event(desk: Desk) -> None:
    first = desk.receive(HELLO, event_key="k", channel="email")
    second = desk.receive(HELLO, event_key="k", channel="telegram")

    assert first != second


def test_a_processed_event_names_its_ticket_and_message(desk: Desk) -> None:
    event = desk.receive(HELLO)
    desk.run_due()

    shown, ticket = desk.inbox(event), desk.ticket()
    assert shown["status"] == "processed"
    assert shown["ticket_id"] == ticket.id
    assert shown["message_id"] == desk.messages(ticket)[0]["id"]


def test_a_second_task_for_an_event_makes_no_second_message(desk: Desk) -> None:
    event = desk.receive(HELLO)
    desk.run_due()

    desk.command(tasks.enqueue, IngestEvent(inbox_id=event))
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["Hello"]


def test_a_failed_event_is_read_again_after_the_parser_is_fixed(desk: Desk) -> None:
    event = desk.receive(Unparseable("broken"), event_key="k", ordering_key="o")
    desk.run_due()
    desk.scripted["k"] = HELLO

    desk.command(inbox.replay, event)
    stored = desk.inbox(event)["status"]
    desk.run_due()

    assert stored == "stored"
    assert desk.inbox(event)["status"] == "processed"
    assert desk.bodies(desk.ticket()) == ["Hello"]
    keys = {task["key"] for task in desk.tasks(kind="ingest_event")}
    assert keys == {"in:email:demo:o"}


def test_an_ignored_event_can_be_read_again_and_a_processed_one_cannot(desk: Desk) -> None:
    ignored = desk.receive(Ignored("nothing"), event_key="k")
    processed = desk.receive(HELLO)
    desk.run_due()
    desk.scripted["k"] = HELLO

    desk.command(inbox.replay, ignored)
    refusal = desk.refused(inbox.replay, processed)
    desk.run_due()

    assert desk.inbox(ignored)["status"] == "processed"
    assert refusal.code == "conflict"
    assert len(desk.tickets()) == 2


def test_replaying_twice_before_it_runs_makes_one_message(desk: Desk) -> None:
    event = desk.receive(Ignored("nothing"), event_key="k")
    desk.run_due()
    desk.scripted["k"] = HELLO

    desk.command(inbox.replay, event)
    desk.command(inbox.replay, event)
    desk.run_due()

    assert len(desk.tickets()) == 1


def test_a_parser_that_fails_for_now_is_tried_again_and_shown_when_given_up(desk: Desk) -> None:
    event = desk.receive(TransientFailure("the file server is away"))

    outcomes: list[str] = []
    while "dead" not in outcomes:
        outcomes += desk.run_due()
        desk.advance(minutes=20)

    assert outcomes == ["retried"] * (KINDS["ingest_event"].attempts_max - 1) + ["dead"]
    shown = desk.inbox(event)
    assert shown["status"] == "failed"
    assert "the file server is away" in shown["reason"]


def test_a_parser_with_a_bug_fails_the_event_at_once_and_holds_up_nobody(desk: Desk) -> None:
    event = desk.receive(KeyError("surprise"), event_key="k", ordering_key="o")
    behind = desk.receive(HELLO, ordering_key="o")

    outcomes = desk.run_due()

    assert "retried" not in outcomes
    assert desk.inbox(event)["status"] == "failed"
    assert desk.inbox(event)["reason"] == (
        "the parser failed: KeyError (a bug of the desk; the event can be replayed after the fix)"
    )
    assert desk.inbox(behind)["status"] == "processed"
    desk.scripted["k"] = HELLO
    desk.command(inbox.replay, event)
    desk.run_due()
    assert desk.inbox(event)["status"] == "processed"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(MemoryError(), "retried"), (ConfigurationError("SECRET_KEY is not set"), "postponed")],
)
def test_a_parser_that_lacks_something_on_this_worker_is_tried_again(
    desk: Desk, error: Exception, outcome: str
) -> None:
    event = desk.receive(error)

    assert desk.run_due() == [outcome]

    assert desk.inbox(event)["status"] == "stored"


def test_an_event_whose_account_is_gone_is_kept_and_shown(desk: Desk) -> None:
    event = desk.receive(HELLO)
    desk.command(_rename_accounts)

    outcome = runner.run_task(desk.due_tasks()[0])

    assert outcome == "dead"
    assert desk.inbox(event)["status"] == "failed"
    assert "no email account called 'demo'" in desk.inbox(event)["reason"]


def _rename_accounts() -> None:
    from models.definitions import store
    from models.kernel.storage import database

    database.execute("UPDATE definitions SET name = 'email.other' WHERE name = 'email.demo'")
    store.forget()
