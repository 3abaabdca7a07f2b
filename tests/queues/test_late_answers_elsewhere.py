"""What holds for sends holds for every call of somebody else's server: webhooks, codes, notices, the staff group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.kernel.errors import Unavailable
from models.ports import outbound
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.requesters import codes
from models.staff_chat import ticket_posts
from models.tasks import commands
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendNotice
from queues import runner
from queues.outside import safe_http
from tests.desk import Desk
from tests.models.staff_chat.groups import Topics, group
from tests.queues.subscriber import states, subscribe
from tests.queues.test_call_webhook import alarm, declared
from tests.queues.test_late_answers import LEASE_S, take_over
from tests.servers import HttpReceiver

__all__ = ["alarm", "group"]  # fixtures


class TakenOver:
    """Lets another worker take the task over while its first call runs."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self._desk, self._kind = desk, kind
        self.others: list[ClaimedTask] = []

    def now(self) -> None:
        if not self.others:
            self.others.append(take_over(self._desk, self._kind))

    def go_on(self) -> str:
        """The other worker runs its task; how it ends."""
        return runner._run_claimed(self.others[0])


def during_calls(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    real = safe_http.call

    def call(*arguments: Any, **named: Any) -> Any:
        answer = real(*arguments, **named)
        happens()
        return answer

    monkeypatch.setattr(safe_http, "call", call)


def test_a_subscriber_that_took_an_event_is_not_called_again_by_who_took_the_task_over(
    desk: Desk, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    taken_over = TakenOver(desk, "deliver_webhook")
    during_calls(monkeypatch, taken_over.now)

    outcomes = desk.run_due()
    taken_over.go_on()

    assert "recorded_late" in outcomes
    assert states(desk, subscription) == ["delivered"]
    assert len(receiver.got) == 1
    assert len(desk.rows("SELECT 1 AS x FROM webhook_attempts WHERE error IS NULL")) == 1


def test_a_life_cycle_s_webhook_that_was_taken_is_not_called_again_by_who_took_the_task_over(
    desk: Desk, alarm: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared(desk)
    taken_over = TakenOver(desk, "call_webhook")
    during_calls(monkeypatch, taken_over.now)

    outcomes = desk.run_due()
    ended = taken_over.go_on()

    assert "recorded_late" in outcomes
    assert ended == "lease_lost"
    assert len(alarm.got) == 1
    assert [task["state"] for task in desk.tasks(kind="call_webhook")] == ["done"]


def send_code(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    desk.run_due()
    desk.calls.clear()
    desk.command(
        codes.send, UUID(str(ticket.requester_id)), "ada@example.com", channel="email", account="demo", sender="user:1"
    )


def send_notice(desk: Desk) -> None:
    payload = SendNotice(channel="telegram", account="demo", address="42", text="No ticket is open.")
    desk.command(commands.enqueue, payload)


@pytest.mark.parametrize("send", [send_code, send_notice])
def test_a_message_outside_of_tickets_that_was_taken_is_not_sent_again_by_who_took_the_task_over(
    desk: Desk, send: Callable[[Desk], None]
) -> None:
    send(desk)
    taken_over = TakenOver(desk, send.__name__)

    def answer(message: OutgoingMessage) -> SendOutcome:
        taken_over.now()
        return outbound.accepted("42:1")

    desk.answers.append(answer)
    outcomes = desk.run_due()
    taken_over.go_on()

    assert "recorded_late" in outcomes
    assert len(desk.calls) == 1
    assert [task["state"] for task in desk.tasks(kind=send.__name__)] == ["done"]


def test_a_notice_whose_worker_died_in_the_call_is_not_sent_again(desk: Desk) -> None:
    """At most once: a notice twice is worse than one that its reader asks for again."""

    class Killed(BaseException):
        """Ends the worker's thread where kill -9 would end its process."""

    def die(message: OutgoingMessage) -> SendOutcome:
        raise Killed

    send_notice(desk)
    desk.answers.append(die)
    with pytest.raises(Killed):
        desk.run_due()

    desk.advance(seconds=LEASE_S + 1)
    outcomes = desk.run_due()

    assert outcomes == ["done"]
    assert len(desk.calls) == 1


@pytest.mark.parametrize("first", [outbound.transient("busy"), SendOutcome("throttled", "slowly", retry_after_s=1.0)])
def test_a_notice_that_certainly_did_not_arrive_is_sent_again(desk: Desk, first: SendOutcome) -> None:
    send_notice(desk)
    desk.answers.append(first)
    desk.run_due()
    desk.advance(minutes=1)
    desk.run_due()

    assert len(desk.sent) == 1


def test_a_post_to_the_staff_group_is_recorded_once_when_the_database_goes_away_after_it(
    desk: Desk, group: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, topic = ticket_posts.record_posted, ticket_posts.open_topic
    failures = {"told": 2, "topic": 1}

    def told_at_last(*arguments: Any) -> None:
        if failures["told"]:
            failures["told"] -= 1
            raise Unavailable
        told(*arguments)

    def topic_at_last(*arguments: Any) -> None:
        if failures["topic"]:
            failures["topic"] -= 1
            raise Unavailable
        topic(*arguments)

    monkeypatch.setattr(ticket_posts, "record_posted", told_at_last)
    monkeypatch.setattr(ticket_posts, "open_topic", topic_at_last)
    desk.receive_telegram("It burns.", chat=42, name="Ada")
    desk.run_due()

    posts = [call.body for call in desk.sent if call.address.startswith("-1009")]
    assert failures == {"told": 0, "topic": 0}
    assert len(group.opened) == 1, "the topic is made once"
    assert len(posts) == len(set(posts))
    assert not any("again, perhaps" in post for post in posts)


def test_events_that_another_worker_posts_now_are_not_posted_twice(desk: Desk, group: Topics) -> None:
    taken_over = TakenOver(desk, "tell_staff")

    def answer(message: OutgoingMessage) -> SendOutcome:
        if message.address.startswith("-1009"):
            taken_over.now()
        return outbound.accepted(f"{message.address}:1")

    desk.receive_telegram("It burns.", chat=42, name="Ada")
    desk.answers.extend([answer] * 20)
    outcomes = desk.run_due()
    taken_over.go_on()
    desk.run_due()

    posts = [call.body for call in desk.sent if call.address.startswith("-1009")]
    assert "lease_lost" in outcomes
    assert len(posts) == len(set(posts)) > 1
    assert not any("again, perhaps" in post for post in posts)
