"""Where a message belongs: private chats, groups by the account's wish, topics, channels, business accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.ports.inbound import AddressMove, Command, Ignored, InboundMessage, Parsed, StaffMessage
from queues.channels.telegram import address
from queues.channels.telegram.address import Address
from queues.channels.telegram.parse import parse

ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
BOT = {"id": 42, "is_bot": True, "first_name": "Desk", "username": "Desk_Bot"}
GROUP = {"id": -9, "type": "supergroup", "title": "Support"}
CHANNEL = {"id": -5, "type": "channel", "title": "News"}


def account(**config: Any) -> ChannelAccount:
    return ChannelAccount("telegram", "demo", 1, {"bot_id": 42, "bot_username": "@desk_bot", **config})


def read(config: dict[str, Any], kind: Any = "message", **message: Any) -> Parsed:
    base = {"message_id": 5, "chat": GROUP, "from": ADA, "date": 1_790_000_000, "text": "It burns"}
    return parse(json.dumps({"update_id": 1, kind: base | message}).encode(), {}, account(**config))


def places(parsed: Parsed) -> tuple[str, str | None]:
    assert isinstance(parsed, InboundMessage)
    return parsed.contact_address, parsed.conversation_address


def mention(text: str, name: str, kind: str = "mention") -> dict[str, Any]:
    offset = len(text[: text.index(name)].encode("utf-16-le")) // 2
    return {"text": text, "entities": [{"type": kind, "offset": offset, "length": len(name)}]}


IN_TOPIC = {"is_topic_message": True, "message_thread_id": 3}


@pytest.mark.parametrize(
    ("config", "message", "expected"),
    [
        ({}, {}, ("-9", "-9")),
        ({}, IN_TOPIC, ("-9/3", "-9/3")),
        ({}, {"message_thread_id": 3}, ("-9", "-9")),  # a thread of answers is no topic
        ({"groups": "per_topic"}, IN_TOPIC, ("-9/3", "-9/3")),
        ({"groups": "per_user"}, {}, ("-9", "-9#7")),
        ({"groups": "per_user"}, IN_TOPIC, ("-9/3", "-9#7")),
        ({"groups": "per_user"}, {"sender_chat": CHANNEL}, ("-9", "-9#-5")),
        ({"groups": "on_mention"}, mention("🔥 help @DESK_bot", "@DESK_bot"), ("-9", "-9#7")),
        ({"groups": "off"}, {"chat": {"id": 7, "type": "private"}}, ("7", "7")),
        ({"groups": "off"}, {"chat": {"id": 7}}, ("7", "7")),
        (
            {"groups": "off"},
            {"chat": GROUP | {"is_direct_messages": True}, "direct_messages_topic": {"topic_id": 7}},
            ("-9~7", "-9~7"),
        ),
        ({}, {"chat": {"id": 7, "type": "private"}, **IN_TOPIC}, ("7/3", "7/3")),
    ],
)
def test_each_kind_of_group_has_its_talks_and_answers_go_where_the_message_stood(
    config: dict[str, Any], message: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert places(read(config, **message)) == expected


def test_a_group_that_is_off_is_ignored_and_says_why() -> None:
    parsed = read({"groups": "off"})

    assert parsed == Ignored("a message in a group; this account listens to none (groups: off)")


@pytest.mark.parametrize(
    ("message", "is_heard"),
    [
        ({}, False),
        (mention("help @desk_bot", "@desk_bot"), True),
        ({"text": "help @desk_bot"}, False),  # unmarked: part of an address, a program, a quotation
        (mention("help @desk_bot2", "@desk_bot2"), False),
        (mention("/status@desk_bot", "/status@desk_bot", "bot_command"), True),
        (mention("/frob@desk_bot now", "/frob@desk_bot", "bot_command"), True),
        (mention("/frob@other_bot now", "/frob@other_bot", "bot_command"), False),
        ({"text": "Desk!", "entities": [{"type": "text_mention", "offset": 0, "length": 4, "user": BOT}]}, True),
        ({"text": "Ada!", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": ADA}]}, False),
        ({"reply_to_message": {"message_id": 1, "from": BOT}}, True),
        ({"reply_to_message": {"message_id": 1, "from": ADA}}, False),
        ({"reply_to_message": {"message_id": 1, "from": BOT | {"id": 43}}}, False),
        (
            {
                "text": None,
                "photo": [],
                "caption": "@desk_bot",
                "caption_entities": [{"type": "mention", "offset": 0, "length": 9}],
            },
            True,
        ),
        ({"entities": [{"type": "mention", "offset": -1, "length": 10**9}, 7, {"type": "mention"}]}, False),
    ],
)
def test_on_mention_reads_mentions_answers_and_commands_to_it(message: dict[str, Any], is_heard: bool) -> None:
    parsed = read({"groups": "on_mention"}, **message)

    assert isinstance(parsed, InboundMessage | Command) == is_heard
    if not is_heard:
        assert parsed == Ignored("a message in a group that does not mention the bot (groups: on_mention)")


def test_an_account_that_does_not_name_its_bot_reads_answers_to_any() -> None:
    nameless = {"groups": "on_mention", "bot_id": None, "bot_username": None}

    assert isinstance(read(nameless, reply_to_message={"message_id": 1, "from": BOT}), InboundMessage)
    assert isinstance(read(nameless, **mention("help @desk_bot", "@desk_bot")), Ignored)


def test_a_bot_is_known_by_its_name_where_the_account_gives_no_id() -> None:
    by_name = {"groups": "on_mention", "bot_id": None}

    assert isinstance(read(by_name, reply_to_message={"message_id": 1, "from": BOT}), InboundMessage)
    assert read({"bot_id": None}, **{"from": BOT}) == Ignored("the message is our own bot's")


def test_channel_posts_make_tickets_only_where_the_account_wants_them() -> None:
    post = {"chat": CHANNEL, "from": None, "sender_chat": CHANNEL, "author_signature": "Grace"}

    for kind in ("channel_post", "edited_channel_post"):
        assert isinstance(read({}, kind, **post), Ignored)
        parsed = read({"channel_posts": "ticket"}, kind, **post)
        assert isinstance(parsed, InboundMessage)
        assert (parsed.author_address, parsed.author_name, parsed.conversation_address) == (
            "-5",
            "News",
            "-5",
        )
        assert parsed.details["signature"] == "Grace"
        assert parsed.edit == (kind == "edited_channel_post")


def test_a_channels_post_that_telegram_copied_to_its_group_is_nobodys_request() -> None:
    copied = {
        "is_automatic_forward": True,
        "sender_chat": CHANNEL,
        "from": {"id": 777000, "first_name": "Telegram"},
    }

    assert isinstance(read({}, **copied), Ignored)
    parsed = read({"channel_posts": "ticket"}, **copied)
    assert isinstance(parsed, InboundMessage)
    assert parsed.automatic == "bulk"


def test_the_staffs_group_opens_no_tickets() -> None:
    assert isinstance(read({"staff": {"chat_id": -9}}), StaffMessage)
    assert isinstance(read({"staff": {"chat_id": -10}}), InboundMessage)


def test_a_message_of_a_topic_does_not_answer_the_topics_opening() -> None:
    opening = {"message_id": 3, "forum_topic_created": {"name": "Printers"}}
    parsed = read({}, **IN_TOPIC, reply_to_message=opening)

    assert isinstance(parsed, InboundMessage)
    assert parsed.references == ()
    assert parsed.details["topic"] == {"id": 3, "name": "Printers"}
    assert "reply_to" not in parsed.details


@pytest.mark.parametrize(
    ("chat", "message", "expected"),
    [
        (-4, {"migrate_to_chat_id": -9}, AddressMove("-4", "-9")),
        (-9, {"migrate_from_chat_id": -4}, AddressMove("-4", "-9")),
        (-9, {"migrate_to_chat_id": -9}, None),
        (-9, {"migrate_to_chat_id": "x", "migrate_from_chat_id": True}, None),
    ],
)
def test_a_migration_is_read_from_either_group(
    chat: int, message: dict[str, Any], expected: AddressMove | None
) -> None:
    parsed = read({"groups": "off"}, chat={"id": chat, "type": "group"}, **message)

    assert parsed == expected if expected else not isinstance(parsed, AddressMove)


def test_a_business_accounts_chat_is_another_one_than_the_bots_own_with_the_same_person() -> None:
    business = {"chat": {"id": 7, "type": "private"}, "business_connection_id": "c_1"}
    theirs = read({}, "business_message", **business)
    own = read({}, "business_message", **business | {"from": ADA | {"id": 8}})

    assert isinstance(theirs, InboundMessage)
    assert places(theirs) == ("7@c_1", "7@c_1")
    assert theirs.external_id == "7@c_1:5"
    assert theirs.details["business_connection_id"] == "c_1"
    assert isinstance(own, Ignored)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("7", Address(7)),
        ("-1009/3", Address(-1009, topic=3)),
        ("-1009~7", Address(-1009, direct=7)),
        ("7@a_B-9", Address(7, business="a_B-9")),
    ],
)
def test_an_address_is_written_as_it_is_read(written: str, parts: Address) -> None:
    assert address.read(written) == parts
    assert str(parts) == written


@pytest.mark.parametrize("written", ["", "x", "7/", "7/x", "7#8", "7/3/4", "+7", "7" * 30, "7@", "7@a:b", "٧", "7\n"])
def test_what_is_no_address_is_none(written: str) -> None:
    assert address.read(written) is None
