"""What the webhook function learns from a Telegram request before it stores it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel.errors import ConfigurationError, Unauthenticated
from models.ports.inbound import EventKey, IngressRequest
from queues.channels.telegram import ingress
from tests.queues.channels import golden

HEADER = "x-telegram-bot-api-secret-token"


def identify(body: bytes) -> EventKey:
    [event] = ingress.receive(IngressRequest({}, body), golden.TELEGRAM).events
    return event.key


def test_the_right_secret_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "right")

    ingress.authenticate({HEADER: "right"}, {}, golden.TELEGRAM, golden.settings())


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: "wrong"}, {HEADER: "\udc80"}, {HEADER: "right "}])
def test_a_missing_and_a_wrong_secret_get_the_same_answer(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "right")

    with pytest.raises(Unauthenticated) as refused:
        ingress.authenticate(headers, {}, golden.TELEGRAM, golden.settings())

    assert refused.value.message == "this webhook needs the channel account's secret"


def test_an_empty_secret_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "")

    with pytest.raises(ConfigurationError):
        ingress.authenticate({HEADER: ""}, {}, golden.TELEGRAM, golden.settings())


@pytest.mark.parametrize(
    ("update", "ordering_key"),
    [
        ({"message": {"chat": {"id": -7}}}, "chat:-7"),
        ({"edited_message": {"chat": {"id": 7}}}, "chat:7"),
        ({"channel_post": {"chat": {"id": 7}}}, "chat:7"),
        ({"callback_query": {"from": {"id": 1}, "message": {"chat": {"id": 7}}}}, "chat:7"),
        ({"my_chat_member": {"chat": {"id": 7}}}, "chat:7"),
        ({"message_reaction": {"chat": {"id": 7}}}, "chat:7"),
        ({"business_message": {"chat": {"id": 7}}}, "chat:7"),
        ({"deleted_business_messages": {"chat": {"id": 7}}}, "chat:7"),
        ({"thought_transfer": {"chat": {"id": 7}}}, "chat:7"),
        ({"callback_query": {"from": {"id": 1}, "inline_message_id": "x"}}, None),
        ({"inline_query": {"from": {"id": 1}}}, None),
        ({"message": {"chat": {"id": "7"}}}, None),
        ({}, None),
    ],
)
def test_an_update_is_named_by_its_id_and_ordered_by_its_chat(
    update: dict[str, object], ordering_key: str | None
) -> None:
    key = identify(json.dumps({"update_id": 41, **update}).encode())

    assert key == EventKey("update:41", ordering_key)


@pytest.mark.parametrize(
    "fixture",
    [path for path in golden.fixtures("telegram") if not path.stem.startswith("callback_query")],
    ids=lambda path: path.stem,
)
def test_a_recorded_update_is_named_and_answered_in_our_own_words(fixture: Path) -> None:
    body = fixture.read_bytes()

    received = ingress.receive(IngressRequest({}, body), golden.TELEGRAM)

    (event,) = received.events
    assert event.key.event_key == f"update:{json.loads(body)['update_id']}"
    assert event.key.unreadable is None
    assert received.answer is None


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            {"id": "3006547218339281"},
            {"method": "answerCallbackQuery", "callback_query_id": "3006547218339281"},
        ),
        ({"id": "-7_a"}, {"method": "answerCallbackQuery", "callback_query_id": "-7_a"}),
        ({"id": 7}, None),
        ({"id": ""}, None),
        ({"id": "x" * 65}, None),
        ({"id": 'x"}'}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_press_of_a_button_is_answered_by_the_response_itself(query: object, answer: object) -> None:
    body = json.dumps({"update_id": 41, "callback_query": query}).encode()

    received = ingress.receive(IngressRequest({}, body), golden.TELEGRAM)

    assert received.answer == answer
    assert received.events[0].key.event_key == "update:41"


@pytest.mark.parametrize("update_id", [0, -1, 2**52, -(2**63) + 1])
def test_a_strange_id_of_an_update_is_still_its_name(update_id: int) -> None:
    assert identify(json.dumps({"update_id": update_id}).encode()).event_key == f"update:{update_id}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        b'{"update_id": true}',
        b'{"update_id": "7"}',
        b'{"update_id": 7.0}',
        b'{"update_id": NaN}',
        b"\xff",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"update_id": ' + b"9" * 30 + b"}",
        b'{"update_id": ' + b"9" * 9000 + b"}",
    ],
    ids=range(14),
)
def test_what_is_no_update_is_kept_under_its_digest_with_a_reason(body: bytes) -> None:
    key = identify(body)

    assert key.event_key.startswith("sha256:")
    assert key.unreadable
    assert key == identify(body)


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    assert len(identify(body).event_key) <= 200


def test_the_ingress_loads_no_package_of_the_workers() -> None:
    program = (
        "import sys, queues.channels as c; c.get('telegram').ingress; c.get('email').ingress;"
        "print(sorted({'telegram', 'requests', 'httpx', 'smtplib', 'charset_normalizer'} & set(sys.modules)))"
    )

    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=golden.ROOT
    )

    assert output.stdout.strip() == "[]"
