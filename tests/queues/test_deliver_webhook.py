"""Outgoing webhooks against real HTTP servers: signed, repeated under one id, given up visibly, switched off and replayed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.kernel import clock, settings
from models.subscriptions import commands, payloads, queries
from models.subscriptions.queries import Subscription
from models.tickets import notices
from queues import runner
from queues.actors import deliver_webhook
from tests.desk import Desk
from tests.servers import Got, HttpReceiver, Say, receiving


@pytest.fixture
def receiver(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A subscriber on this machine, which the desk may call."""
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
    settings.current.cache_clear()
    with receiving() as found:
        yield found


def subscribe(desk: Desk, receiver: HttpReceiver, *event_types: str, bodies: bool = False) -> Subscription:
    found = desk.command(
        commands.create, url=receiver.url, event_types=list(event_types or ["ticket_created"]), description="CRM",
        include_bodies=bodies, private=True, actor=desk.person("admin"),
    )  # fmt: skip
    assert isinstance(found, Subscription)
    return found


def signed_by(got: Got, secret: str) -> bool:
    """Written from the specification, without our code: id.timestamp.body, HMAC-SHA256, base64, one of several."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join(
        [got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body]
    )
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in got.headers["webhook-signature"].split(" ")


def states(desk: Desk, subscription: Subscription) -> list[str]:
    rows = desk.rows(
        "SELECT state FROM webhook_deliveries WHERE subscription_id = :id ORDER BY event_id",
        id=subscription.id,
    )
    return [row["state"] for row in rows]


def log_of(desk: Desk, subscription: Subscription) -> list[dict[str, Any]]:
    """The attempts of the newest delivery."""
    [newest] = desk.command(queries.deliveries, subscription.id, state=None, before=None, limit=1)
    log: list[dict[str, Any]] = newest["attempt_log"]
    return log


def reload(desk: Desk, subscription: Subscription) -> Subscription:
    found = desk.command(queries.get, subscription.id)
    assert isinstance(found, Subscription)
    return found


def pass_days(desk: Desk, days: float, *, step_h: float = 1.0) -> None:
    for _ in range(int(days * 24 / step_h)):
        desk.advance(hours=step_h)
        desk.run_due()


def test_an_event_is_told_signed_and_in_the_envelope_of_standard_webhooks(
    desk: Desk, receiver: HttpReceiver
) -> None:
    subscription = subscribe(desk, receiver)

    ticket = desk.create_ticket("The printer is on fire")
    desk.run_due()

    [got] = receiver.got
    assert signed_by(got, subscription.secret)
    assert not signed_by(got, "whsec_" + base64.b64encode(b"x" * 32).decode())
    told = json.loads(got.body)
    assert (told["type"], told["version"]) == ("ticket_created", 1)
    assert told["data"]["aggregate_id"] == str(ticket.id)
    assert told["data"]["event_id"] == got.headers["webhook-id"]
    assert told["data"]["payload"]["title"] == "The printer is on fire"
    assert abs(int(got.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert states(desk, subscription) == ["delivered"]


def test_the_packaged_verifier_of_the_specification_accepts_our_calls(
    desk: Desk, receiver: HttpReceiver
) -> None:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    desk.run_due()
    [got] = receiver.got

    verified = Webhook(subscription.secret).verify(got.body, dict(got.headers))

    assert verified["type"] == "ticket_created"
    with pytest.raises(WebhookVerificationError):
        Webhook(subscription.secret).verify(got.body + b" ", dict(got.headers))


def test_a_receiver_that_fails_twice_gets_the_same_call_under_the_same_id(
    desk: Desk, receiver: HttpReceiver
) -> None:
    receiver.answers.extend([Say(500, body=b"we are tired"), Say(503)])
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    for _ in range(4):
        desk.run_due()
        desk.advance(minutes=1)

    assert len(receiver.got) == 3
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert all(signed_by(got, subscription.secret) for got in receiver.got)
    log = log_of(desk, subscription)
    assert [(one["number"], one["status"]) for one in log] == [(1, 500), (2, 503), (3, 204)]
    assert log[0]["response"] == "we are tired"
    assert (states(desk, subscription), reload(desk, subscription).failing_since) == (["delivered"], None)


def test_retry_after_is_waited_for(desk: Desk, receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(429, headers={"retry-after": "1800"}))
    subscribe(desk, receiver)
    desk.create_ticket()
    desk.run_due()

    desk.advance(minutes=29)
    desk.run_due()
    early = len(receiver.got)
    desk.advance(minutes=2)
    desk.run_due()

    assert (early, len(receiver.got)) == (1, 2)


@pytest.mark.parametrize(
    ("say", "error"),
    [
        (Say(302, headers={"location": "http://127.0.0.1:1/"}), "answered 302"),
        (Say(404), "answered 404"),
        (Say(cut=True), "no whole answer"),
        (Say(200, body=b"half", length=100), "no whole answer"),
    ],
    ids=["redirect", "not found", "closed without an answer", "closed in the body"],
)
def test_what_is_no_success_is_tried_again(desk: Desk, receiver: HttpReceiver, say: Say, error: str) -> None:
    receiver.answers.append(say)
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    desk.run_due()
    after_first = states(desk, subscription)
    desk.advance(minutes=1)
    desk.run_due()

    assert after_first == ["pending"]
    assert error in log_of(desk, subscription)[0]["error"]
    assert (len(receiver.got), states(desk, subscription)) == (2, ["delivered"])


def test_a_receiver_that_hangs_costs_its_time_and_no_more(
    desk: Desk, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.subscriptions import bounds

    monkeypatch.setattr(bounds, "call_total_s", 0.3)
    receiver.answers.append(Say(hang=True))
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    desk.run_due()

    [attempt] = log_of(desk, subscription)
    assert (attempt["status"], states(desk, subscription)) == (None, ["pending"])


def test_a_long_answer_is_kept_as_its_beginning(desk: Desk, receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(400, body="ä".encode() * 100_000))
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    desk.run_due()

    assert log_of(desk, subscription)[0]["response"] == "ä" * 500


def test_a_private_address_is_not_called_unless_the_operator_allows_it(
    desk: Desk, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribe(desk, receiver)
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "false")
    settings.current.cache_clear()
    desk.create_ticket()

    desk.run_due()

    assert receiver.got == []
    assert "private network" in log_of(desk, subscription)[0]["error"]


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
    [notice] = desk.command(notices.of_user, admin, unread=True, before=None, limit=10)
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
    desk.command(
        commands.update, subscription.id, {"active": True}, expected_version=None, private=True, actor=actor
    )
    replayed = desk.command(commands.replay_since, subscription.id, began - timedelta(minutes=1))
    desk.run_due()

    assert off.state == "switched_off"
    assert off.switched_off_reason == "nothing was delivered for 3 days"
    assert (silent, replayed) == (0, 3)
    assert states(desk, subscription) == ["delivered"] * 3
    told = [json.loads(got.body)["data"]["payload"]["title"] for got in receiver.got[calls_while_failing:]]
    assert sorted(told) == ["first", "second", "third"]


def test_a_receiver_that_is_down_is_not_called_once_for_each_waiting_event(
    desk: Desk, receiver: HttpReceiver
) -> None:
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


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(desk: Desk, receiver: HttpReceiver) -> None:
    before = subscribe(desk, receiver)
    after = desk.command(commands.rotate_secret, before.id, actor=desk.person("admin"))

    desk.create_ticket()
    desk.run_due()
    desk.advance(hours=25)
    desk.create_ticket()
    desk.run_due()

    during, later = receiver.got
    assert signed_by(during, before.secret)
    assert signed_by(during, after.secret)
    assert signed_by(later, after.secret)
    assert not signed_by(later, before.secret)


def test_what_people_wrote_is_told_only_to_those_who_asked_for_it(desk: Desk, receiver: HttpReceiver) -> None:
    subscribe(desk, receiver, "message_added")
    with receiving() as trusted:
        subscribe(desk, trusted, "message_added", bodies=True)
        ticket = desk.create_ticket(email="ada@example.com")
        desk.reply(ticket, "The key is under the mat.")
        desk.run_due()

        assert b"under the mat" not in b"".join(got.body for got in receiver.got)
        assert len(receiver.got) > 0
        messages = [json.loads(got.body)["data"]["message"]["body"] for got in trusted.got]
    assert "The key is under the mat." in messages


def test_secrets_and_texts_in_a_payload_are_left_out_wherever_they_stand() -> None:
    event = {
        "event_id": "1", "event_type": "ticket_updated", "event_version": 1, "occurred_at": None, "aggregate": "ticket",
        "aggregate_id": "2", "sequence": 1, "actor_kind": "user", "actor_id": None, "request_id": None,
        "payload": {"steps": [{"comment": "psst", "token": "t"}], "changes": {"title": {"from": "a", "to": "b"}}},
    }  # fmt: skip

    shy = json.loads(payloads.body(event, include_bodies=False))["data"]
    open_ = json.loads(payloads.body(event, include_bodies=True))["data"]

    assert shy["payload"] == {"steps": [{}], "changes": {"title": {"from": "a", "to": "b"}}}
    assert shy["left_out"] == ["comment", "token"]
    assert open_["payload"]["steps"] == [{"comment": "psst"}]


def test_a_delivery_is_replayed_under_its_old_id(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    desk.run_due()
    event_id = UUID(receiver.got[0].headers["webhook-id"])

    desk.command(commands.replay, subscription.id, event_id)
    desk.run_due()

    assert [got.headers["webhook-id"] for got in receiver.got] == [str(event_id)] * 2
    assert len(log_of(desk, subscription)) == 2


def test_a_pause_ends_what_is_on_its_way(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    actor = desk.person("admin")

    desk.command(
        commands.update, subscription.id, {"active": False}, expected_version=None, private=True, actor=actor
    )
    desk.run_due()

    assert (receiver.got, states(desk, subscription)) == ([], ["discarded"])


def test_a_removed_webhook_is_not_called_any_more_and_forgets_its_secret(
    desk: Desk, receiver: HttpReceiver
) -> None:
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    desk.command(commands.delete, subscription.id, expected_version=None, actor=desk.person("admin"))
    desk.create_ticket()
    desk.run_due()

    assert (receiver.got, states(desk, subscription)) == ([], ["discarded"])
    assert desk.rows("SELECT secret, previous_secret FROM subscriptions")[0] == {
        "secret": "",
        "previous_secret": None,
    }


def test_a_task_that_runs_twice_calls_once(desk: Desk, receiver: HttpReceiver) -> None:
    subscribe(desk, receiver)
    desk.create_ticket()
    [task] = desk.tasks("ready", kind="deliver_webhook")

    outcomes = [runner.run_task(task["id"]), runner.run_task(task["id"])]

    assert outcomes == ["done", "not_mine"]
    assert len(receiver.got) == 1


def test_a_crash_between_call_and_record_repeats_under_the_same_id(
    desk: Desk, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver may have it twice; the id tells it so."""
    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    [task] = desk.tasks("ready", kind="deliver_webhook")
    from models.tasks import commands as tasks

    claimed = tasks.claim(task["id"], lease_s=5)
    assert claimed is not None
    deliver_webhook.run(claimed)  # and the worker dies here

    desk.advance(seconds=30)
    desk.run_due()

    assert [got.headers["webhook-id"] for got in receiver.got] == [receiver.got[0].headers["webhook-id"]] * 2
    assert states(desk, subscription) == ["delivered"]
    assert len(log_of(desk, subscription)) == 1


def test_the_log_is_collected_when_it_is_old(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    desk.run_due()

    desk.advance(days=29)
    desk.run_due()
    kept = states(desk, subscription)
    desk.advance(days=2)
    from models.tasks import commands as tasks

    desk.command(tasks.enqueue, "collect_garbage", {})
    desk.run_due()

    assert (kept, states(desk, subscription)) == (["delivered"], [])
    assert desk.rows("SELECT id FROM webhook_attempts") == []
