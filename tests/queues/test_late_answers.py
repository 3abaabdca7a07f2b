"""A run that has lost its lease knows what a server answered: the log becomes true, and the repeat is spared if it has
not begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from models.deliveries import attempts
from models.deliveries.attempts import OpenAttempt
from models.kernel.errors import Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ports import outbound
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks import commands
from models.tasks.commands import ClaimedTask
from models.tickets.tables import Ticket
from queues import runner
from tests.desk import Desk

LEASE_S = 20.0
ANSWERS: dict[str, SendOutcome] = {
    "accepted": outbound.accepted("42:1"),
    "transient": outbound.transient("try later"),
    "permanent": outbound.permanent("no such chat"),
    "unknown": outbound.unknown("no answer"),
    "throttled": SendOutcome("throttled", "slowly", retry_after_s=1.0),
}


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    desk.receive_telegram()
    desk.run_due()
    desk.calls.clear()
    return desk.ticket()


def reply_to(desk: Desk, ticket: Ticket) -> UUID:
    """An agent's reply; returns its delivery."""
    desk.reply(ticket)
    return UUID(str(desk.deliveries(ticket)[-1]["id"]))


def take_over(desk: Desk, kind: str = "send_delivery") -> ClaimedTask:
    """Another worker finds the lease expired and takes the task, which it has not begun."""
    [task] = desk.tasks("leased", kind=kind)
    desk.advance(seconds=LEASE_S + 1)
    other = commands.claim(task["id"], lease_s=LEASE_S)
    assert other is not None
    return other


def open_again(delivery_id: UUID, task: ClaimedTask) -> OpenAttempt:
    """The other worker opens its attempt, and has not called the provider."""
    with database.transaction():
        opened = attempts.open_attempt(delivery_id, attempt_id=new_id(), task=task, buckets=[], retries_after_unknown=1)
    assert isinstance(opened, OpenAttempt)
    return opened


def log_of(desk: Desk, ticket: Ticket) -> list[str | None]:
    return [attempt["outcome"] for attempt in desk.deliveries(ticket)[-1]["attempt_log"]]


def state_of(desk: Desk, ticket: Ticket) -> str:
    return str(desk.deliveries(ticket)[-1]["state"])


@pytest.mark.parametrize(
    ("answer", "log", "state", "calls"),
    [
        ("accepted", ["accepted"], "sent", 1),
        ("transient", ["transient", "accepted"], "sent", 2),
        ("permanent", ["permanent"], "failed", 1),
        ("unknown", ["unknown", "accepted"], "sent", 2),
        ("throttled", ["throttled", "accepted"], "sent", 2),
    ],
)
def test_an_answer_that_is_recorded_before_the_next_run_begins_is_as_good_as_one_in_time(
    desk: Desk, ticket: Ticket, answer: str, log: list[str], state: str, calls: int
) -> None:
    others: list[ClaimedTask] = []

    def answer_late(message: OutgoingMessage) -> SendOutcome:
        others.append(take_over(desk))
        return ANSWERS[answer]

    desk.answers.append(answer_late)
    desk.reply(ticket)

    outcomes = desk.run_due()
    runner._run_claimed(others[0])
    desk.advance(minutes=1)
    desk.run_due()

    assert "recorded_late" in outcomes
    assert (log_of(desk, ticket), state_of(desk, ticket)) == (log, state)
    assert len(desk.calls) == calls
    assert desk.tasks("ready", "leased", kind="send_delivery") == []


@pytest.mark.parametrize("answer", ["accepted", "transient", "permanent", "unknown"])
def test_an_answer_that_comes_when_the_next_run_has_opened_its_attempt_and_not_called(
    desk: Desk, ticket: Ticket, answer: str
) -> None:
    repeats: list[OpenAttempt] = []
    delivery_id = reply_to(desk, ticket)

    def answer_late(message: OutgoingMessage) -> SendOutcome:
        repeats.append(open_again(delivery_id, take_over(desk)))
        return ANSWERS[answer]

    desk.answers.append(answer_late)
    desk.run_due()

    with database.transaction():
        wanted = attempts.is_wanted_still(delivery_id, repeats[0])

    assert wanted is (answer != "accepted"), "only a message that arrived needs no repeat"
    if answer == "accepted":
        assert (log_of(desk, ticket), state_of(desk, ticket)) == (["accepted", "transient"], "sent")
    else:
        assert (log_of(desk, ticket), state_of(desk, ticket)) == ([answer, None], "sending")
    assert desk.events(ticket, "delivery_failed") == []


