"""python-telegram-bot's own Bot calls each method that the desk uses, and reads what the fake answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    Update,
)
from telegram.error import BadRequest, Forbidden

from scripts.sandbox.client import SandboxError, SandboxProcess

WithBot = Callable[..., Any]
ADA = 1001
FORUM = -1001234567890
BOT = 4242
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("method", "field", "attribute"),
    [
        ("send_photo", "photo", "photo"),
        ("send_document", "document", "document"),
        ("send_audio", "audio", "audio"),
        ("send_voice", "voice", "voice"),
        ("send_video", "video", "video"),
        ("send_animation", "animation", "animation"),
        ("send_video_note", "video_note", "video_note"),
        ("send_sticker", "sticker", "sticker"),
    ],
)
def test_a_file_of_each_kind_comes_back_and_is_held_under_its_name(
    sandbox: SandboxProcess, with_bot: WithBot, method: str, field: str, attribute: str
) -> None:
    async def send(bot: Bot) -> tuple[Message, bytes]:
        message = await getattr(bot, method)(ADA, b"content")
        held = getattr(message, attribute)
        held = held[-1] if isinstance(held, tuple) else held
        await getattr(bot, method)(ADA, held.file_id)
        file = await bot.get_file(held.file_id)
        return message, bytes(await file.download_as_bytearray())

    message, content = with_bot(send)

    assert content == b"content"
    assert message.effective_attachment
    assert [entry["files"][0]["field"] for entry in sandbox.outbox()] == [field, field]


def test_places_people_polls_and_dice_are_read(with_bot: WithBot) -> None:
    async def send(bot: Bot) -> list[Message]:
        return [
            await bot.send_location(ADA, 55.75, 37.61),
            await bot.send_venue(ADA, 55.75, 37.61, "Office", "Street 1"),
            await bot.send_contact(ADA, "+100", "Ada"),
            await bot.send_poll(ADA, "Tea?", ["yes", "no"]),
            await bot.send_dice(ADA),
        ]

    location, venue, contact, poll, dice = with_bot(send)

    assert location.location.latitude == 55.75
    assert venue.venue.title == "Office"
    assert contact.contact.first_name == "Ada"
    assert [option.text for option in poll.poll.options] == ["yes", "no"]
    assert 1 <= dice.dice.value <= 6


def test_an_album_arrives_whole_with_one_group_and_its_caption(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def send(bot: Bot) -> tuple[Message, ...]:
        return await bot.send_media_group(
            ADA, [InputMediaPhoto(b"1", caption="See"), InputMediaVideo(b"2"), InputMediaPhoto(b"3")]
        )

    messages = with_bot(send)

    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["See", None, None]
    assert [entry["files"][0]["field"] for entry in sandbox.outbox()] == ["photo", "video", "photo"]


@pytest.mark.parametrize(
    ("media", "complaint"),
    [
        ([InputMediaPhoto(b"1")], "2-10 items"),
        ([InputMediaPhoto(b"1")] * 11, "Too many messages to send as an album"),
        ([InputMediaPhoto(b"1"), InputMediaDocument(b"2")], "Document can't be mixed"),
        ([InputMediaAudio(b"1"), InputMediaVideo(b"2")], "Audio can't be mixed"),
        ([InputMediaPhoto(b"1"), InputMediaPhoto(b"")], "File must be non-empty"),
    ],
)
def test_an_album_that_telegram_refuses_leaves_nothing(
    sandbox: SandboxProcess, with_bot: WithBot, media: list[Any], complaint: str
) -> None:
    async def send(bot: Bot) -> None:
        with pytest.raises(BadRequest, match=complaint):
            await bot.send_media_group(ADA, media)

    with_bot(send)

    assert sandbox.outbox() == []


def test_captions_are_edited_and_kept_apart_from_texts(with_bot: WithBot) -> None:
    async def act(bot: Bot) -> Message | bool:
        document = await bot.send_document(ADA, b"1", caption="old")
        text = await bot.send_message(ADA, "text")
        with pytest.raises(BadRequest, match="There is no text in the message to edit"):
            await bot.edit_message_text("new", ADA, document.message_id)
        with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
            await bot.edit_message_caption(ADA, text.message_id, caption="new")
        with pytest.raises(BadRequest, match="Message caption is too long"):
            await bot.edit_message_caption(ADA, document.message_id, caption="x" * 1025)
        return await bot.edit_message_caption(ADA, document.message_id, caption="new")

    assert with_bot(act).caption == "new"


def test_many_messages_are_deleted_at_once_and_missing_ones_skipped(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def act(bot: Bot) -> bool:
        ids = [(await bot.send_message(ADA, str(number))).message_id for number in range(3)]
        with pytest.raises(BadRequest, match="Too many message identifiers"):
            await bot.delete_messages(ADA, list(range(1, 102)))
        return await bot.delete_messages(ADA, [*ids, 7])

    assert with_bot(act)
    assert [entry["method"] for entry in sandbox.outbox()].count("deleteMessages") == 3


def test_messages_of_a_business_connection_are_taken_back_by_their_numbers(with_bot: WithBot) -> None:
    async def act(bot: Bot) -> bool:
        sent = await bot.send_message(ADA, "x", business_connection_id="biz")
        done = await bot.delete_business_messages("biz", [sent.message_id])
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("y", ADA, sent.message_id)
        return done

    assert with_bot(act)


def test_a_photo_may_have_ten_megabytes(with_bot: WithBot) -> None:
    async def send(bot: Bot) -> None:
        with pytest.raises(BadRequest, match="too big for a photo"):
            await bot.send_photo(ADA, bytes(10 * 1024 * 1024 + 1))

    with_bot(send)


def test_commands_are_kept_for_each_language(with_bot: WithBot) -> None:
    async def act(bot: Bot) -> list[Any]:
        await bot.set_my_commands([BotCommand("new", "A new question")])
        await bot.set_my_commands([BotCommand("new", "Новый вопрос")], language_code="ru")
        with pytest.raises(BadRequest, match=r"(?i)bot_command_invalid"):
            await bot.set_my_commands([BotCommand("NEW", "x")])
        found = [await bot.get_my_commands(language_code=code) for code in (None, "ru", "de")]
        await bot.delete_my_commands(language_code="ru")
        return [*found, await bot.get_my_commands(language_code="ru")]

    texts = [[command.description for command in commands] for commands in with_bot(act)]

    assert texts == [["A new question"], ["Новый вопрос"], [], []]


def test_chats_and_members_are_read(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.make_forum(FORUM)

    async def act(bot: Bot) -> list[Any]:
        return [
            await bot.get_chat(ADA),
            await bot.get_chat(FORUM),
            await bot.get_chat_member(FORUM, BOT),
            await bot.get_chat_member(FORUM, ADA),
        ]

    private, forum, bot_member, person = with_bot(act)

    assert (private.type, forum.is_forum) == ("private", True)
    assert (bot_member.status, bot_member.can_manage_topics) == ("administrator", True)
    assert person.status == "member"


def test_a_forums_topics_are_made_named_closed_and_gone(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.make_forum(FORUM)

    async def act(bot: Bot) -> list[int]:
        with pytest.raises(BadRequest, match="The chat is not a forum"):
            await bot.create_forum_topic(-1009, "x")
        topic = await bot.create_forum_topic(FORUM, "#7 Fire")
        thread = topic.message_thread_id
        await bot.send_message(FORUM, "inside", message_thread_id=thread)
        await bot.edit_forum_topic(FORUM, thread, name="#7 Fire, out")
        with pytest.raises(BadRequest, match=r"(?i)topic_not_modified"):
            await bot.edit_forum_topic(FORUM, thread, name="#7 Fire, out")
        await bot.close_forum_topic(FORUM, thread)
        with pytest.raises(BadRequest, match=r"(?i)topic_not_modified"):
            await bot.close_forum_topic(FORUM, thread)
        await bot.reopen_forum_topic(FORUM, thread)
        await bot.delete_forum_topic(FORUM, thread)
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(FORUM, "outside", message_thread_id=thread)
        with pytest.raises(BadRequest, match=r"(?i)topic_id_invalid"):
            await bot.close_forum_topic(FORUM, thread)
        return [thread]

    with_bot(act)

    topics = [(e["method"], e["topic"]["name"], e["topic"]["closed"]) for e in sandbox.outbox() if "topic" in e]
    assert topics == [
        ("createForumTopic", "#7 Fire", False),
        ("editForumTopic", "#7 Fire, out", False),
        ("closeForumTopic", "#7 Fire, out", True),
        ("reopenForumTopic", "#7 Fire, out", False),
        ("deleteForumTopic", "#7 Fire, out", False),
    ]


def test_topics_and_messages_outlive_a_restart(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sandbox.make_forum(FORUM)
    topic = with_bot(lambda bot: bot.create_forum_topic(FORUM, "#7"))

    sandbox.kill()
    sandbox.start()

    message = with_bot(lambda bot: bot.send_message(FORUM, "x", message_thread_id=topic.message_thread_id))
    assert message.is_topic_message


def test_reactions_are_checked(with_bot: WithBot) -> None:
    async def act(bot: Bot) -> bool:
        sent = await bot.send_message(ADA, "x")
        with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
            await bot.set_message_reaction(ADA, sent.message_id, "x")
        with pytest.raises(BadRequest, match="Message to react not found"):
            await bot.set_message_reaction(ADA, 5, "👍")
        return await bot.set_message_reaction(ADA, sent.message_id, "👍")

    assert with_bot(act)


def test_what_people_do_is_an_update_that_the_real_client_reads(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def act(bot: Bot) -> tuple[Update, ...]:
        markup = InlineKeyboardMarkup([[InlineKeyboardButton("Close", callback_data="b:tok")]])
        sent = await bot.send_message(ADA, "Done?", reply_markup=markup)
        files = [sandbox.store_file(content, filename="a.jpg") for content in (b"1", b"2")]
        said = sandbox.person("message", ADA, bot_id=BOT, text="No", name="Ada", reply_to=sent.message_id)
        sandbox.person("edit", ADA, bot_id=BOT, message_id=said[0]["message"]["message_id"], text="Yes")
        sandbox.person("files", ADA, bot_id=BOT, kind="photo", file_ids=files, caption="See")
        sandbox.person("press", ADA, bot_id=BOT, message_id=sent.message_id, label="Close")
        sandbox.person("react", ADA, bot_id=BOT, message_id=sent.message_id, emojis=["👍"])
        sandbox.person("block", ADA, bot_id=BOT)
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.send_message(ADA, "?")
        sandbox.person("unblock", ADA, bot_id=BOT)
        await bot.send_message(ADA, "again")
        return await bot.get_updates(allowed_updates=Update.ALL_TYPES)

    said, edited, first, second, pressed, reacted, blocked, unblocked = with_bot(act)

    assert (said.message.text, said.message.reply_to_message.text) == ("No", "Done?")
    assert (edited.edited_message.text, edited.edited_message.message_id) == ("Yes", said.message.message_id)
    assert first.message.media_group_id == second.message.media_group_id is not None
    assert (first.message.caption, second.message.caption) == ("See", None)
    assert (pressed.callback_query.data, pressed.callback_query.message.text) == ("b:tok", "Done?")
    assert reacted.message_reaction.new_reaction[0].emoji == "👍"
    assert blocked.my_chat_member.new_chat_member.status == "kicked"
    assert unblocked.my_chat_member.new_chat_member.status == "member"


def test_kinds_that_must_be_asked_for_come_only_then(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    async def act(bot: Bot) -> list[int]:
        counts = []
        for allowed in (None, ["message"], ["message_reaction"]):
            sent = await bot.send_message(ADA, "x")
            sandbox.person("react", ADA, bot_id=BOT, message_id=sent.message_id, emojis=["👍"])
            updates = await bot.get_updates(allowed_updates=allowed, timeout=0)
            counts.append(len(updates))
        return counts

    assert with_bot(act) == [0, 0, 1]


@pytest.mark.parametrize(
    ("action", "details", "complaint"),
    [
        ("fly", {}, "action: expected one of"),
        ("press", {"message_id": 5, "label": "x"}, "there is no message 5"),
        ("message", {}, "text: expected text"),
        ("message", {"text": "x", "reply_to": 5}, "there is no message 5 to answer"),
        ("files", {"kind": "photo", "file_ids": ["sandbox-x"]}, "no file"),
        ("files", {"kind": "hologram", "file_ids": []}, "expected a kind of"),
    ],
)
def test_what_no_person_could_do_is_refused(
    sandbox: SandboxProcess, action: str, details: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SandboxError, match=complaint):
        sandbox.person(action, ADA, bot_id=BOT, **details)


def test_a_button_that_is_not_there_cannot_be_pressed(sandbox: SandboxProcess, with_bot: WithBot) -> None:
    sent = with_bot(lambda bot: bot.send_message(ADA, "x"))

    with pytest.raises(SandboxError, match="has no such button"):
        sandbox.person("press", ADA, bot_id=BOT, message_id=sent.message_id, data="b:forged")


def test_a_reply_to_what_is_not_there_is_refused_unless_it_may_go_without(with_bot: WithBot) -> None:
    async def act(bot: Bot) -> Message:
        with pytest.raises(BadRequest, match="Message to be replied not found"):
            await bot.send_message(ADA, "x", reply_to_message_id=5)
        return await bot.send_message(ADA, "x", reply_to_message_id=5, allow_sending_without_reply=True)

    assert with_bot(act).reply_to_message is None


# The modules of the adapter that call the Bot API.
_CALLERS = {"carrier.py", "edits.py", "files.py", "pull.py", "send.py", "setup.py", "upload.py"}


def test_every_method_that_the_desk_calls_is_one_that_the_fake_knows() -> None:
    adapter = ROOT / "queues" / "channels" / "telegram"
    modules = [path for path in adapter.rglob("*.py") if path.name in _CALLERS]
    sources = "".join(path.read_text(encoding="utf-8") for path in modules)
    used = set(re.findall(r'"((?:send|edit|delete|get|set)(?:_[a-z]+)+)"', sources))
    fake = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts" / "sandbox").rglob("bot_*.py"))

    known = {name.lower() for name in re.findall(r'"((?:send|edit|delete|get|set)[A-Za-z]+)"', fake)}
    kinds = {f"send{kind}" for kind in ("photo", "document", "audio", "voice", "video", "animation")}

    assert {path.name for path in modules} == _CALLERS
    assert len(used) > 8, "the test finds the calls"
    assert {name.replace("_", "") for name in used} <= known | kinds
