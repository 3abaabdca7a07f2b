"""The Bot API's errors and what each means for a delivery, row by row, each answer given by a server over real HTTP."""

from __future__ import annotations

import dataclasses
import socket
import threading
from dataclasses import replace
from typing import Any

import pytest

from models.kernel import limits
from models.ports.outbound import SendOutcome
from queues import channels
from queues.channels.telegram.bot_api import bots
from queues.channels.telegram.send import send
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.telegram.conftest import MESSAGE, SendTo
from tests.servers import Say, receiving

TOKEN_UNKNOWN = "the Bot API does not know the bot's token"
CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


def bad(text: str) -> dict[str, Any]:
    return {"kind": "400", "description": f"Bad Request: {text}"}


def forbidden(text: str) -> dict[str, Any]:
    return {"kind": "403", "description": f"Forbidden: {text}"}


def for_ever(text: str | None = None) -> dict[str, Any]:
    return {"kind": "permanent", "suppress": None, "account_error": None, "new_address": None}


def suppressed(text: str) -> dict[str, Any]:
    return {"kind": "permanent", "suppress": f"Forbidden: {text}", "account_error": None}


_BLOCKED = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked from the supergroup chat",
    "bot is not a member of the channel chat",
    "bot can't initiate conversation with a user",
)
_NEVER = (
    "chat not found",
    "CHAT_WRITE_FORBIDDEN",
    "not enough rights to send text messages to the chat",
    "file is too big",
    "message is too long",
    "have no rights to send a message",
    "TOPIC_CLOSED",
)

ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "429", "retry_after": 3}, {"kind": "throttled", "retry_after_s": 3.0, "pause_account": False}),
    (
        {"kind": "429", "retry_after": 30},
        {"kind": "throttled", "retry_after_s": 30.0, "pause_account": False},
    ),
    ({"kind": "429", "retry_after": 31}, {"kind": "throttled", "retry_after_s": 31.0, "pause_account": True}),
    *((forbidden(text), suppressed(text)) for text in _BLOCKED),
    ({"kind": "migrate", "migrate_to_chat_id": -1009}, {"kind": "transient", "new_address": "-1009"}),
    *((bad(text), for_ever()) for text in _NEVER),
    ({"kind": "401"}, {"kind": "transient", "account_error": TOKEN_UNKNOWN, "suppress": None}),
    ({"kind": "404"}, {"kind": "transient", "account_error": TOKEN_UNKNOWN, "suppress": None}),
    ({"kind": "409"}, {"kind": "transient", "account_error": CONFLICT}),
    ({"kind": "500"}, {"kind": "transient", "account_error": None, "retry_after_s": None}),
    ({"kind": "502"}, {"kind": "transient", "account_error": None}),
    ({"kind": "drop_before"}, {"kind": "unknown"}),
    ({"kind": "drop_after"}, {"kind": "unknown"}),
]


@pytest.mark.parametrize(("fault", "expected"), ROWS, ids=lambda row: str(row)[:70])
def test_each_refusal_has_its_outcome(
    sandbox: SandboxProcess, send_to: SendTo, fault: dict[str, Any], expected: dict[str, Any]
) -> None:
    sandbox.fail(method="sendMessage", **fault)

    outcome = send_to()

    assert {name: getattr(outcome, name) for name in expected} == expected
    assert outcome.detail
    assert "test-token" not in str(outcome)
    assert "700100" not in outcome.detail


def test_a_group_that_moved_to_its_own_id_is_tried_again_later(sandbox: SandboxProcess, send_to: SendTo) -> None:
    sandbox.fail("migrate", method="sendMessage", migrate_to_chat_id=700_100)

    outcome = send_to()

    assert (outcome.kind, outcome.new_address) == ("transient", None)


# What the Bot API did not like is left out, and the message arrives; the second call is the only other one.
DROPPED = [
    ("message to be replied not found", {"in_reply_to": "700100:5"}, "reply_parameters"),
    ("replied message not found", {"in_reply_to": "700100:5"}, "reply_parameters"),
    ("message thread not found", {"topic": "9"}, "message_thread_id"),
    ("can't parse entities: unsupported", {"body": "**a**", "body_format": "markdown"}, "entities"),
]


@pytest.mark.parametrize(("text", "changes", "parameter"), DROPPED, ids=[row[0] for row in DROPPED])
def test_what_the_bot_api_does_not_like_is_left_out_once(
    sandbox: SandboxProcess, send_to: SendTo, text: str, changes: dict[str, Any], parameter: str
) -> None:
    sandbox.fail("400", method="sendMessage", description=f"Bad Request: {text}")
    mended = send_to(**changes)
    (entry,) = sandbox.outbox("telegram")
    sandbox.fail("400", method="sendMessage", description=f"Bad Request: {text}", times=2)
    hopeless = send_to(**changes)

    assert mended.kind == "accepted"
    assert parameter not in entry["raw"]
    assert hopeless.kind == "permanent"
    assert len(sandbox.outbox("telegram")) == 1


@pytest.mark.parametrize(
    "text", ["message to be replied not found", "message thread not found", "can't parse entities"]
)
def test_what_is_not_there_cannot_be_left_out(sandbox: SandboxProcess, send_to: SendTo, text: str) -> None:
    sandbox.fail("400", method="sendMessage", description=f"Bad Request: {text}")

    assert send_to().kind == "permanent"
    assert sandbox.outbox("telegram") == []


