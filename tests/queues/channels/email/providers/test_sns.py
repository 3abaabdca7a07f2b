"""SNS: nothing is believed before Amazon's signature is verified, and nothing outside of Amazon is ever called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.kernel.errors import TransientFailure
from queues.channels.email.providers.ses import signature
from tests.desk import Desk
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.manners import ses
from tests.queues.channels.email.providers.recorded import Request

MAIL, CONFIRMATION = recorded.one("ses/inbound.json"), recorded.one("ses/confirmation.json")
sqlite_only = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def with_keys(signed_again: bool = False, **keys: Any) -> Callable[[Request], Request]:
    """The message with other values; `signed_again`: by Amazon's key."""

    def change(request: Request) -> Request:
        message = json.loads(request.body) | keys
        return replace(request, body=json.dumps(ses.sign(message) if signed_again else message).encode())

    return change


def event(desk: Desk) -> tuple[str, str | None]:
    desk.run_due()
    [row] = desk.rows("SELECT status, reason FROM inbox")
    return row["status"], row["reason"]


def test_a_message_that_amazon_did_not_sign_ends_as_failed_and_says_so(desk: Desk, post: Post) -> None:
    forged = json.loads(json.loads(MAIL.request.body)["Message"])
    forged["content"] = "RnJvbTogZXZl"

    assert post(MAIL, change=with_keys(Message=json.dumps(forged))).status_code == 200

    status, reason = event(desk)
    assert status == "failed"
    assert "signature does not fit" in str(reason)
    assert desk.tickets() == []


@sqlite_only
@pytest.mark.parametrize(
    "keys",
    [
        {"Signature": ""},
        {"Signature": "%%%"},
        {"SignatureVersion": "3"},
        {"Subject": "other"},
        {"MessageId": "x"},
    ],
)
def test_no_part_of_a_signature_can_be_changed(desk: Desk, post: Post, keys: dict[str, Any]) -> None:
    post(MAIL, change=with_keys(**keys))

    assert event(desk)[0] == "failed"


@sqlite_only
def test_both_versions_of_the_signature_are_verified(desk: Desk, post: Post) -> None:
    post(MAIL, change=with_keys(signed_again=True, SignatureVersion="2"))

    assert event(desk) == ("processed", None)


@sqlite_only
def test_who_has_not_sent_the_password_is_asked_for_it(desk: Desk, post: Post) -> None:
    """SNS calls without it first, and sends it only to who answers with this challenge."""
    results = [
        post(MAIL, change=lambda request: replace(request, headers={})),
        post(MAIL, secret=recorded.WRONG),
        post(MAIL, change=with_keys(TopicArn="arn:aws:sns:eu-west-1:123456789012:other")),
    ]

    assert [(one.status_code, one.headers["www-authenticate"]) for one in results] == [
        (401, 'Basic realm="nestor"')
    ] * 3
    assert len({one.json["detail"] for one in results}) == 1


NOT_AMAZON = [
    "http://sns.eu-west-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.test/a.pem",
    "https://sns.us-east-1.amazonaws.com/a.pem",
    "https://evil.test/sns.eu-west-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.test/a.pem",
    "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
    "https://evil.test\\@sns.eu-west-1.amazonaws.com/a.pem",
    "https://s3.amazonaws.com/a.pem",
    "https://[::1/a.pem",
    "",
    7,
]


@sqlite_only
@pytest.mark.parametrize("url", NOT_AMAZON)
def test_a_certificate_elsewhere_is_refused_at_the_door(desk: Desk, post: Post, url: Any) -> None:
    result = post(MAIL, change=with_keys(signed_again=True, SigningCertURL=url))

    assert result.status_code == 401
    assert desk.rows("SELECT 1 FROM inbox") == []


@sqlite_only
@pytest.mark.parametrize(
    "keys",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:other"},
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:nestor-mail"},
        {"TopicArn": ["arn:aws:sns:eu-west-1:123456789012:nestor-mail"]},
        {"Type": "Something"},
        {"Timestamp": "2020-01-01T00:00:00.000Z"},
        {"Timestamp": None},
    ],
)
def test_another_topic_another_type_and_an_old_message_are_refused_at_the_door(
    desk: Desk, post: Post, keys: dict[str, Any]
) -> None:
    assert post(MAIL, change=with_keys(**keys)).status_code == 401


@sqlite_only
def test_without_a_password_the_signature_alone_decides(desk: Desk, post: Post) -> None:
    def bare(request: Request) -> Request:
        return replace(request, headers={})

    assert post(MAIL, change=bare, config={"basic": None}).status_code == 200
    assert event(desk) == ("processed", None)


@sqlite_only
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff\xfe", b"nothing"])
def test_what_is_no_sns_message_proves_nothing(desk: Desk, post: Post, body: bytes) -> None:
    result = post(MAIL, change=lambda request: replace(request, body=body))

    assert result.status_code == 401


@pytest.fixture
def asked(post: Post, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of Amazon's that were called."""
    calls: list[str] = []

    def fetched(url: str) -> bytes:
        calls.append(url)
        return ses.certificate()

    monkeypatch.setattr(ses, "serve", lambda api, patch: None)
    signature._certificates.clear()
    monkeypatch.setattr(signature, "fetched", fetched)
    return calls


def test_a_subscription_to_our_topic_is_confirmed_once_verified(desk: Desk, post: Post, asked: list[str]) -> None:
    post(CONFIRMATION)
    assert asked == [], "a webhook makes no outbound call"

    status, reason = event(desk)

    assert (status, reason) == ("ignored", "the subscription to the SNS topic is confirmed")
    assert [url.partition("?")[2].partition("&")[0] for url in asked] == ["", "Action=ConfirmSubscription"]


@sqlite_only
@pytest.mark.parametrize("url", NOT_AMAZON[:-1])
def test_a_confirmation_elsewhere_is_not_followed_even_if_signed(
    desk: Desk, post: Post, asked: list[str], url: str
) -> None:
    post(CONFIRMATION, change=with_keys(signed_again=True, SubscribeURL=url))

    assert event(desk)[0] == "failed"
    assert len(asked) == 1, "the certificate, and nothing else"


@sqlite_only
def test_a_certificate_is_fetched_once(desk: Desk, post: Post, asked: list[str]) -> None:
    for name in ("ses/inbound.json", "ses/inbound_utf8.json", "ses/delivered.json"):
        post(recorded.one(name))
        desk.run_due()

    assert len(asked) == 1


@sqlite_only
def test_without_amazon_the_mail_waits(desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(url: str) -> bytes:
        raise TransientFailure("SNS: no connection")

    post(MAIL)
    monkeypatch.setattr(signature, "fetched", away)
    signature._certificates.clear()

    assert event(desk)[0] == "stored"
    assert len(desk.tasks("ready", kind="ingest_event")) == 1


@sqlite_only
def test_a_mail_in_another_bucket_is_not_read(desk: Desk, post: Post) -> None:
    post(recorded.one("ses/inbound_bucket.json"), config={"bucket": "another"})

    assert event(desk)[0] == "stored", "the account can be mended, and the mail read then"
    [task] = desk.tasks(kind="ingest_event")
    assert "another bucket" in task["last_error"]
