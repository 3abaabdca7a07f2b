"""The whole way: a desk with its real sender and poller, and Telegram played by the fake Bot API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.views import message_views
from models.attachments import queries as attachments
from models.blobs import commands as blobs
from models.channels import accounts, health
from models.conversations import queries as conversations
from models.definitions import store
from models.deliveries import corrections
from models.kernel import settings
from models.kernel.storage import database
from models.ticket_actions import answering
from queues import channels
from queues.channels.telegram import pull, send
from scripts.sandbox.client import SandboxProcess
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.models.inbound.dialogues import publish_wish

BOT = 42  # the demo bot's token is 42:demo
ADA = 700_100


@pytest.fixture
def telegram(desk: Desk, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    """The fake Bot API, to which the desk really sends."""
    monkeypatch.setenv("TELEGRAM_API_URL", sandbox.bot_api_url)
    settings.current.cache_clear()
    replace_part(monkeypatch, "sender", lambda channel: send)
    yield sandbox
    settings.current.cache_clear()


def entries(telegram: SandboxProcess, *methods: str) -> list[dict[str, Any]]:
    return [entry for entry in telegram.outbox("telegram") if not methods or entry["method"] in methods]


def run(desk: Desk) -> None:
    """All that is due, and what waits for a chat's pace."""
    desk.run_due()
    for _ in range(3):
        desk.advance(seconds=5)
        desk.run_due()


def opened(desk: Desk, chat: int = ADA, user: int | None = None) -> None:
    desk.receive_telegram("The printer is on fire.", chat=chat, user=user)
    run(desk)


def can(channel: str) -> frozenset[str]:
    return channels.get(channel).operations


def last_message(desk: Desk) -> Any:
    with database.connection():
        row = database.one(
            "SELECT id FROM messages WHERE direction = 'outbound' ORDER BY created_at DESC, id DESC LIMIT 1"
        )
    assert row is not None
    return row["id"]


def test_an_answer_is_sent_changed_and_taken_back(desk: Desk, telegram: SandboxProcess) -> None:
    opened(desk)
    telegram.clear()

    desk.command(answering.reply, desk.ticket().id, "Please **wait**.", actor=desk.person(), body_format="markdown")
    run(desk)
    message_id = last_message(desk)
    desk.command(corrections.edit, message_id, "Please **run**.", actor=desk.person(), can=can)
    run(desk)
    desk.command(corrections.delete, message_id, actor=desk.person(), can=can)
    run(desk)

    sent, edited, deleted = entries(telegram)
    assert [e["method"] for e in (sent, edited, deleted)] == [
        "sendMessage",
        "editMessageText",
        "deleteMessages",
    ]
    assert (sent["text"], edited["text"]) == ("Please wait.", "Please run.")
    assert [one["type"] for one in edited["message"]["entities"]] == ["bold"]
    assert sent["message_id"] == edited["message_id"] == deleted["message_id"]
    assert {d["state"] for d in desk.deliveries(desk.ticket())} == {"sent"}


def test_a_blocked_chat_is_seen_and_not_tried_again(desk: Desk, telegram: SandboxProcess) -> None:
    opened(desk)
    telegram.person("block", ADA, bot_id=BOT)

    desk.reply(desk.ticket(), "one")
    run(desk)
    telegram.person("unblock", ADA, bot_id=BOT)  # Telegram would take it now, but nobody told the desk
    telegram.clear()
    desk.reply(desk.ticket(), "two")
    run(desk)

    first, second = desk.deliveries(desk.ticket())[-2:]
    assert (first["state"], "blocked by the user" in first["last_error"]) == ("failed", True)
    assert (second["state"], second["attempts"]) == ("failed", 0)
    assert entries(telegram) == []


def test_a_group_that_became_a_supergroup_gets_its_answer_at_once(desk: Desk, telegram: SandboxProcess) -> None:
    opened(desk, chat=-900, user=ADA)
    telegram.fail("migrate", method="sendMessage", chat_id=-900, migrate_to_chat_id=-1_000_000_000_900)

    desk.reply(desk.ticket(), "Here?")
    run(desk)

    assert entries(telegram)[-1]["chat_id"] == -1_000_000_000_900
    assert desk.deliveries(desk.ticket())[-1]["state"] == "sent"


