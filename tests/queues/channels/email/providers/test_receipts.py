"""What a provider tells of our answer reaches the delivery: end to end, over the real webhook and the real domain."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from models.ports.outbound import SendOutcome
from tests.desk import Desk
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.outbound import CARRIERS, carrier
from tests.queues.channels.email.providers.recorded import SENT_ID, Request

INBOUND = {name: next(one for one in recorded.fixtures("inbound") if one.provider == name) for name in CARRIERS}


def answered(desk: Desk, post: Post, provider: str) -> str:
    """A ticket of the provider's account with an answer that it took; the answer's Message-ID."""
    provider_id = carrier(provider).PROVIDER_ID
    post(INBOUND[provider])
    desk.run_due()
    desk.calls.clear()
    desk.answers.append(
        lambda message: SendOutcome("accepted", external_id=message.external_id, provider_id=provider_id)
    )
    desk.reply(desk.ticket())
    desk.run_due()
    [sent] = desk.sent
    assert sent.message.external_id
    return sent.message.external_id


def told(desk: Desk, post: Post, provider: str, kind: str, message_id: str) -> None:
    """The provider tells of the answer, by our Message-ID or by its own id."""

    def about(request: Request) -> Request:
        ours, new = SENT_ID.strip("<>").encode(), message_id.strip("<>").encode()
        return replace(request, body=request.body.replace(ours, new))

    [fixture] = [one for one in recorded.fixtures(kind) if one.provider == provider]
    result = post(fixture, alter=about)
    assert result.status_code == 200, result.text
    desk.run_due()


@pytest.mark.parametrize("provider", CARRIERS)
@pytest.mark.parametrize(("kind", "state"), [("delivered", "sent"), ("bounced", "failed"), ("complained", "sent")])
def test_a_receipt_updates_the_delivery_that_it_is_about(
    desk: Desk, post: Post, provider: str, kind: str, state: str
) -> None:
    message_id = answered(desk, post, provider)

    told(desk, post, provider, kind, message_id)

    *_, delivery = desk.deliveries(desk.ticket())  # an acknowledgement may stand before it
    assert (delivery["state"], delivery["receipt"]) == (state, kind)
    suppressed = desk.rows("SELECT 1 FROM identities WHERE suppressed_reason IS NOT NULL")
    assert bool(suppressed) is (kind != "delivered")


@pytest.mark.parametrize("provider", CARRIERS)
def test_a_receipt_of_a_strangers_mail_is_kept_and_ignored(desk: Desk, post: Post, provider: str) -> None:
    told(desk, post, provider, "bounced", f"<{uuid4().hex}@example.test>")

    [event] = desk.rows("SELECT status, reason FROM inbox")
    assert event["status"] == "ignored"
    assert event["reason"]
