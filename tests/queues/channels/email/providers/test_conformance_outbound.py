"""Every provider with a `send.py` passes: against a real HTTP server that answers as the provider's API documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.ports.outbound import OutgoingMessage, SendOutcome
from queues.channels.email import send
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.fake_api import Answer, FakeApi
from tests.queues.channels.email.providers.outbound import CARRIERS, RIGHT_KEY, carrier
from tests.queues.channels.email.providers.recorded import SENT_ID

MESSAGE = OutgoingMessage(
    delivery_id="01890000-0000-7000-8000-000000000007",
    attempt_number=1,
    address="ada@example.test",
    recipient_name="Ada Lovelace",
    body="Water it.\n\nTwice.",
    body_format="text",
    subject="Re: Printer",
    external_id=SENT_ID,
    in_reply_to="<printer-1@example.test>",
    references=("<printer-1@example.test>",),
    automatic=False,
    ticket_number=7,
)
each_carrier = pytest.mark.parametrize("provider", CARRIERS)


@pytest.fixture
def hand_over(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Any:
    def hand(provider: str, message: OutgoingMessage = MESSAGE, **changes: Any) -> SendOutcome:
        for name, value in carrier(provider).secrets().items():
            monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
        config = recorded.config(provider) | carrier(provider).OUTBOUND
        config |= {"outbound": provider, "api_url": api.url} | changes
        return send.send(message, ChannelAccount("email", provider, 1, config), golden.settings())

    return hand


@each_carrier
def test_an_accepted_mail_is_sent_whole_and_its_ids_come_back(api: FakeApi, hand_over: Any, provider: str) -> None:
    status, document, *headers = carrier(provider).ACCEPTED
    api.answer(status, document, *headers)

    outcome = hand_over(provider)

    assert (outcome.kind, outcome.account_error) == ("accepted", None), outcome
    assert outcome.provider_id == carrier(provider).PROVIDER_ID
    [call] = api.calls
    seen = carrier(provider).seen(call)
    assert seen.key == RIGHT_KEY
    assert seen.message_id == SENT_ID
    assert len(seen.to) == 1
    assert "ada@example.test" in seen.to[0]
    assert seen.subject == "Re: Printer"
    assert seen.text.split() == ["Water", "it.", "Twice."]
    assert seen.headers["In-Reply-To"] == "<printer-1@example.test>"
    assert seen.headers["References"] == "<printer-1@example.test>"


@each_carrier
def test_every_attempt_carries_the_same_ids(api: FakeApi, hand_over: Any, provider: str) -> None:
    status, document, *headers = carrier(provider).ACCEPTED
    for _ in range(2):
        api.answer(status, document, *headers)

    hand_over(provider)
    hand_over(provider, replace(MESSAGE, attempt_number=2))

    first, second = (carrier(provider).seen(call) for call in api.calls)
    assert (first.message_id, first.once) == (second.message_id, second.once)


@each_carrier
def test_a_throttled_mail_waits_as_long_as_told(api: FakeApi, hand_over: Any, provider: str) -> None:
    api.answer(429, {"message": "Too many requests"}, {"Retry-After": "7"})

    outcome = hand_over(provider)

    assert (outcome.kind, outcome.retry_after_s, outcome.pause_account) == ("throttled", 7.0, True)


@each_carrier
def test_a_refused_recipient_is_permanent(api: FakeApi, hand_over: Any, provider: str) -> None:
    status, document = carrier(provider).REFUSED
    api.answer(status, document)

    outcome = hand_over(provider)

    assert outcome.kind == "permanent"
    assert (outcome.suppress is not None) is carrier(provider).REFUSED_SUPPRESSES
    assert "@example.test" not in outcome.detail


@each_carrier
def test_a_wrong_key_is_the_accounts_fault_and_can_be_corrected(api: FakeApi, hand_over: Any, provider: str) -> None:
    status, document = carrier(provider).WRONG_KEY
    api.answer(status, document)

    outcome = hand_over(provider)

    assert outcome.kind == "transient"
    assert outcome.account_error


@each_carrier
def test_every_refusal_of_the_account_waits_for_the_operator(api: FakeApi, hand_over: Any, provider: str) -> None:
    refusals = [*carrier(provider).OF_THE_ACCOUNT, *((status, {}) for status in (301, 402, 403, 404, 405, 407, 410))]
    for status, document in refusals:
        api.answer(status, document)

    outcomes = [hand_over(provider) for _ in refusals]

    assert [one.kind for one in outcomes] == ["transient"] * len(refusals)
    assert all(one.account_error for one in outcomes)
    assert all(one.suppress is None for one in outcomes)


@each_carrier
@pytest.mark.parametrize(("status", "kind"), [(500, "unknown"), (502, "unknown"), (503, "transient"), (504, "unknown")])
def test_a_server_that_fails_may_have_taken_the_mail_unless_it_says_that_it_is_away(
    api: FakeApi, hand_over: Any, provider: str, status: int, kind: str
) -> None:
    api.answer(status, b"<html>no</html>")

    assert hand_over(provider).kind == kind


@each_carrier
@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(cut=True)], ids=["timeout", "cut"])
def test_without_an_answer_nobody_knows_whether_it_was_sent(
    api: FakeApi, hand_over: Any, provider: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.3)
    api.answers.append(answer)

    outcome = hand_over(provider)

    assert outcome.kind == "unknown"
    assert len(api.calls) == 1


@each_carrier
def test_without_a_connection_nothing_was_sent(hand_over: Any, provider: str) -> None:
    outcome = hand_over(provider, api_url="http://127.0.0.1:1")

    assert (outcome.kind, outcome.account_error) == ("transient", None)


@each_carrier
def test_an_answer_that_is_none_of_the_providers_is_not_believed_to_hold_an_id(
    api: FakeApi, hand_over: Any, provider: str
) -> None:
    api.answer(200, b"[" * 10_000)

    outcome = hand_over(provider)

    assert (outcome.kind, outcome.provider_id) == ("accepted", None)


@each_carrier
def test_an_address_that_is_none_never_leaves(api: FakeApi, hand_over: Any, provider: str) -> None:
    outcome = hand_over(provider, replace(MESSAGE, address="ada@example.test>, <eve@example.test"))

    assert outcome.kind == "permanent"
    assert api.calls == []
