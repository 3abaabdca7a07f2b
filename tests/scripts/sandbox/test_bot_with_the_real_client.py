"""python-telegram-bot must not be able to tell the sandbox from the Bot API."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from scripts.sandbox.client import SandboxProcess

WithBot = Callable[..., Any]
ADA = 1001
GROUP = -1001234


async def _greet(bot: Bot) -> Message:
    return await bot.send_message(ADA, "Hello Ada")


def test_a_sent_message_comes_back_as_telegram_returns_it_and_stands_in_the_outbox(
    sandbox: SandboxProcess, with_bot: WithBot
) -> None:
    async def send(bot: Bot) -> Message:
        return await bot.send_message(
            ADA,
            "  Hello \U0001f99c Ada  ",
            entities=[MessageEntity("bold", offset=11, length=3)],
            reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("5", callback_data="c:token:5")]]),
        )

    message = with_bot(send)

    assert message.text == "Hello \U0001f99c Ada"
    assert message.parse_entities() == {MessageEntity("bold", offset=9, length=3): "Ada"}
    assert message.chat.type == "private"
    assert message.from_user.is_bot
    assert message.reply_markup.inline_keyboard[0][0].callback_data == "c:token:5"
    (entry,) = sandbox.outbox("telegram")
    assert (entry["method"], entry["chat_id"], entry["text"]) == ("sendMessage", ADA, message.text)
    assert entry["message_id"] == message.message_id


def test_message_ids_increase_and_a_reply_carries_its_original(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def converse(bot: Bot) -> list[Message]:
        first = await bot.send_message(ADA, "one")
        reply = ReplyParameters(first.message_id)
        return [first, await bot.send_message(ADA, "two", reply_parameters=reply)]

    first, second = with_bot(converse)

    assert second.message_id > first.message_id
    assert second.reply_to_message.text == "one"


def test_a_message_to_a_topic_of_a_supergroup_says_so(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    message = with_bot(lambda bot: bot.send_message(-1001234567890, "Hi", message_thread_id=7))

    assert message.chat.type == "supergroup"
    assert (message.message_thread_id, message.is_topic_message) == (7, True)


def test_an_edit_changes_the_message_and_an_edit_to_the_same_is_refused(
    sandbox: SandboxProcess, with_bot: WithBot
) -> None:
    async def edit(bot: Bot) -> Message | bool:
        sent = await _greet(bot)
        edited = await bot.edit_message_text("Bye Ada", ADA, sent.message_id)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_text("Bye Ada", ADA, sent.message_id)
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("Bye Ada", ADA, 5)
        return edited

    edited = with_bot(edit)

    assert edited.text == "Bye Ada"
    assert edited.edit_date is not None
    assert [entry["text"] for entry in sandbox.outbox()] == ["Hello Ada", "Bye Ada"]


def test_a_keyboard_is_taken_away_and_a_message_is_deleted_once(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def act(bot: Bot) -> Message | bool:
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Close", callback_data="close")]])
        sent = await bot.send_message(ADA, "Done?", reply_markup=keyboard)
        edited = await bot.edit_message_reply_markup(ADA, sent.message_id)
        assert await bot.delete_message(ADA, sent.message_id)
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await bot.delete_message(ADA, sent.message_id)
        return edited

    assert with_bot(act).reply_markup is None


def test_a_document_and_a_photo_are_stored_and_can_be_fetched_again(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    content = bytes(range(256)) * 100 + b"\r\n--not-the-boundary\r\n"

    async def send(bot: Bot) -> tuple[Message, Message, bytes]:
        document = await bot.send_document(ADA, content, filename="счёт.pdf", caption="Your bill")
        photo = await bot.send_photo(ADA, b"\x89PNG", filename="p.png")
        assert document.document is not None
        file = await bot.get_file(document.document.file_id)
        again = await bot.send_document(ADA, document.document.file_id)
        assert again.document is not None
        return document, photo, bytes(await file.download_as_bytearray())

    document, photo, fetched = with_bot(send)

    assert fetched == content
    assert document.caption == "Your bill"
    assert (document.document.file_name, document.document.file_size) == ("счёт.pdf", len(content))
    assert photo.photo[0].file_size == 4
    stored = sandbox.outbox()[0]["files"][0]
    assert (sandbox.data_dir / "files" / stored["sha256"]).read_bytes() == content


def test_the_small_methods_answer_true(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def act(bot: Bot) -> list[bool]:
        return [
            await bot.send_chat_action(ADA, "typing"),
            await bot.answer_callback_query("77", text="Thanks"),
            await bot.set_webhook("https://desk.example.test/webhooks/telegram/demo", secret_token="s3cret"),
            await bot.delete_webhook(),
        ]

    assert with_bot(act) == [True] * 4
    assert "s3cret" not in str(sandbox.outbox())


def test_updates_are_polled_once_each_and_a_webhook_excludes_polling(
    sandbox: SandboxProcess, with_bot: WithBot
) -> None:
    for text in ("one", "two"):
        sandbox.queue_update(
            {"message": {"message_id": 1, "date": 1, "chat": {"id": ADA, "type": "private"}, "text": text}}
        )

    async def poll(bot: Bot) -> list[Any]:
        updates = await bot.get_updates(timeout=1)
        assert await bot.get_updates(offset=updates[-1].update_id + 1, timeout=0) == ()
        await bot.set_webhook("https://desk.example.test/hook", allowed_updates=["message"])
        assert (await bot.get_webhook_info()).allowed_updates == ("message",)
        with pytest.raises(Conflict):
            await bot.get_updates(timeout=0)
        return list(updates)

    assert [update.message.text for update in with_bot(poll)] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (" \n ", "Message text is empty"),
        ("a" * 4097, "Message is too long"),
        ("\U0001f99c" * 2049, "Message is too long"),
    ],
)
def test_a_text_that_telegram_refuses_is_refused_in_its_words(
    sandbox: SandboxProcess, with_bot: WithBot, text: str, complaint: str
) -> None:
    async def send(bot: Bot) -> None:
        with pytest.raises(BadRequest, match=complaint):
            await bot.send_message(ADA, text)

    with_bot(send)

    assert sandbox.outbox() == []


def test_the_longest_text_passes(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    message = with_bot(lambda bot: bot.send_message(ADA, "\U0001f99c" * 2048))

    assert len(message.text) == 2048


def test_429_becomes_retry_after_with_its_seconds_and_the_next_try_passes(
    sandbox: SandboxProcess, with_bot: WithBot
) -> None:
    sandbox.fail("429", method="sendMessage", chat_id=ADA, retry_after=3)

    async def send(bot: Bot) -> int | timedelta:
        with pytest.raises(RetryAfter) as refused:
            await _greet(bot)
        await _greet(bot)
        return refused.value.retry_after

    assert with_bot(send) == timedelta(seconds=3)
    assert len(sandbox.outbox()) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("403", Forbidden),
        ("400", BadRequest),
        ("401", InvalidToken),
        ("500", NetworkError),
        ("502", NetworkError),
    ],
)
def test_a_programmed_refusal_raises_what_the_real_one_raises(
    sandbox: SandboxProcess, with_bot: WithBot, kind: str, expected: type[Exception]
) -> None:
    sandbox.fail(kind, method="sendMessage", times=1)

    async def send(bot: Bot) -> None:
        with pytest.raises(expected):
            await _greet(bot)

    with_bot(send)

    assert sandbox.outbox() == []


def test_a_fault_hits_only_its_chat_and_only_as_often_as_told(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.fail("403", method="sendMessage", chat_id=ADA, times=2, description="Forbidden: user is deactivated")

    async def send(bot: Bot) -> None:
        await bot.send_message(2002, "to Grace")
        for _ in range(2):
            with pytest.raises(Forbidden, match="user is deactivated"):
                await _greet(bot)
        await _greet(bot)

    with_bot(send)

    assert [entry["chat_id"] for entry in sandbox.outbox()] == [2002, ADA]


def test_a_migrated_group_names_its_new_id(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.fail("migrate", chat_id=GROUP, migrate_to_chat_id=-1009876543210)

    async def send(bot: Bot) -> int:
        with pytest.raises(ChatMigrated) as moved:
            await bot.send_message(GROUP, "Hi all")
        await bot.send_message(moved.value.new_chat_id, "Hi all")
        return moved.value.new_chat_id

    assert with_bot(send) == -1009876543210


def test_a_hanging_answer_times_out_although_the_message_was_taken(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.fail("hang", method="sendMessage", hang_s=30)
    started = time.monotonic()

    async def send(bot: Bot) -> None:
        with pytest.raises(TimedOut):
            await _greet(bot)

    with_bot(send, read_timeout_s=0.3)

    assert [entry["text"] for entry in sandbox.outbox()] == ["Hello Ada"]
    assert time.monotonic() - started < 10


def test_a_short_hang_is_only_a_slow_answer(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.fail("hang", method="sendMessage", hang_s=0.2)

    assert with_bot(_greet).text == "Hello Ada"


@pytest.mark.parametrize(("kind", "delivered_count"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_is_a_network_error_whether_or_not_the_message_was_taken(
    sandbox: SandboxProcess, with_bot: WithBot, kind: str, delivered_count: int
) -> None:
    sandbox.fail(kind, method="sendMessage")

    async def send(bot: Bot) -> None:
        with pytest.raises(NetworkError) as dropped:
            await _greet(bot)
        assert not isinstance(dropped.value, BadRequest | TimedOut)

    with_bot(send)

    assert len(sandbox.outbox()) == delivered_count


def test_an_unknown_chat_and_an_unknown_token_are_refused(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.configure(unknown_chats=[ADA])

    async def send(bot: Bot) -> None:
        with pytest.raises(BadRequest, match="Chat not found"):
            await _greet(bot)
        sandbox.configure(tokens=["1:other"])
        with pytest.raises(InvalidToken):
            await bot.send_message(2002, "Hi")

    with_bot(send)


def test_the_rate_limit_answers_429_when_it_is_switched_on(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.configure(rate_limits=True)

    async def send(bot: Bot) -> int:
        sends = [_greet(bot) for _ in range(20)]
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        return sum(isinstance(outcome, RetryAfter) for outcome in outcomes)

    refused_count = with_bot(send)

    assert refused_count > 0
    assert len(sandbox.outbox()) == 20 - refused_count


def test_html_mode_becomes_entities_and_broken_html_is_refused(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def send(bot: Bot) -> Message:
        with pytest.raises(BadRequest, match="Can't parse entities: can't find end tag"):
            await bot.send_message(ADA, "<b>open", parse_mode="HTML")
        return await bot.send_message(ADA, "<b>a &lt; b</b>", parse_mode="HTML")

    message = with_bot(send)

    assert message.text == "a < b"
    assert [entity.type for entity in message.entities] == ["bold"]
