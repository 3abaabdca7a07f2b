"""Commands to the desk: in private chats, and in groups when they name the bot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Command, Ignored, InboundMessage, Parsed
from queues.channels.telegram.parse import parse

ACCOUNT = ChannelAccount(
    "telegram", "demo", 1, {"bot_username": "desk_bot", "commands": {"hours": {"text": {"en": "9 to 5"}}}}
)
PRIVATE, GROUP = {"id": 7, "type": "private"}, {"id": -9, "type": "supergroup"}


def read(text: str, *, kind: str = "message", marked: bool = True, **message: Any) -> Parsed:
    entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    base = {
        "message_id": 5,
        "chat": PRIVATE,
        "from": {"id": 7, "first_name": "Ada", "language_code": "ru"},
        "text": text,
        **({"entities": entities} if marked else {}),
    }
    return parse(json.dumps({"update_id": 1, kind: base | message}).encode(), {}, ACCOUNT)


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/start", "start", ""),
        ("/start@desk_bot", "start", ""),
        ("/START", "start", ""),
        ("/start a-B_1", "start", "a-B_1"),
        ("/start  " + "x" * 64 + "\n", "start", "x" * 64),
        ("/new", "new", ""),
        ("/new   \n", "new", ""),
        ("/status", "status", ""),
        ("/close", "close", ""),
        ("/lang ru", "lang", "ru"),
        ("/lang\nru", "lang", "ru"),
        ("/help", "help", ""),
        ("/hours", "hours", ""),
        ("/hours on Monday", "hours", "on Monday"),
    ],
)
def test_a_command_is_read_with_its_argument(text: str, name: str, argument: str) -> None:
    assert read(text) == Command(
        name=name,
        argument=argument,
        author_address="7",
        author_name="Ada",
        chat_address="7",
        conversation_address="7",
        external_id="7:5",
        locale="ru",
    )


@pytest.mark.parametrize(
    "text",
    [
        "/started",
        "/start my printer burns",
        "/start " + "x" * 65,
        "/stop",
        "/",
        "/new-printer",
        "/etc/passwd is readable",
        "/status@other_bot",
        " /statuses",
        "what does /status do",
    ],
)
def test_what_is_no_command_of_ours_is_a_message_like_any_other(text: str) -> None:
    parsed = read(text)

    assert isinstance(parsed, InboundMessage)
    assert parsed.body == text


def test_a_slash_that_telegram_does_not_mark_as_a_command_is_only_a_slash() -> None:
    bold = [{"type": "bold", "offset": 0, "length": 7}]

    assert isinstance(read("/status", entities=bold), InboundMessage)
    assert isinstance(read("/status", marked=False), Command)  # a program that marks nothing


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/status@desk_bot", Command),
        ("/status@Desk_Bot", Command),
        ("/status", InboundMessage),
        ("/status@other_bot", Ignored),
        ("/frob@desk_bot", InboundMessage),
    ],
)
def test_among_others_only_a_command_to_the_bot_is_one(text: str, kind: type[Any]) -> None:
    parsed = read(text, chat=GROUP)

    assert isinstance(parsed, kind)
    if isinstance(parsed, Command):
        assert (parsed.chat_address, parsed.author_address) == ("-9", "7")


def test_a_new_ticket_with_words_is_a_message_without_the_command() -> None:
    text = "/new 🔥 the printer burns"
    entities = [
        {"type": "bot_command", "offset": 0, "length": 4},
        {"type": "bold", "offset": 12, "length": 7},
    ]

    parsed = read(text, entities=entities)

    assert isinstance(parsed, InboundMessage)
    assert parsed.new_ticket
    assert parsed.body == "🔥 the printer burns"
    assert parsed.body_html == "🔥 the <b>printer</b> burns"


def picture(caption: str) -> Parsed:
    message = {
        "message_id": 5,
        "chat": PRIVATE,
        "from": {"id": 7, "first_name": "Ada"},
        "photo": [{"file_id": "a", "file_unique_id": "u", "width": 1, "height": 1}],
        "caption": caption,
        "caption_entities": [{"type": "bot_command", "offset": 0, "length": len(caption.split()[0])}],
    }
    return parse(json.dumps({"update_id": 1, "message": message}).encode(), {}, ACCOUNT)


@pytest.mark.parametrize(
    ("caption", "body", "is_new"),
    [
        ("/new", "[photo]", True),
        ("/new The lift", "The lift", True),
        ("/close", "/close", False),  # only /new is a command here: no file goes with a command
    ],
)
def test_a_picture_is_not_lost_with_the_command_under_it(caption: str, body: str, is_new: bool) -> None:
    parsed = picture(caption)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.body, parsed.new_ticket, len(parsed.attachments)) == (body, is_new, 1)


def test_an_edit_obeys_no_command_again() -> None:
    assert isinstance(read("/close", kind="edited_message"), Ignored)
    edited = read("/new It still burns", kind="edited_message")
    assert isinstance(edited, InboundMessage)
    assert (edited.body, edited.edit, edited.new_ticket) == ("It still burns", True, False)


def test_a_machine_is_not_obeyed() -> None:
    bot = {"id": 43, "is_bot": True, "first_name": "Other"}

    message: Any = {"chat": GROUP, "from": bot}
    parsed = read("/status@desk_bot", **message)

    assert isinstance(parsed, InboundMessage)
    assert parsed.automatic == "bulk"


def test_a_link_for_a_person_joins_no_chat_in_whose_name_somebody_wrote() -> None:
    anonymous: dict[str, Any] = {
        "chat": GROUP,
        "sender_chat": GROUP,
        "from": {"id": 1087968824, "is_bot": True},
    }

    assert isinstance(read("/start@desk_bot a-B_1", **anonymous), Ignored)
    assert isinstance(read("/start@desk_bot", **anonymous), Command)