def test_a_reply_a_topic_and_entities_may_be_lost_at_once(sandbox: SandboxProcess, send_to: SendTo) -> None:
    for text in ("message thread not found", "can't parse entities", "message to be replied not found"):
        sandbox.fail("400", method="sendMessage", description=f"Bad Request: {text}")

    outcome = send_to(in_reply_to="700100:5", topic="9", body="**a**", body_format="markdown")

    assert outcome.kind == "accepted"


def test_a_group_that_moved_keeps_its_topic(sandbox: SandboxProcess, send_to: SendTo) -> None:
    sandbox.fail("migrate", method="sendMessage", migrate_to_chat_id=-1009)

    assert send_to(address="-100/7").new_address == "-1009/7"


def test_an_unchanged_message_is_a_success(sandbox: SandboxProcess, send_to: SendTo) -> None:
    sent = send_to()
    sandbox.fail("400", method="editMessageText", description="Bad Request: message is not modified: exactly the same")

    assert send_to(operation="edit", sent_ids=sent.external_ids, body="y").kind == "accepted"


def test_a_read_timeout_is_ambiguous_and_is_repeated_once_at_most(
    sandbox: SandboxProcess, send_to: SendTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.2)
    sandbox.fail("hang", hang_s=2.0)

    outcome = send_to()

    assert (outcome.kind, outcome.external_id) == ("unknown", None)
    assert len(sandbox.outbox("telegram")) == 1
    assert channels.get("telegram").retries_after_unknown == 1


def test_no_free_connection_means_certainly_not_sent(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bots, "_CONNECTIONS_MAX", 1)
    monkeypatch.setattr(limits, "send_connect_timeout_s", 0.3)
    monkeypatch.setenv("NESTOR_SECRET_TEST_TOKEN", "4242:one-connection")
    sandbox.fail("hang", hang_s=1.5, chat_id=700100)
    outcomes: list[SendOutcome] = []

    def send_one(address: str) -> None:
        config = golden.settings(telegram_api_url=sandbox.bot_api_url)
        outcomes.append(send(dataclasses.replace(MESSAGE, address=address), golden.TELEGRAM, config))

    first = threading.Thread(target=send_one, args=("700100",))
    first.start()
    sandbox.wait_for_outbox(1, "telegram")  # the hanging send holds the one connection
    send_one("700200")
    first.join(10)

    assert [(one.kind, one.detail) for one in outcomes] == [
        ("transient", "no connection to the Bot API (PoolTimeout)"),
        ("accepted", ""),
    ]
    assert [entry["chat_id"] for entry in sandbox.outbox("telegram")] == [700100]


def test_a_server_that_is_away_is_certainly_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("NESTOR_SECRET_TEST_TOKEN", "4242:test-token")

    outcome = send(MESSAGE, golden.TELEGRAM, golden.settings(telegram_api_url=f"http://127.0.0.1:{port}"))

    assert (outcome.kind, outcome.detail) == ("transient", "no connection to the Bot API (ConnectError)")


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (Say(403, b"<html>blocked by the proxy</html>"), "transient"),
        (Say(404, b"<html>not here</html>"), "transient"),
        (Say(401, b"proxy login"), "transient"),
        (Say(502, b"<html>bad gateway</html>"), "unknown"),
        (Say(200, b"<html>welcome</html>"), "unknown"),
        (Say(200, b'{"ok": true, "result": {"strange": 1}}'), "unknown"),
        (Say(302, b"", {"location": "https://elsewhere.example.test"}), "unknown"),
        (Say(cut=True), "unknown"),
    ],
    ids=str,
)
def test_an_answer_that_is_not_the_bot_apis_own_never_suppresses_nor_fails_for_good(
    monkeypatch: pytest.MonkeyPatch, say: Say, kind: str
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_TOKEN", "4242:test-token")
    with receiving() as server:
        server.otherwise = say
        url = server.url.removesuffix("/hook")

        outcome = send(MESSAGE, golden.TELEGRAM, golden.settings(telegram_api_url=url))
        bots.close()  # its connections end with this server

    assert (outcome.kind, outcome.suppress, outcome.account_error) == (kind, None, None)
    assert "test-token" not in outcome.detail


def test_a_missing_token_can_be_corrected_and_is_shown_at_the_account(
    send_to: SendTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NESTOR_SECRET_TEST_TOKEN")

    outcome = send_to()

    assert outcome.kind == "transient"
    assert "test_token" in outcome.detail
    assert outcome.account_error == outcome.detail


def test_a_short_429_in_the_middle_is_waited_for_and_a_long_one_is_told(
    sandbox: SandboxProcess, send_to: SendTo
) -> None:
    sandbox.fail("hang", method="sendMessage", hang_s=0.0)
    sandbox.fail("429", method="sendMessage", retry_after=1)
    waited = send_to(body="x" * 5_000)
    sandbox.fail("hang", method="sendMessage", hang_s=0.0)
    sandbox.fail("429", method="sendMessage", retry_after=3_600)
    told = send_to(body="y" * 5_000)

    assert (waited.kind, len(waited.external_ids)) == ("accepted", 2)
    assert (told.partly_sent, len(told.external_ids)) == (True, 1)
    assert replace(told, kind="unknown") == told