@pytest.mark.parametrize("second", ["accepted", "transient", "permanent", "unknown", "throttled"])
def test_when_both_runs_have_called_the_log_says_so_and_what_arrived_stays_sent(
    desk: Desk, ticket: Ticket, second: str
) -> None:
    repeats: list[OpenAttempt] = []
    delivery_id = reply_to(desk, ticket)

    def answer_late(message: OutgoingMessage) -> SendOutcome:
        repeats.append(open_again(delivery_id, take_over(desk)))
        return ANSWERS["accepted"]

    desk.answers.append(answer_late)
    desk.run_due()
    desk.command(attempts.record_outcome, delivery_id, repeats[0], ANSWERS[second], duration_ms=1)

    assert (log_of(desk, ticket), state_of(desk, ticket)) == (["accepted", second], "sent")
    assert desk.events(ticket, "delivery_failed") == []
    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()
    assert len(desk.calls) == 1, "the task ends without another call"
    assert desk.tasks("ready", "leased", kind="send_delivery") == []


def test_an_acceptance_that_is_recorded_late_replaces_the_outcome_unknown(desk: Desk, ticket: Ticket) -> None:
    delivery_id = reply_to(desk, ticket)
    [task] = desk.tasks("ready", kind="send_delivery")
    claimed = commands.claim(task["id"], lease_s=LEASE_S)
    assert claimed is not None
    first = open_again(delivery_id, claimed)
    with database.transaction():
        attempts.give_up(delivery_id, "given up after 24 hours")
    seen = (log_of(desk, ticket), state_of(desk, ticket))

    desk.command(attempts.record_outcome, delivery_id, first, ANSWERS["accepted"], duration_ms=1)

    assert seen == (["unknown"], "unknown"), "an attempt that is open may have arrived"
    assert (log_of(desk, ticket), state_of(desk, ticket)) == (["accepted"], "sent")


def test_a_bounce_overrides_an_acceptance_that_is_recorded_late(desk: Desk, ticket: Ticket) -> None:
    delivery_id = reply_to(desk, ticket)
    [task] = desk.tasks("ready", kind="send_delivery")
    claimed = commands.claim(task["id"], lease_s=LEASE_S)
    assert claimed is not None
    first = open_again(delivery_id, claimed)
    with database.transaction():
        database.execute("UPDATE deliveries SET state = 'failed', receipt = 'bounced' WHERE id = :id", id=delivery_id)

    desk.command(attempts.record_outcome, delivery_id, first, ANSWERS["accepted"], duration_ms=1)

    assert (log_of(desk, ticket), state_of(desk, ticket)) == (["accepted"], "failed")


def test_an_attempt_whose_opening_commit_was_not_answered_does_not_count_as_one_that_may_have_arrived(
    desk: Desk, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away between the commit and its answer: the attempt is there, and nobody was called."""
    real, opening = database.transaction, attempts.open_attempt
    armed: list[bool] = []

    @contextmanager
    def unanswered() -> Iterator[None]:
        with real():
            yield
        if armed and not database.in_transaction():
            armed.clear()
            raise Unavailable

    def open_once(*arguments: Any, **named: Any) -> Any:
        if not desk.deliveries(ticket)[-1]["attempt_log"]:
            armed.append(True)
        return opening(*arguments, **named)

    monkeypatch.setattr(database, "transaction", unanswered)
    monkeypatch.setattr(attempts, "open_attempt", open_once)
    desk.reply(ticket)
    desk.run_due()
    desk.advance(seconds=2)
    desk.run_due()

    log = desk.deliveries(ticket)[-1]["attempt_log"]
    assert [attempt["outcome"] for attempt in log] == ["transient", "accepted"]
    assert [bool(attempt["possibly_duplicate"]) for attempt in log] == [False, False]
    assert len(desk.calls) == 1


def test_a_lost_attempt_is_closed_also_when_the_delivery_needs_no_other(desk: Desk, ticket: Ticket) -> None:
    delivery_id = reply_to(desk, ticket)
    [task] = desk.tasks("ready", kind="send_delivery")
    claimed = commands.claim(task["id"], lease_s=LEASE_S)
    assert claimed is not None
    open_again(delivery_id, claimed)
    with database.transaction():
        database.execute("UPDATE deliveries SET state = 'discarded' WHERE id = :id", id=delivery_id)

    desk.advance(seconds=LEASE_S + 1)
    desk.run_due()

    assert log_of(desk, ticket) == ["unknown"]
    assert desk.calls == []
