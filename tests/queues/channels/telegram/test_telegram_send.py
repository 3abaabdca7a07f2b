"""Each way in which a send to the Bot API ends, against a fake server that speaks its protocol."""

from __future__ import annotations

import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.deliveries.port import SendOutcome
from models.kernel import limits
from queues.channels.telegram import bots
from queues.channels.telegram.send import buckets, external_id, send
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.telegram.conftest import MESSAGE, SendTo


def test_a_text_arrives_as_it_was_written_and_its_id_comes_back(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    outcome = send_to()

    (entry,) = sandbox.outbox("telegram")
    assert entry["text"] == "The fire is out. <b>&"
    assert "parse_mode" not in entry["raw"]
    name = f"700100:{entry['message_id']}"
    assert outcome == SendOutcome("accepted", external_id=name, external_ids=(name,))


def test_the_answer_is_linked_to_the_message_of_the_same_chat_only(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    first = send_to()

    send_to(in_reply_to=first.external_id)
    send_to(in_reply_to="700200:9")

    _, answer, other = sandbox.outbox("telegram")
    assert f"700100:{answer['message']['reply_to_message']['message_id']}" == first.external_id
    assert "reply_parameters" not in other["raw"]


def test_an_answer_to_a_deleted_message_is_sent_all_the_same(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    assert send_to(in_reply_to="700100:1").kind == "accepted"


def test_a_long_text_arrives_in_parts_in_order(send_to: SendTo, sandbox: SandboxProcess) -> None:
    body = "\n".join(f"{number} 🔥🔥🔥🔥🔥🔥🔥🔥" for number in range(500))

    outcome = send_to(body=body)

    entries = sandbox.outbox("telegram")
    assert len(entries) == 3
    assert "\n".join(entry["text"] for entry in entries) == body
    assert outcome.external_id == f"700100:{entries[0]['message_id']}"


def test_a_later_part_that_fails_leaves_the_outcome_open_and_says_which(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    # The first request takes the first fault: it is answered late, but well.
    sandbox.fail("hang", method="sendMessage", hang_s=0.0)
    sandbox.fail("500", method="sendMessage")

    outcome = send_to(body="x" * 5_000)

    (entry,) = sandbox.outbox("telegram")
    assert outcome.partly_sent
    assert outcome.detail == "1 of its messages arrived, the next failed: Internal Server Error"
    assert outcome.external_ids == (f"700100:{entry['message_id']}",)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "429", "retry_after": 3}, {"kind": "throttled", "retry_after_s": 3.0, "pause_account": False}),
        ({"kind": "429", "retry_after": 31}, {"kind": "throttled", "retry_after_s": 31.0, "pause_account": True}),
        ({"kind": "403"}, {"kind": "permanent", "suppress": "Forbidden: bot was blocked by the user"}),
        ({"kind": "400"}, {"kind": "permanent", "suppress": None}),
        ({"kind": "400", "description": "Bad Request: CHAT_WRITE_FORBIDDEN"}, {"kind": "permanent"}),
        ({"kind": "migrate", "migrate_to_chat_id": -1009}, {"kind": "transient", "new_address": "-1009"}),
        ({"kind": "401"}, {"kind": "permanent", "suppress": None}),
        ({"kind": "404"}, {"kind": "permanent"}),
        ({"kind": "409"}, {"kind": "transient"}),
        ({"kind": "500"}, {"kind": "transient"}),
        ({"kind": "502"}, {"kind": "transient"}),
        ({"kind": "drop_before"}, {"kind": "unknown"}),
        ({"kind": "drop_after"}, {"kind": "unknown"}),
    ],
    ids=str,
)  # fmt: skip
def test_each_failure_has_its_documented_outcome(
    send_to: SendTo, sandbox: SandboxProcess, fault: dict[str, Any], expected: dict[str, Any]
) -> None:
    sandbox.fail(method="sendMessage", **fault)

    outcome = send_to()

    assert {name: getattr(outcome, name) for name in expected} == expected
    assert outcome.detail
    assert "test-token" not in str(outcome)
    assert "700100" not in outcome.detail


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open(
    send_to: SendTo, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.2)
    sandbox.fail("hang", hang_s=2.0)

    outcome = send_to()

    assert outcome.kind == "unknown"
    assert len(sandbox.outbox("telegram")) == 1


def test_a_server_that_is_away_is_certainly_not_sent_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NESTOR_SECRET_TEST_TOKEN", "4242:test-token")
        outcome = send(MESSAGE, golden.TELEGRAM, golden.settings(telegram_api_url=f"http://127.0.0.1:{port}"))

    assert (outcome.kind, outcome.detail) == ("transient", "no connection to the Bot API (ConnectError)")


def test_a_missing_token_is_said_and_can_be_mended(
    send_to: SendTo, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NESTOR_SECRET_TEST_TOKEN")

    outcome = send_to()

    assert outcome.kind == "transient"
    assert "test_token" in outcome.detail


@pytest.mark.parametrize("changes", [{"address": "@somebody"}, {"address": "7" * 30}, {"body": " \n "}])
def test_what_can_never_be_sent_is_permanent_at_once(
    send_to: SendTo, sandbox: SandboxProcess, changes: dict[str, str]
) -> None:
    assert send_to(**changes).kind == "permanent"
    assert sandbox.outbox("telegram") == []


def test_many_threads_share_one_bot_and_a_closed_one_starts_anew(
    send_to: SendTo, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: send_to(address=str(number)), range(1, 41)))
    bots.close()
    outcomes.append(send_to())

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert len(sandbox.outbox("telegram")) == 41
    assert "test-token" not in caplog.text


def test_a_bot_and_each_chat_have_their_limits() -> None:
    bot, chat = buckets(golden.TELEGRAM, "700100")
    _, group = buckets(golden.TELEGRAM, "-1009")

    assert (bot.name, bot.every_s) == ("telegram:demo", 0.04)
    assert (chat.name, chat.every_s, chat.burst) == ("telegram:demo:700100", 1.0, 3)
    assert (group.name, group.every_s) == ("telegram:demo:-1009", 3.0)
    assert external_id(golden.TELEGRAM, "m", 7) is None
