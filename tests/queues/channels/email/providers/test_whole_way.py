"""A desk whose mail goes by a provider both ways: the real webhook, parser, sender and receipts; only the provider's
servers are ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.kernel import limits
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.fake_api import Answer, FakeApi
from tests.queues.channels.email.providers.outbound import CARRIERS, carrier
from tests.queues.channels.email.providers.recorded import SENT_ID, Request

each_carrier = pytest.mark.parametrize("provider", CARRIERS)


@pytest.fixture
def asked(desk: Desk, post: Post, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Ada's mail has come by a provider, by which the answers leave as well; gives the account's keys for that."""
    replace_part(monkeypatch, "sender", lambda channel: importlib.import_module(f"queues.channels.{channel}.send"))

    def ask(provider: str) -> dict[str, Any]:
        keys = carrier(provider).OUTBOUND | {"outbound": provider, "smtp_url": None}
        inbound = next(one for one in recorded.fixtures("inbound") if one.provider == provider)
        for _ in range(5):  # an acknowledgement may leave as well
            status, document, *headers = carrier(provider).ACCEPTED
            api.answer(status, document, *headers)
        post(inbound, config=keys)
        desk.run_due()
        assert desk.bodies(desk.ticket()) == [recorded.TEXT]
        api.calls.clear()
        return dict(keys)

    return ask


def told(post: Post, provider: str, kind: str, message_id: str, keys: dict[str, Any]) -> None:
    """The provider's webhook tells of our answer."""

    def about(request: Request) -> Request:
        ours, new = SENT_ID.strip("<>").encode(), message_id.strip("<>").encode()
        return replace(request, body=request.body.replace(ours, new))

    [fixture] = [one for one in recorded.fixtures(kind) if one.provider == provider]
    assert post(fixture, alter=about, config=keys).status_code == 200


@each_carrier
def test_a_question_is_answered_and_the_answer_is_known_to_have_arrived(
    desk: Desk, post: Post, api: FakeApi, asked: Any, provider: str
) -> None:
    keys = asked(provider)

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    [call] = api.calls
    seen = carrier(provider).seen(call)
    assert "Water it." in seen.text
    assert seen.headers["In-Reply-To"] == recorded.INBOUND_ID
    *_, delivery = desk.deliveries(desk.ticket())
    assert (delivery["state"], delivery["receipt"]) == ("sent", None)
    told(post, provider, "delivered", delivery["external_id"], keys)
    desk.run_due()
    *_, delivery = desk.deliveries(desk.ticket())
    assert delivery["receipt"] == "delivered"


@each_carrier
def test_an_answer_whose_fate_is_unknown_is_tried_again_under_the_same_ids(
    desk: Desk, api: FakeApi, asked: Any, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.3)
    asked(provider)
    api.answers.appendleft(Answer(cut=True))

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    *_, waiting = desk.deliveries(desk.ticket())
    desk.advance(minutes=30)
    desk.run_due()

    assert waiting["state"] == "pending"
    *_, delivery = desk.deliveries(desk.ticket())
    assert delivery["state"] == "sent"
    assert [one["outcome"] for one in delivery["attempt_log"]] == ["unknown", "accepted"]
    first, second = api.calls
    before, after = carrier(provider).seen(first), carrier(provider).seen(second)
    assert (before.message_id, before.once) == (after.message_id, after.once)
    if before.once is not None:
        assert first.body == second.body, "an idempotency key is refused with another content"


@each_carrier
def test_a_refused_address_is_not_written_to_again_and_a_bounce_is_visible(
    desk: Desk, post: Post, api: FakeApi, asked: Any, provider: str
) -> None:
    keys = asked(provider)
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    *_, delivery = desk.deliveries(desk.ticket())

    told(post, provider, "bounced", delivery["external_id"], keys)
    desk.run_due()

    *_, delivery = desk.deliveries(desk.ticket())
    assert (delivery["state"], delivery["receipt"]) == ("failed", "bounced")
    assert desk.events(desk.ticket(), "delivery_failed")
    api.calls.clear()
    desk.reply(desk.ticket(), "Did you water it?")
    desk.run_due()
    assert api.calls == [], "the address bounced for good"


@each_carrier
def test_a_throttled_account_waits_and_then_sends(desk: Desk, api: FakeApi, asked: Any, provider: str) -> None:
    asked(provider)
    api.answers.appendleft(Answer(429, b"{}", {"Retry-After": "7"}))

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    held = len(api.calls)
    desk.advance(seconds=60)
    desk.run_due()

    assert held == 1
    *_, delivery = desk.deliveries(desk.ticket())
    assert delivery["state"] == "sent"
