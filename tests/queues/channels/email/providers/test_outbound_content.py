"""An API that takes no raw mail gets all of it as fields: copies, the HTML, files, pictures in the text, what threads
it.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.ports.outbound import OutgoingAttachment
from queues import channels
from queues.channels.email.providers import http, outgoing
from queues.channels.email.writing.build import build
from tests.queues.channels import golden
from tests.queues.channels.email.providers.fake_api import FakeApi
from tests.queues.channels.email.providers.outbound import CARRIERS, RIGHT_KEY, carrier
from tests.queues.channels.email.providers.recorded import PIXEL
from tests.queues.channels.email.providers.test_conformance_outbound import MESSAGE, hand_over

__all__ = ["hand_over"]  # the fixture


def attachment(name: str, kind: str, content: bytes, content_id: str | None = None) -> OutgoingAttachment:
    return OutgoingAttachment(
        name,
        kind,
        len(content),
        hashlib.sha256(content).hexdigest(),
        lambda: io.BytesIO(content),
        inline=content_id is not None,
        content_id=content_id,
    )


FULL = replace(
    MESSAGE,
    body='<p><strong>Water</strong> it, Адa.</p><img src="cid:logo@desk">',
    body_format="html",
    recipient_name='Ada "the" Lovelace, Countess',
    copies=(("Grace", "grace@example.test"), ("", "ADA@example.test"), ("odd", "no address")),
    attachments=(
        attachment("план.txt", "text/plain", b"Water it.\n"),
        attachment("logo.png", "image/png", base64.b64decode(PIXEL), "logo@desk"),
    ),
    automatic=True,
)


def test_the_fields_of_a_mail_are_what_the_mail_says() -> None:
    parts = outgoing.parts_of(build(FULL, golden.EMAIL))

    assert parts.to == [('Ada "the" Lovelace, Countess', "ada@example.test")]
    assert parts.cc == [("Grace", "grace@example.test")]
    assert "Water" in parts.text
    assert "<strong>Water</strong>" in parts.html
    assert "Адa" in parts.html
    assert [(one.filename, one.content_type) for one in parts.files if not one.inline] == [("план.txt", "text/plain")]
    [logo] = [one for one in parts.files if one.content_id]
    assert (logo.content_id, logo.content) == ("logo@desk", PIXEL)
    headers = dict(parts.headers)
    assert headers["Message-ID"] == MESSAGE.external_id
    assert headers["Auto-Submitted"] == "auto-replied"
    assert not {"From", "To", "Cc", "Subject", "Content-Type", "MIME-Version"} & set(headers)


@pytest.mark.parametrize("provider", CARRIERS)
def test_every_provider_gets_copies_html_files_and_the_thread(api: FakeApi, hand_over: Any, provider: str) -> None:
    status, document, *headers = carrier(provider).ACCEPTED
    api.answer(status, document, *headers)

    outcome = hand_over(provider, FULL)

    assert outcome.kind == "accepted", outcome
    [call] = api.calls
    body = call.body
    if provider == "ses":
        body = base64.b64decode(call.document()["Content"]["Raw"]["Data"])
        assert call.document()["Destination"]["CcAddresses"][0] == "grace@example.test"
    for wanted in (
        b"grace@example.test",
        b"<strong>Water",
        b"auto-replied",
        b"logo@desk",
        base64.b64encode(b"Water it.\n"),
    ):
        assert wanted in body, wanted
    assert b"no address" not in body


def test_a_file_that_cannot_be_read_leaves_the_mail_unsent(api: FakeApi, hand_over: Any) -> None:
    def gone() -> io.BytesIO:
        raise OSError("gone")

    broken = replace(attachment("a.txt", "text/plain", b"x"), open=gone)

    outcome = hand_over("postmark", replace(MESSAGE, attachments=(broken,)))

    assert outcome.kind == "transient"
    assert api.calls == []


@pytest.mark.parametrize(
    ("provider", "answer", "kind", "account_error"),
    [
        (
            "ses",
            (400, {"__type": "com.amazonaws#TooManyRequestsException", "message": "slow"}),
            "throttled",
            False,
        ),
        ("ses", (400, {"__type": "LimitExceededException", "message": "Daily quota"}), "throttled", False),
        (
            "ses",
            (400, {"message": "paused"}, {"x-amzn-ErrorType": "SendingPausedException:"}),
            "transient",
            True,
        ),
        (
            "ses",
            (400, {"__type": "MessageRejected", "message": "Email address is not verified."}),
            "transient",
            True,
        ),
        ("ses", (400, {"__type": "MessageRejected", "message": "It has a virus."}), "permanent", False),
        ("resend", (429, {"name": "daily_quota_exceeded", "message": "quota"}), "throttled", True),
        ("resend", (409, {"name": "concurrent_idempotent_requests", "message": "wait"}), "transient", False),
        ("resend", (409, {"name": "invalid_idempotent_request", "message": "other"}), "unknown", False),
        (
            "resend",
            (403, {"name": "validation_error", "message": "The x domain is not verified."}),
            "transient",
            True,
        ),
        ("postmark", (422, {"ErrorCode": 300, "Message": "Invalid email request"}), "permanent", False),
        ("postmark", (422, {"ErrorCode": 400, "Message": "Sender signature not found"}), "transient", True),
        ("sendgrid", (413, {"errors": [{"message": "too large"}]}), "permanent", False),
        ("sendgrid", (403, {"errors": [{"message": "from address does not match"}]}), "transient", True),
        ("mailgun", (404, {"message": "Domain not found"}), "transient", True),
        ("mailgun", (400, {"message": "message is too big"}), "permanent", False),
        ("mailgun", (301, b""), "transient", True),
    ],
)
def test_each_providers_own_words_decide(
    api: FakeApi, hand_over: Any, provider: str, answer: Any, kind: str, account_error: bool
) -> None:
    api.answer(*answer)

    outcome = hand_over(provider)

    assert (outcome.kind, outcome.account_error is not None) == (kind, account_error), outcome
    assert outcome.suppress is None


def test_a_netrc_of_the_machine_does_not_replace_our_key(
    api: FakeApi, hand_over: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    api.answer(*carrier("resend").ACCEPTED)

    hand_over("resend")

    assert carrier("resend").seen(api.calls[0]).key == RIGHT_KEY


def test_ses_is_known_by_the_id_that_replies_refer_to(api: FakeApi, hand_over: Any) -> None:
    for region, domain in (("eu-west-1", "eu-west-1.amazonses.com"), ("us-east-1", "email.amazonses.com")):
        api.answer(200, {"MessageId": "abc-1"})
        outcome = hand_over("ses", region=region)
        assert outcome.external_id == MESSAGE.external_id
        assert outcome.external_ids == (MESSAGE.external_id, f"<abc-1@{domain}>")


def test_only_a_provider_that_honours_an_idempotency_key_gets_a_mail_of_unknown_outcome_more_than_twice() -> None:
    repeats = {
        one: channels.get("email").retries_for(ChannelAccount("email", "desk", 1, {"outbound": one}))
        for one in (*CARRIERS, "smtp")
    }

    assert repeats == dict.fromkeys((*CARRIERS, "smtp"), 1) | {"resend": 10}


def test_an_account_that_names_no_provider_repeats_a_mail_of_unknown_outcome_once() -> None:
    assert channels.get("email").retries_for(ChannelAccount("email", "desk", 1, {})) == 1


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        ("7", 7.0),
        ("999999999", 3600.0),
        ("Wed, 04 Nov 2020 09:21:00 GMT", 1.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms_and_bounded(told: str, wait_s: float | None) -> None:
    assert http.Answer(429, {"retry-after": told}, b"").retry_after_s == wait_s


def test_an_account_that_sends_by_nobody_we_know_is_told(hand_over: Any) -> None:
    from queues.channels.email import send

    account = ChannelAccount("email", "desk", 1, {"address": "desk@example.test", "outbound": "brevo"})

    outcome = send.send(MESSAGE, account, golden.settings())

    assert outcome.kind == "transient"
    assert "sends no mail" in str(outcome.account_error)
