"""Texts: where they go, what they look like and what goes with them, against a fake server that speaks the Bot API's
protocol.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from models.ports.outbound import Button, SendOutcome
from queues.channels.telegram.bot_api import bots
from queues.channels.telegram.send import buckets, send
from queues.channels.telegram.writing import carrier
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.telegram.conftest import MESSAGE, SendTo


def test_a_text_arrives_as_it_was_written_and_its_id_comes_back(send_to: SendTo, sandbox: SandboxProcess) -> None:
    outcome = send_to()

    (entry,) = sandbox.outbox("telegram")
    assert entry["text"] == "The fire is out. <b>&"
    assert "parse_mode" not in entry["raw"]
    name = f"700100:{entry['message_id']}"
    assert outcome == SendOutcome("accepted", external_id=name, external_ids=(name,))


def test_the_answer_is_linked_to_the_message_of_the_same_chat_only(send_to: SendTo, sandbox: SandboxProcess) -> None:
    first = send_to()

    send_to(in_reply_to=first.external_id)
    send_to(in_reply_to="700200:9")

    _, answer, other = sandbox.outbox("telegram")
    assert f"700100:{answer['message']['reply_to_message']['message_id']}" == first.external_id
    assert "reply_parameters" not in other["raw"]


def test_an_answer_to_a_deleted_message_is_sent_all_the_same(send_to: SendTo, sandbox: SandboxProcess) -> None:
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


@pytest.mark.parametrize("changes", [{"address": "@somebody"}, {"address": "7" * 30}, {"body": " \n "}])
def test_what_can_never_be_sent_is_permanent_at_once(
    send_to: SendTo, sandbox: SandboxProcess, changes: dict[str, str]
) -> None:
    assert send_to(**changes).kind == "permanent"
    assert sandbox.outbox("telegram") == []


def test_many_threads_share_one_bot_and_a_closed_one_starts_again(
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
    assert buckets(golden.TELEGRAM, "-1009/7") == buckets(golden.TELEGRAM, "-1009"), "topics share their group's"


def test_markdown_arrives_as_entities_in_each_part(send_to: SendTo, sandbox: SandboxProcess) -> None:
    body = "**" + "🔥 fire " * 600 + "end** [see](https://x.test)"

    send_to(body=body, body_format="markdown")

    entries = sandbox.outbox("telegram")
    assert len(entries) == 2
    kinds = [[entity["type"] for entity in entry["message"]["entities"]] for entry in entries]
    assert kinds == [["bold"], ["bold", "text_link"]]
    assert all("parse_mode" not in entry["raw"] for entry in entries)


def test_text_without_a_format_has_no_entities(send_to: SendTo, sandbox: SandboxProcess) -> None:
    send_to(body="plain", body_format="markdown")

    assert set(sandbox.outbox("telegram")[0]["raw"]) == {"chat_id", "text"}


@pytest.mark.parametrize(
    ("changes", "raw"),
    [
        ({"address": "-1001234567890/7"}, {"chat_id": "-1001234567890", "message_thread_id": "7"}),
        ({"address": "-1001234567890", "topic": "8"}, {"message_thread_id": "8"}),
        ({"address": "-1001234567890~9"}, {"direct_messages_topic_id": "9"}),
        ({"address": "700100@biz_1"}, {"chat_id": "700100", "business_connection_id": "biz_1"}),
        ({"details": {"business_connection_id": "biz_1"}}, {"business_connection_id": "biz_1"}),
        ({"silent": True}, {"disable_notification": "True"}),
        ({"automatic": True}, {"link_preview_options": '{"is_disabled": true}'}),
    ],
    ids=str,
)
def test_the_options_of_a_message_reach_the_bot_api(
    send_to: SendTo, sandbox: SandboxProcess, changes: dict[str, Any], raw: dict[str, str]
) -> None:
    outcome = send_to(**changes)

    (entry,) = sandbox.outbox("telegram")
    sent = {name: value.lower() if value == "True" else value for name, value in entry["raw"].items()}
    assert {name: sent.get(name) for name in raw} == {k: v.lower() if v == "True" else v for k, v in raw.items()}
    assert outcome.kind == "accepted"


def test_nothing_goes_with_a_message_unasked(send_to: SendTo, sandbox: SandboxProcess) -> None:
    send_to()

    assert set(sandbox.outbox("telegram")[0]["raw"]) == {"chat_id", "text"}


def test_a_message_of_a_business_connection_is_named_and_answered_in_it(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    first = send_to(address="700100@biz_1")

    send_to(address="700100@biz_1", in_reply_to=first.external_id)
    send_to(address="700100", in_reply_to=first.external_id)

    _, answer, elsewhere = sandbox.outbox("telegram")
    assert first.external_id is not None
    assert first.external_id.startswith("700100@biz_1:")
    assert "reply_parameters" in answer["raw"]
    assert "reply_parameters" not in elsewhere["raw"]


def test_only_the_first_part_answers(send_to: SendTo, sandbox: SandboxProcess) -> None:
    first = send_to()

    send_to(body="x" * 5_000, in_reply_to=first.external_id)

    _, one, two = sandbox.outbox("telegram")
    reply = json.loads(one["raw"]["reply_parameters"])
    assert reply == {
        "message_id": int((first.external_id or "").split(":")[1]),
        "allow_sending_without_reply": True,
    }
    assert "reply_parameters" not in two["raw"]


def test_buttons_stand_row_by_row_under_the_last_part(send_to: SendTo, sandbox: SandboxProcess) -> None:
    buttons = (
        Button("Close", "tok_close"),
        *(Button("⭐" * score, "tok_rate", str(score), row=1) for score in (1, 2)),
    )

    send_to(body="x" * 5_000, buttons=buttons)

    one, two = sandbox.outbox("telegram")
    assert "reply_markup" not in one["message"]
    assert two["message"]["reply_markup"]["inline_keyboard"] == [
        [{"text": "Close", "callback_data": "b:tok_close"}],
        [{"text": "⭐", "callback_data": "b:tok_rate:1"}, {"text": "⭐⭐", "callback_data": "b:tok_rate:2"}],
    ]


def test_a_button_that_telegram_could_not_carry_is_refused_before_anything_is_sent(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    fits = send_to(buttons=(Button("ok", "t" * 60, "5"),))
    outcome = send_to(buttons=(Button("ok", "t" * 60, "55"),))

    assert fits.kind == "accepted"
    assert (outcome.kind, outcome.detail) == ("permanent", "a button carries 65 bytes; Telegram takes 64")
    assert len(sandbox.outbox("telegram")) == 1


@pytest.mark.parametrize(("address", "pause_s"), [("700100", 1.0), ("-1001234567890/7", 3.0)])
def test_the_parts_of_a_very_long_text_keep_the_chats_pace(
    send_to: SendTo, monkeypatch: pytest.MonkeyPatch, address: str, pause_s: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(carrier, "_wait", pauses.append)

    outcome = send_to(address=address, body="x" * (4_096 * 5))

    assert len(outcome.external_ids) == 5
    assert pauses == [pause_s, pause_s], "a burst of three, then one after another"


def test_an_agents_name_stands_above_the_text_if_the_account_says_so(
    sandbox: SandboxProcess,
) -> None:
    account = replace(golden.TELEGRAM, config={**golden.TELEGRAM.config, "show_agent_name": True})
    config = golden.settings(telegram_api_url=sandbox.bot_api_url)
    message = replace(MESSAGE, body="**Done**", body_format="markdown", author_name="Olga 🔥")

    sent = send(message, account, config)
    send(replace(message, automatic=True), account, config)
    send(message, golden.TELEGRAM, config)
    send(replace(message, operation="edit", sent_ids=sent.external_ids, body="Now"), account, config)

    texts = [entry["text"] for entry in sandbox.outbox("telegram")]
    assert texts == ["Olga 🔥\nDone", "Done", "Done", "Olga 🔥\nNow"]
    assert sandbox.outbox("telegram")[0]["message"]["entities"] == [
        {"type": "bold", "offset": 0, "length": 7},
        {"type": "bold", "offset": 8, "length": 4},
    ]


def test_a_blocked_bot_is_refused_until_it_is_let_in_again(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sandbox.person("block", 700_900, bot_id=4242)
    blocked = send_to(address="700900")
    sandbox.person("unblock", 700_900, bot_id=4242)
    free = send_to(address="700900")

    assert (blocked.kind, blocked.suppress) == ("permanent", "Forbidden: bot was blocked by the user")
    assert free.kind == "accepted"
