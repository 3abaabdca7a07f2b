"""A commit whose answer was lost, and a run that goes on without its lease: nothing is counted or sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models.deliveries import attempts
from models.kernel.errors import ConfigurationError, Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ports import outbound as port
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks import commands, rates
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import AdvanceTicket
from models.tickets.tables import Ticket
from queues import runner
from tests.desk import Desk
from tests.models.staff_chat.groups import Topics, group
from tests.queues.subscriber import log_of, reload, states, subscribe
from tests.queues.test_call_webhook import alarm, declared
from tests.queues.test_late_answers import LEASE_S, open_again, reply_to, state_of, take_over, ticket
from tests.queues.test_late_answers import log_of as attempts_of
from tests.servers import HttpReceiver, Say

__all__ = ["alarm", "group", "ticket"]  # fixtures


class LostAnswer:
    """The database takes the commit that settles the next task of a kind, and its answer is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        self._kind = kind
        self._armed = False
        self.lost = 0
        self._real = database.transaction
        monkeypatch.setattr(database, "transaction", self._transaction)
        for name in ("finish", "fail"):
            monkeypatch.setattr(commands, name, self._settling(getattr(commands, name)))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        outermost = not database.in_transaction()
        with self._real():
            yield
        if outermost and self._armed:
            self._armed = False
            self.lost += 1
            raise Unavailable

    def _settling(self, real: Any) -> Any:
        def settle(task: ClaimedTask, *arguments: Any, **named: Any) -> Any:
            found = real(task, *arguments, **named)
            self._armed = task.kind == self._kind and not self.lost
            return found

        return settle


@pytest.mark.parametrize(("status", "state"), [(204, "delivered"), (500, "pending")])
def test_a_call_of_a_subscriber_is_in_the_log_once_when_the_commit_s_answer_is_lost(
    desk: Desk, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch, status: int, state: str
) -> None:
    subscription = subscribe(desk, receiver)
    receiver.answers.append(Say(status))
    desk.create_ticket()
    answer = LostAnswer(monkeypatch, "deliver_webhook")

    desk.run_due()

    assert answer.lost == 1
    assert len(receiver.got) == 1
    assert [attempt["number"] for attempt in log_of(desk, subscription)] == [1]
    assert states(desk, subscription) == [state]
    assert reload(desk, subscription).failures == (0 if status == 204 else 1)


def test_the_parts_of_a_long_text_are_charged_once_when_the_commit_s_answer_is_lost(
    desk: Desk, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged: list[int] = []
    real = rates.charge

    def charge(buckets: Any, slots: int) -> None:
        charged.append(slots)
        real(buckets, slots)

    monkeypatch.setattr(rates, "charge", charge)
    desk.answers.append(SendOutcome("accepted", external_id="42:1", external_ids=("42:1", "42:2", "42:3")))
    reply_to(desk, ticket)
    answer = LostAnswer(monkeypatch, "send_delivery")

    desk.run_due()

    assert answer.lost == 1
    assert charged == [2]
    assert (attempts_of(desk, ticket), state_of(desk, ticket)) == (["accepted"], "sent")


def test_a_database_that_goes_away_after_a_commit_does_not_undo_it_for_the_caller(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next task of the key is looked up after the commit; the sweep finds it if that fails."""
    real = database.connection

    @contextmanager
    def away() -> Iterator[None]:
        if not database.in_transaction():
            raise Unavailable
        with real():
            yield

    with database.transaction():
        commands.enqueue(AdvanceTicket(ticket_id=new_id(), event="x"), key="ticket:1", caused_by="x")
        commands.wake_next("ticket:1")
        monkeypatch.setattr(database, "connection", away)

    monkeypatch.undo()
    assert len(desk.tasks("ready", kind="advance_ticket")) == 1


def test_a_run_that_lost_its_lease_opens_no_attempt_while_the_present_holder_has_one_open(
    desk: Desk, ticket: Ticket
) -> None:
    """Its process was stopped between the claim and the opening, and goes on while the other worker
    calls the provider.
    """
    delivery_id = reply_to(desk, ticket)
    [task] = desk.tasks("ready", kind="send_delivery")
    stopped = commands.claim(task["id"], lease_s=LEASE_S)
    assert stopped is not None
    current = open_again(delivery_id, take_over(desk))

    ended = runner._run_claimed(stopped)

    assert ended == "lease_lost"
    assert desk.calls == []
    assert (attempts_of(desk, ticket), state_of(desk, ticket)) == ([None], "sending")
    desk.command(attempts.record_outcome, delivery_id, current, port.accepted("42:1"), duration_ms=1)
    assert (attempts_of(desk, ticket), state_of(desk, ticket)) == (["accepted"], "sent")


def test_a_life_cycle_s_webhook_without_its_secret_waits_for_the_operator(
    desk: Desk, alarm: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NESTOR_SECRET_PAGER_WEBHOOK")
    declared(desk)

    outcomes = desk.run_due()

    [task] = desk.tasks("ready", kind="call_webhook")
    assert "postponed" in outcomes
    assert task["attempts"] == 0
    assert alarm.got == []
    monkeypatch.setenv("NESTOR_SECRET_PAGER_WEBHOOK", "pager-key")
    desk.advance(minutes=6)
    desk.run_due()
    assert len(alarm.got) == 1


def test_a_story_for_a_group_that_its_operator_must_mend_uses_up_no_attempt(
    desk: Desk, group: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [ConfigurationError("the bot may not make topics")]

    def open_topic(*arguments: Any) -> str:
        if refusals:
            raise refusals.pop()
        return group.open_topic(*arguments)

    monkeypatch.setattr("queues.channels.telegram.staff.open_topic", open_topic)
    desk.receive_telegram("It burns.", chat=42, name="Ada")

    desk.run_due()

    assert refusals == []
    assert {task["attempts"] for task in desk.tasks("ready", kind="tell_staff")} == {0}
    desk.advance(minutes=6)
    desk.run_due()
    assert [call.address for call in desk.sent if call.address.startswith("-1009")]


def test_a_message_is_sent_once_when_the_commit_s_answer_is_lost(
    desk: Desk, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(message: OutgoingMessage) -> SendOutcome:
        return port.accepted("42:1")

    desk.answers.append(accept)
    reply_to(desk, ticket)
    answer = LostAnswer(monkeypatch, "send_delivery")

    desk.run_due()
    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    assert answer.lost == 1
    assert len(desk.calls) == 1
    assert state_of(desk, ticket) == "sent"
