"""Receivers that fail for long: they rest, are switched off visibly, and get what they missed when somebody says so."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

from models.events import subscription_limits
from models.kernel import clock
from models.notices import commands as notices
from models.subscriptions import commands
from models.visibility.sight import DESK
from tests.desk import Desk
from tests.queues.subscriber import pass_days, reload, states, subscribe
from tests.servers import HttpReceiver, Say, receiving


def test_gone_switches_off_at_once_and_every_admin_is_told(desk: Desk, receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(410))
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    desk.run_due()
    desk.create_ticket("another")
    desk.run_due()

    off = reload(desk, subscription)
    assert (off.state, len(receiver.got)) == ("switched_off", 1)
    assert off.switched_off_reason == "the receiver answered 410 Gone"
    assert states(desk, subscription) == ["missed", "missed"]
    admin = UUID(str(desk.person("admin").id))
    [notice] = desk.command(notices.of_user, admin, unread=True, before=None, limit=10, sight=DESK)
    assert notice["ticket_id"] is None
    assert "CRM was switched off: the receiver answered 410" in notice["text"]
    [event] = desk.rows("SELECT aggregate_id FROM events WHERE event_type = 'webhook_switched_off'")
    assert str(event["aggregate_id"]) == str(subscription.id)


def test_three_days_of_failure_switch_off_and_what_was_missed_is_replayed_after(
    desk: Desk, receiver: HttpReceiver
) -> None:
    receiver.otherwise = Say(500)
    subscription = subscribe(desk, receiver)
    began = clock.now()
    desk.create_ticket("first")
    pass_days(desk, 1)
    desk.create_ticket("second")
    pass_days(desk, 2.5)
    off = reload(desk, subscription)
    desk.create_ticket("third")
    calls_while_failing = len(receiver.got)

    receiver.otherwise = Say(204)
    pass_days(desk, 1)
    silent = len(receiver.got) - calls_while_failing
    actor = desk.person("admin")
    desk.command(commands.update, subscription.id, {"active": True}, expected_version=None, private=True, actor=actor)
    replayed = desk.command(commands.replay_since, subscription.id, began - timedelta(minutes=1))
    desk.run_due()

    assert off.state == "switched_off"
    assert off.switched_off_reason == "nothing was delivered for 3 days"
    assert (silent, replayed) == (0, 3)
    assert states(desk, subscription) == ["delivered"] * 3
    told = [json.loads(got.body)["data"]["payload"]["title"] for got in receiver.got[calls_while_failing:]]
    assert sorted(told) == ["first", "second", "third"]


def test_a_receiver_that_is_down_is_not_called_once_for_each_waiting_event(desk: Desk, receiver: HttpReceiver) -> None:
    """A hundred calls that each wait for their timeout would hold up every other send."""
    receiver.otherwise = Say(500)
    subscription = subscribe(desk, receiver)
    for number in range(30):
        desk.create_ticket(f"ticket {number}")

    desk.run_due()
    first_round = len(receiver.got)
    receiver.otherwise = Say(204)
    pass_days(desk, 1, step_h=0.25)

    assert first_round == 3
    assert states(desk, subscription) == ["delivered"] * 30


def test_a_subscription_of_one_event_among_many_failures_of_another_is_not_held_up(
    desk: Desk, receiver: HttpReceiver
) -> None:
    receiver.otherwise = Say(500)
    failing = subscribe(desk, receiver)
    with receiving() as healthy:
        other = subscribe(desk, healthy)
        for number in range(5):
            desk.create_ticket(f"ticket {number}")
        desk.run_due()

        assert len(healthy.got) == 5
    assert (states(desk, other), states(desk, failing)) == (["delivered"] * 5, ["pending"] * 5)


def test_a_rest_that_was_stored_before_the_clock_was_set_back_is_no_longer_than_it_was(
    desk: Desk, receiver: HttpReceiver
) -> None:
    receiver.otherwise = Say(500)
    subscribe(desk, receiver)
    desk.advance(hours=2)
    for number in range(subscription_limits.failures_before_rest):
        desk.create_ticket(f"ticket {number}")
    desk.run_due()
    receiver.otherwise = Say(204)
    told_before = len(receiver.got)

    desk.advance(hours=-2)
    desk.create_ticket("another")
    for _ in range(10):
        desk.run_due()
        desk.advance(seconds=subscription_limits.rest_s_min / 5)

    titles = [json.loads(got.body)["data"]["payload"]["title"] for got in receiver.got[told_before:]]
    assert "another" in titles
