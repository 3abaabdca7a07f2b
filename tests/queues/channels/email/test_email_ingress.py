"""What the webhook function learns from a mail before it stores it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel.errors import Unauthenticated, UnsupportedMediaType
from models.ports.inbound import EventKey, IngressRequest
from queues.channels.email import ingress
from tests.queues.channels import golden

MAIL = b"Received: from a\r\nFrom: Ada <ada@example.test>\r\nDate: today\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n"


def identify(body: bytes, content_type: str = "message/rfc822", **headers: str) -> EventKey:
    [event] = ingress.receive(IngressRequest(headers, body, content_type), golden.EMAIL).events
    return event.key


@pytest.mark.parametrize("given_header", ["Bearer right", "bearer  right"])
def test_the_right_bearer_token_passes(given_header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "right")

    ingress.authenticate({"authorization": given_header}, {}, golden.EMAIL, golden.settings())


@pytest.mark.parametrize("given_header", [None, "", "right", "Basic right", "Bearer", "Bearer wrong", "Bearer \u00e9"])
def test_a_missing_and_a_wrong_token_get_the_same_answer(
    given_header: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "right")
    headers = {} if given_header is None else {"authorization": given_header}

    with pytest.raises(Unauthenticated) as refused:
        ingress.authenticate(headers, {}, golden.EMAIL, golden.settings())

    assert refused.value.message == "this webhook needs the channel account's secret"


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "application/json", "text/plain"])
def test_only_raw_mail_is_taken(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="message/rfc822"):
        identify(MAIL, content_type)


def test_a_retry_with_another_received_line_is_the_same_event() -> None:
    retry = MAIL.replace(b"from a", b"from b")

    assert identify(MAIL, "Message/RFC822; charset=x") == identify(retry)
    assert identify(MAIL).event_key.startswith("mid:<1@x>:")


@pytest.mark.parametrize("change", [(b"Hello", b"Other"), (b"today", b"later"), (b"Ada ", b"Bob ")])
def test_another_mail_under_the_same_id_is_another_event(change: tuple[bytes, bytes]) -> None:
    assert identify(MAIL).event_key != identify(MAIL.replace(*change)).event_key


def test_mails_of_one_sender_stay_in_order_and_the_key_does_not_show_who() -> None:
    key = identify(MAIL).ordering_key

    assert key == identify(MAIL.replace(b"ada@", b"ADA@").replace(b"Hello", b"Other")).ordering_key
    assert key is not None
    assert "ada" not in key


def test_a_mail_without_message_id_is_named_by_its_bytes() -> None:
    assert identify(MAIL.replace(b"Message-ID", b"X")).event_key.startswith("sha256:")


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"hello\r\n", b"\x00\xff", b" : x\r\n\r\n"])
def test_what_is_no_mail_is_kept_with_a_reason(body: bytes) -> None:
    key = identify(body)

    assert key.unreadable
    assert key.event_key.startswith("sha256:")


def test_the_envelope_is_kept_as_told() -> None:
    headers = {"x-envelope-from": "", "x-envelope-to": "desk@example.test\x00"}

    assert identify(MAIL, **headers).envelope == {"from": "", "to": "desk@example.test"}
    assert identify(MAIL).envelope == {}


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_no_bytes_raise(value: bytes, body: bytes) -> None:
    key = identify(b"Message-ID: " + value + b"\r\n" + body)

    assert len(key.event_key) <= 200
    key.event_key.encode()
