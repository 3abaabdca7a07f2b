"""The bounds of the soak come from the product's rules, so that a changed rule changes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.events.following import consumers
from models.kernel.storage import database
from queues import channels, log_consumers
from tests.desk import Desk as LocalDesk
from tests.faults import checks
from tests.faults.people import Requester
from tests.faults.stack import Desk
from tests.faults.truth import Rows, Truth

TEXT = "answer 1"


class SmallTruth:
    """A desk's database with one reply, sent by email in attempts of these outcomes."""

    def __init__(self, outcomes: list[str]) -> None:
        self.outcomes = outcomes

    def rows(self, statement: str) -> Rows:
        return [{"body": TEXT}]

    def attempts(self, text: str) -> Rows:
        return [{"number": n, "outcome": outcome} for n, outcome in enumerate(self.outcomes, 1)]


def check(outcomes: list[str], arrived: int) -> checks.Travelled:
    entry = {"channel": "email", "envelope_to": ["grace@example.com"], "text": TEXT}
    webhook = {"channel": "webhook", "path": "/hooks"}
    sandbox = SimpleNamespace(outbox=lambda: [webhook, *[entry] * arrived])
    desk: Any = SimpleNamespace(truth=SmallTruth(outcomes), sandbox=sandbox)
    requester: Any = SimpleNamespace(address="grace@example.com", channel="email", replies=[TEXT])
    return checks.each_reply_arrived_once_in_order(cast(Desk, desk), [cast(Requester, requester)])


@pytest.fixture(params=[1, 4])
def repeats(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often e-mail repeats a send of unknown outcome."""
    monkeypatch.setattr(channels.get("email"), "retries_after_unknown", request.param)
    return int(request.param)


def test_a_reply_may_arrive_as_often_as_the_channel_repeats_a_send(repeats: int) -> None:
    travelled = check(["unknown"] * (repeats + 1), arrived=repeats + 1)

    assert (travelled.unknown, travelled.doubled, travelled.missing) == (1, 1, 0)


def test_a_reply_that_arrives_more_often_than_the_channel_repeats_fails_the_soak(repeats: int) -> None:
    with pytest.raises(AssertionError, match=f"arrived {repeats + 2} times; the rule allows {repeats + 1}"):
        check(["unknown"] * (repeats + 2), arrived=repeats + 2)


def test_a_reply_that_arrives_more_often_than_it_was_sent_fails_the_soak(repeats: int) -> None:
    with pytest.raises(AssertionError, match="arrived 2 times, by"):
        check(["unknown", "permanent"], arrived=2)


def test_a_desk_whose_log_is_not_read_to_its_end_is_not_drained(desk: LocalDesk) -> None:
    with database.transaction():
        consumers.ensure(log_consumers.CONSUMERS)
    desk.create_ticket()
    desk.run_due()
    truth = Truth(desk.settings.database_url)

    assert (truth.live_tasks(), truth.work_left()) == (0, len(log_consumers.CONSUMERS))
    consumers.wake()
    desk.run_due()
    assert (truth.live_tasks(), truth.work_left()) == (0, 0)