def test_a_desk_without_an_address_polls_answers_and_receives_the_reply(desk: Desk, telegram: SandboxProcess) -> None:
    with database.connection():
        account = accounts.find("telegram", "demo")
    polling = replace(account, config={**account.config, "delivery": "polling"})

    telegram.person("message", ADA, bot_id=BOT, text="My printer burns", name="Ada")
    pull.pull(polling, settings.current(), threading.Event(), 0)
    run(desk)
    desk.reply(desk.ticket(), "Water it.")
    run(desk)
    answer = entries(telegram, "sendMessage")[-1]
    telegram.person("message", ADA, bot_id=BOT, text="It is out", reply_to=answer["message_id"])
    pull.pull(polling, settings.current(), threading.Event(), 0)
    run(desk)

    assert answer["text"] == "Water it."
    assert desk.ticket().title.startswith("My printer burns")
    with database.connection():
        rows = database.run("SELECT body FROM messages WHERE direction = 'inbound' ORDER BY created_at, id")
    assert [row["body"] for row in rows] == ["My printer burns", "It is out"]


@pytest.mark.parametrize("fault", ["401", "404"])
def test_a_lost_token_is_shown_at_the_account_and_the_reply_goes_out_when_it_is_back(
    desk: Desk, telegram: SandboxProcess, fault: str
) -> None:
    opened(desk)
    telegram.fail(fault, method="sendMessage")

    desk.reply(desk.ticket(), "one")
    desk.advance(seconds=10)
    desk.run_due()

    waiting = desk.deliveries(desk.ticket())[-1]["state"]
    shown = health.of("telegram", "demo").error
    desk.advance(minutes=1)
    run(desk)

    assert (waiting, shown) == ("pending", "sending: the Bot API does not know the bot's token")
    assert desk.deliveries(desk.ticket())[-1]["state"] == "sent"
    assert health.of("telegram", "demo").error is None


def test_a_photo_that_its_author_replaces_is_fetched_and_the_old_one_stays_as_a_version(
    desk: Desk, telegram: SandboxProcess
) -> None:
    with database.connection():
        account = accounts.find("telegram", "demo")
    polling = replace(account, config={**account.config, "delivery": "polling"})
    first, second = (telegram.store_file(f"m{n}".encode(), filename=f"m{n}.jpg") for n in (1, 2))

    [update] = telegram.person("files", ADA, bot_id=BOT, kind="photo", file_ids=[first], caption="the bill")
    pull.pull(polling, settings.current(), threading.Event(), 0)
    run(desk)
    telegram.person("edit", ADA, bot_id=BOT, message_id=update["message"]["message_id"], kind="photo", file_id=second)
    pull.pull(polling, settings.current(), threading.Event(), 0)
    run(desk)

    with database.connection():
        rows = conversations.page(desk.ticket().id, after_sequence=0, limit=9)
        message = message_views.messages(rows)[0]
    assert (message.body, len(message.versions)) == ("the bill", 1)
    shown = [_content(one) for one in message.attachments]
    kept = [_content(one) for one in message.versions[0].attachments]
    assert (shown, kept) == ([b"m2"], [b"m1"])


def _content(file: message_views.Attachment) -> bytes:
    assert file.sha256 is not None, f"the file is {file.state}: {file.reason}"
    with database.connection():
        row = attachments.get(file.id)
    assert row["object_key"] is not None
    with blobs.open_key(row["object_key"]) as stream:
        return stream.read()


def test_a_transition_that_needs_input_is_done_in_the_chat(desk: Desk, telegram: SandboxProcess) -> None:
    publish_wish(requires=["size", "item"], confirm={"en": "Really?", "ru": "Точно?"})
    with database.transaction():
        account = accounts.find("telegram", "demo")
        body = {**account.config, "ticket_type": "wish", "workflow": "wish"}
        store.publish("channel", "telegram.demo", body, source="test", by="tests")
    store.forget()
    polling = replace(account, config={**body, "delivery": "polling"})

    def act(action: str, **details: Any) -> None:
        telegram.person(action, ADA, bot_id=BOT, name="Ada", **details)
        pull.pull(polling, settings.current(), threading.Event(), 0)
        run(desk)

    def press(label: str) -> None:
        act("press", message_id=entries(telegram, "sendMessage")[-1]["message_id"], label=label)

    act("message", text="I want a lamp")
    desk.reply(desk.ticket(), "Which one?")
    run(desk)
    press("Submit")
    asked = entries(telegram, "sendMessage")[-1]
    press("Large one")
    act("message", text="A lamp")
    press("Yes")

    assert asked["text"] == "Submit: Size?\nSmall fits a desk."
    assert (desk.ticket().state, desk.ticket().fields) == ("sent", {"size": "large", "item": "A lamp"})
    assert entries(telegram, "sendMessage")[-1]["text"] == f"Ticket #{desk.ticket().number}: Sent."
    assert desk.bodies(desk.ticket()) == ["I want a lamp"]
    store.forget()
