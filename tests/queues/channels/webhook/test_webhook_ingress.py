"""Whose request it is, how old it may be, and which events it carries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unauthenticated, UnsupportedMediaType
from models.kernel.settings import Settings
from models.ports.inbound import IngressRequest, Received
from queues.channels.webhook import ingress
from queues.described import limits
from tests.queues.channels.webhook.conftest import account_of, fixture


def lookout(body: bytes, *, key: str = "lookout-key", at: float | None = None) -> dict[str, str]:
    seconds = int(clock.now().timestamp() if at is None else at)
    digest = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-lookout-signature": f"t={seconds},v1={digest}"}


def chatterbox(body: bytes, key: str = "chatterbox-key") -> dict[str, str]:
    digest = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-chatterbox-hmac": f"sha256={digest}"}


def take(
    account: ChannelAccount,
    config: Settings,
    body: bytes,
    headers: Mapping[str, str],
    content_type: str = "application/json",
) -> Received:
    """As the webhook function does it."""
    request = IngressRequest(dict(headers), body, content_type)
    if not ingress.authenticate(request.headers, {}, account, config):
        ingress.verify(request, account, config)
    return ingress.receive(request, account)


def test_a_signed_request_is_taken_and_its_items_are_events_of_their_own(config: Settings) -> None:
    body = fixture("alerts/two_alerts.json")

    received = take(account_of("alerts"), config, body, lookout(body))

    keys = [event.key.event_key for event in received.events]
    assert keys == ["key:c0ffee01:firing:2026-11-24T10:00:00Z", "key:c0ffee02:ok:2026-11-24T09:00:00Z"]
    assert [json.loads(event.raw or b"")["host"] for event in received.events] == ["db-1", "db-2"]
    assert received.nonce is None


@pytest.mark.parametrize("shift_s", [-299, 299])
def test_a_request_within_the_window_is_taken(config: Settings, shift_s: float) -> None:
    body = fixture("alerts/two_alerts.json")

    assert take(account_of("alerts"), config, body, lookout(body, at=clock.now().timestamp() + shift_s)).events


BODY = b'{"alerts": [{"status": "ok"}]}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-lookout-signature": ""},
        {"x-lookout-signature": "v1=" + "0" * 64},
        lookout(BODY, key="another"),
        lookout(BODY + b" "),
        lookout(BODY, at=1),
        {"x-lookout-signature": "t=x,v1=" + hmac.new(b"lookout-key", b"x." + BODY, hashlib.sha256).hexdigest()},
        {"x-lookout-signature": "t=1,v1=\xff\xfe"},
    ],
)
def test_a_wrong_or_old_signature_is_refused_alike(config: Settings, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated, match="needs the channel account's secret"):
        take(account_of("alerts"), config, BODY, headers)


@pytest.mark.parametrize("shift_s", [-400, 400])
def test_a_request_outside_of_the_window_is_refused_alike(config: Settings, shift_s: float) -> None:
    headers = lookout(BODY, at=clock.now().timestamp() + shift_s)

    with pytest.raises(Unauthenticated, match="needs the channel account's secret"):
        take(account_of("alerts"), config, BODY, headers)


def test_a_moved_timestamp_breaks_the_signature(config: Settings) -> None:
    old = lookout(BODY, at=clock.now().timestamp() - 1_000)["x-lookout-signature"]
    forged = f"t={int(clock.now().timestamp())},{old.partition(',')[2]}"

    with pytest.raises(Unauthenticated):
        take(account_of("alerts"), config, BODY, {"x-lookout-signature": forged})


def test_a_signature_without_a_moment_is_remembered(config: Settings) -> None:
    body = fixture("chat/said.json")

    first = take(account_of("chat"), config, body, chatterbox(body))
    again = take(account_of("chat"), config, body, chatterbox(body))

    assert first.nonce is not None
    assert (first.nonce, first.events) == (again.nonce, again.events)
    assert first.nonce[1] == 300


def _moment_only(**more: Any) -> ChannelAccount:
    auth = {
        "kind": "hmac",
        "header": "X-Sum",
        "signed": "{timestamp}",
        "timestamp_header": "X-At",
        "tolerance_s": 100,
        "secret": {"secret": "chatterbox_key"},
    }
    return account_of("chat", auth=auth | more)


def test_a_signature_of_a_moment_is_valid_next_to_other_signatures(config: Settings) -> None:
    at = str(int(clock.now().timestamp()))
    right = hmac.new(b"chatterbox-key", at.encode(), hashlib.sha256).hexdigest()
    body = fixture("chat/said.json")

    def nonce(header: str, message_id: str = "") -> tuple[str, float] | None:
        headers = {"x-sum": header, "x-at": at, "x-id": message_id}
        return take(_moment_only(id_header="X-Id"), config, body, headers).nonce

    first = nonce(right)
    assert first is not None
    assert nonce(f"{right} 00") == nonce(f"01 {right}") == nonce(right.upper()) == nonce(right, "2") == first


def test_a_signature_of_a_moment_is_remembered_for_as_long_as_it_is_good(config: Settings) -> None:
    """It may be as far ahead of our clock as behind it."""
    at = str(int(clock.now().timestamp()) + 99)
    headers = {"x-sum": hmac.new(b"chatterbox-key", at.encode(), hashlib.sha256).hexdigest(), "x-at": at}

    received = take(_moment_only(), config, fixture("chat/said.json"), headers)

    assert received.nonce is not None
    assert received.nonce[1] == 200


def test_the_signatures_of_standard_webhooks_are_understood(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.events import signing, subscription_rules

    secret = subscription_rules.new_secret()
    monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_KEY", secret)
    auth = {
        "kind": "hmac",
        "header": "webhook-signature",
        "prefix": "v1,",
        "encoding": "base64",
        "key_format": "base64",
        "signed": "{id}.{timestamp}.{body}",
        "timestamp_header": "webhook-timestamp",
        "id_header": "webhook-id",
        "secret": {"secret": "chatterbox_key"},
    }
    body = fixture("chat/said.json")
    headers = signing.headers(
        "msg-1", clock.now(), body, [signing.subscription_key(one) for one in (subscription_rules.new_secret(), secret)]
    )

    assert take(account_of("chat", auth=auth), config, body, headers).events
    with pytest.raises(Unauthenticated):
        take(account_of("chat", auth=auth), config, body, headers | {"webhook-id": "msg-2"})


def test_a_challenge_is_answered_once_it_is_authenticated(config: Settings) -> None:
    body = fixture("chat/ping.json")

    received = take(account_of("chat"), config, body, chatterbox(body))

    assert (received.events, received.answer) == ((), {"pong": "3eZbrw1aBm2rZgRNFdxV"})
    with pytest.raises(Unauthenticated):
        take(account_of("chat"), config, body, {})


FORM = "application/x-www-form-urlencoded"


def basic(login: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def test_a_form_with_the_right_login_is_an_event(config: Settings) -> None:
    [event] = take(account_of("forms"), config, fixture("forms/submission.txt"), basic("form:wright"), FORM).events

    assert (event.key.event_key, event.key.envelope) == ("key:991", {"form": "form"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("form:wrong"),
        basic(""),
        {"authorization": "Basic %%%"},
        {"authorization": "Bearer form:wright"},
    ],
)
def test_a_wrong_login_is_refused_before_the_body_is_read(config: Settings, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        ingress.authenticate(headers, {}, account_of("forms"), config)


def test_a_bearer_may_come_in_a_header_of_the_services_own(config: Settings) -> None:
    auth = {
        "kind": "bearer",
        "header": "X-Token",
        "prefix": "Key ",
        "secret": {"secret": "lookout_api_token"},
    }

    assert ingress.authenticate({"x-token": "Key lookout-token"}, {}, account_of("alerts", auth=auth), config)
    with pytest.raises(Unauthenticated):
        ingress.authenticate({"x-token": "Key other"}, {}, account_of("alerts", auth=auth), config)


def test_an_empty_credential_lets_nobody_in(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_LOOKOUT_SIGNING_KEY", "")

    with pytest.raises(ConfigurationError):
        take(account_of("alerts"), config, BODY, lookout(BODY, key=""))


def test_another_content_type_is_refused(config: Settings) -> None:
    with pytest.raises(UnsupportedMediaType):
        ingress.receive(IngressRequest({}, b"{}", "text/xml"), account_of("alerts"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'"text"',
        b"1" * 5_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"null",
    ],
)
def test_what_is_no_event_is_kept_with_the_reason(body: bytes) -> None:
    [event] = ingress.receive(IngressRequest({}, body, "application/json"), account_of("chat")).events

    assert event.key.unreadable
    assert event.key.event_key.startswith("sha256:")


@pytest.mark.parametrize("count", [0, limits.items_max + 1])
def test_too_few_or_too_many_items_are_kept_as_one_unreadable_event(count: int) -> None:
    body = json.dumps({"alerts": [{"n": n} for n in range(count)]}).encode()

    [event] = ingress.receive(IngressRequest({}, body, "application/json"), account_of("alerts")).events

    assert event.raw is None
    assert f"found {count}" in (event.key.unreadable or "")


def test_a_long_or_odd_event_key_is_hashed_and_stays_one(config: Settings) -> None:
    def key_of(value: Any) -> str:
        body = json.dumps({"kind": "said", "id": value, "from": {"id": 1, "robot": False}}).encode()
        [event] = ingress.receive(IngressRequest({}, body, "application/json"), account_of("chat")).events
        return event.key.event_key

    assert key_of("x" * 5_000) == key_of("x" * 5_000) != key_of("x" * 5_001)
    assert len(key_of("x" * 5_000)) < 200
    assert key_of("a\nb") != key_of("a b")
    assert key_of("\ud800").startswith("key:")
