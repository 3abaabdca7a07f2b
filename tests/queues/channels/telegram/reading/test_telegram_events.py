"""Presses, reactions, blocks and deletions: what is no message, and still happened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.ports.inbound import (
    ButtonPress,
    Deletion,
    Ignored,
    Parsed,
    ReachabilityChange,
    ReactionChange,
    Unparseable,
)
from queues.channels.telegram.bot_api import updates
from queues.channels.telegram.parse import parse
from tests.queues.channels import golden

ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
PRIVATE, GROUP, CHANNEL = (
    {"id": number, "type": kind} for number, kind in ((7, "private"), (-9, "group"), (-5, "channel"))
)


def read(kind: str, value: Any) -> Parsed:
    return parse(json.dumps({"update_id": 1, kind: value}).encode(), {}, golden.TELEGRAM)


def press(data: object, **query: Any) -> Parsed:
    message = {"message_id": 5, "chat": PRIVATE, "date": 1}
    return read("callback_query", {"id": "99", "from": ADA, "message": message, "data": data} | query)


@pytest.mark.parametrize(
    ("data", "token", "value"),
    [
        ("b:tok-en_1", "tok-en_1", ""),
        ("b:tok:5", "tok", "5"),
        ("b:tok:", "tok", ""),
        ("b:" + "x" * 60, "x" * 60, ""),
    ],
)
def test_a_button_press_has_its_token_and_the_choice(data: str, token: str, value: str) -> None:
    assert press(data) == ButtonPress(
        token=token,
        value=value,
        author_address="7",
        author_name="Ada",
        chat_address="7",
        external_id="7:5",
        press_id="99",
    )


@pytest.mark.parametrize(
    "data", ["", "b:", "b", "c:tok:5", "b:tok:5:6", "b:tok 5", "b:" + "x" * 61, "B:tok", "b:tok\n", 7, None]
)
def test_another_button_is_ignored_without_its_data(data: object) -> None:
    parsed = press(data)

    assert isinstance(parsed, Ignored)
    assert "tok" not in parsed.reason


def test_a_press_without_its_message_is_known_by_its_presser_only() -> None:
    parsed = press("b:tok", message=None, inline_message_id="x")

    assert isinstance(parsed, ButtonPress)
    assert (parsed.chat_address, parsed.external_id) == ("7", None)


def test_a_press_by_nobody_is_refused() -> None:
    with pytest.raises(Unparseable):
        press("b:tok", **{"from": None})


def reaction(*kinds: object, **more: Any) -> Parsed:
    return read(
        "message_reaction",
        {"chat": PRIVATE, "message_id": 5, "user": ADA, "new_reaction": list(kinds)} | more,
    )


def test_a_reaction_has_the_present_emojis() -> None:
    custom = {"type": "custom_emoji", "custom_emoji_id": "12"}

    assert reaction(
        {"type": "emoji", "emoji": "👍"}, custom, {"type": "paid"}, {"type": "hologram"}, 7
    ) == ReactionChange("7:5", "7", "Ada", ("👍", "[custom emoji 12]", "[paid star]", "[hologram]"))
    assert reaction() == ReactionChange("7:5", "7", "Ada", ())


def test_an_anonymous_reaction_is_its_chats() -> None:
    parsed = reaction(user=None, actor_chat=CHANNEL | {"title": "News"})

    assert parsed == ReactionChange("7:5", "-5", "News", ())


@pytest.mark.parametrize("missing", [{"chat": 7}, {"message_id": "5"}, {"user": None}])
def test_a_reaction_to_nothing_or_by_nobody_is_refused(missing: dict[str, Any]) -> None:
    with pytest.raises(Unparseable):
        reaction(**missing)


@pytest.mark.parametrize(
    ("chat", "before", "now", "reachable", "reason"),
    [
        (PRIVATE, "member", {"status": "kicked"}, False, "the person blocked the bot"),
        (PRIVATE, "kicked", {"status": "member"}, True, "the person unblocked the bot"),
        (PRIVATE, "left", {"status": "member"}, True, "the person started the bot"),
        (GROUP, "left", {"status": "member"}, True, "the bot was added to the group"),
        (GROUP, "member", {"status": "left"}, False, "the bot was removed from the group"),
        (GROUP, "member", {"status": "kicked"}, False, "the bot was removed from the group"),
        (GROUP, "member", {"status": "administrator"}, True, "the bot's rights in the group changed"),
        (
            GROUP,
            "member",
            {"status": "restricted", "can_send_messages": False},
            False,
            "the bot may not write in the group",
        ),
        (GROUP, "member", {"status": "restricted", "is_member": False}, False, "the bot may not write in the group"),
        (
            GROUP,
            "restricted",
            {"status": "restricted", "can_send_messages": True},
            True,
            "the bot's rights in the group changed",
        ),
        (GROUP, "left", {"status": "emperor"}, True, "the bot was added to the group"),
        (
            CHANNEL,
            "left",
            {"status": "administrator", "can_post_messages": True},
            True,
            "the bot was added to the channel",
        ),
        (CHANNEL, "left", {"status": "administrator"}, False, "the bot may not write in the channel"),
    ],
)
def test_what_the_bot_is_in_a_chat_says_whether_it_can_write(
    chat: dict[str, Any], before: str, now: dict[str, Any], reachable: bool, reason: str
) -> None:
    parsed = read(
        "my_chat_member",
        {"chat": chat, "from": ADA, "old_chat_member": {"status": before}, "new_chat_member": now},
    )

    assert parsed == ReachabilityChange(str(chat["id"]), "7", reachable, reason)


@pytest.mark.parametrize(
    "value", [{}, {"chat": PRIVATE}, {"chat": PRIVATE, "new_chat_member": {"status": 7}}, [], None, 7]
)
def test_a_change_of_nothing_is_refused(value: object) -> None:
    with pytest.raises(Unparseable):
        read("my_chat_member", value)


def test_messages_that_were_taken_back_are_named_and_bounded() -> None:
    deleted = {
        "business_connection_id": "c",
        "chat": PRIVATE,
        "message_ids": [1, "2", True, 2**70, *range(3, 5_000)],
    }

    parsed = read("deleted_business_messages", deleted)

    assert isinstance(parsed, Deletion)
    assert parsed.external_ids[:2] == ("7@c:1", "7@c:3")
    assert len(parsed.external_ids) == 997
    assert isinstance(read("deleted_business_messages", {"chat": PRIVATE, "message_ids": 7}), Ignored)


@pytest.mark.parametrize("kind", sorted(updates.UNUSED))
@pytest.mark.parametrize("value", [{}, [], None, "x", 7])
def test_what_a_desk_has_no_use_for_is_named_whatever_its_shape(kind: str, value: object) -> None:
    parsed = read(kind, value)

    assert isinstance(parsed, Ignored)
    assert parsed.reason.startswith(f"{kind}: ")


def test_an_unknown_kind_is_named_without_its_content() -> None:
    assert read("thought\u202e_transfer", {"secret": 1}) == Ignored("unknown update kind thought _transfer; kept raw")
    assert len(getattr(read("x" * 5_000, 1), "reason")) < 100  # noqa: B009  # any of the results


def test_all_kinds_that_the_desk_acts_upon_are_asked_for() -> None:
    assert {
        *updates.MESSAGES,
        "callback_query",
        "message_reaction",
        "my_chat_member",
        "deleted_business_messages",
    } <= set(updates.ALLOWED_UPDATES)
