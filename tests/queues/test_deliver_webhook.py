"""Outgoing webhooks against real HTTP servers: signed, repeated under one id, given up visibly, switched off and
replayed.
"""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest

from models.kernel import clock, settings
from models.subscriptions import commands, payloads
from models.tasks.payloads import CollectGarbage, DeliverWebhook
from queues import runner
from queues.actors import deliver_webhook
from tests.desk import Desk
from tests.queues.subscriber import log_of, reload, signed_by, states, subscribe
from tests.servers import HttpReceiver, Say, receiving


def test_an_event_is_sent_signed_and_in_the_envelope_of_standard_webhooks(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe(desk, receiver)

    ticket = desk.create_ticket("The printer is on fire")
    desk.run_due()

    [got] = receiver.got
    assert signed_by(got, subscription.signing_secret)
    assert not signed_by(got, "whsec_" + base64.b64encode(b"x" * 32).decode())
    told = json.loads(got.body)
    assert (told["type"], told["version"]) == ("ticket_created", 1)
    assert told["data"]["aggregate_id"] == str(ticket.id)
    assert told["data"]["event_id"] == got.headers["webhook-id"]
    assert told["data"]["payload"]["title"] == "The printer is on fire"
    assert abs(int(got.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert states(desk, subscription) == ["delivered"]


def test_the_packaged_verifier_of_the_specification_accepts_our_calls(desk: Desk, receiver: HttpReceiver) -> None:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    subscription = subscribe(desk, receiver)
    desk.create_ticket()
    desk.run_due()
    [got] = receiver.got

    verified = Webhook(subscription.signing_secret).verify(got.body, dict(got.headers))

    assert verified["type"] == "ticket_created"
    with pytest.raises(WebhookVerificationError):
        Webhook(subscription.signing_secret).verify(got.body + b" ", dict(got.headers))


def test_a_receiver_that_fails_twice_gets_the_same_call_under_the_same_id(desk: Desk, receiver: HttpReceiver) -> None:
    receiver.answers.extend([Say(500, body=b"we are tired"), Say(503)])
    subscription = subscribe(desk, receiver)
    desk.create_ticket()

    for _ in range(4):
        desk.run_due()
        desk.advance(minutes=1)

    assert len(receiver.got) == 3
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert all(signed_by(got, subscription.signing_secret) for got in receiver.got)
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
    from models.events import subscription_limits

    monkeypatch.setattr(subscription_limits, "call_total_s", 0.3)
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


def test_a_rotated_secret_signs_together_with_the_old_one_for_a_day(desk: Desk, receiver: HttpReceiver) -> None:
    before = subscribe(desk, receiver)
    after = desk.command(commands.rotate_secret, before.id, actor=desk.person("admin"))

    desk.create_ticket()
    desk.run_due()
    desk.advance(hours=25)
    desk.create_ticket()
    desk.run_due()

    during, later = receiver.got
    assert signed_by(during, before.signing_secret)
    assert signed_by(during, after.signing_secret)
    assert signed_by(later, after.signing_secret)
    assert not signed_by(later, before.signing_secret)


def test_bodies_are_sent_only_to_subscriptions_that_include_bodies(desk: Desk, receiver: HttpReceiver) -> None:
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
        "event_id": "1",
        "event_type": "ticket_updated",
        "event_version": 1,
        "occurred_at": None,
        "aggregate": "ticket",
        "aggregate_id": "2",
        "sequence": 1,
        "actor_kind": "user",
        "actor_id": None,
        "request_id": None,
        "payload": {"steps": [{"comment": "psst", "token": "t"}], "changes": {"title": {"from": "a", "to": "b"}}},
    }

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

    desk.command(commands.update, subscription.id, {"active": False}, expected_version=None, private=True, actor=actor)
    desk.run_due()

    assert (receiver.got, states(desk, subscription)) == ([], ["discarded"])


def test_a_removed_webhook_is_not_called_any_more_and_forgets_its_secret(desk: Desk, receiver: HttpReceiver) -> None:
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
    assert isinstance(claimed.payload, DeliverWebhook)
    deliver_webhook.run(claimed, claimed.payload)  # and the worker dies here

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

    desk.command(tasks.enqueue, CollectGarbage())
    desk.run_due()

    assert (kept, states(desk, subscription)) == (["delivered"], [])
    assert desk.rows("SELECT id FROM webhook_attempts") == []
