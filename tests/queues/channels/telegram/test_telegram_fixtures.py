"""The recorded updates are what the Bot API sends, and there is one of every kind: checked against
python-telegram-bot's own types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from telegram import Message, TelegramObject, Update
from telegram.constants import MessageEntityType, UpdateType

from queues.channels.telegram.bot_api import updates
from queues.channels.telegram.reading import content, service
from tests.queues.channels import golden

FIXTURES = {path.stem: json.loads(path.read_bytes()) for path in golden.fixtures("telegram")}
# Written to be wrong, old, or newer than the library.
STRANGE = {
    "forward_before_bot_api_7",
    "poll",
    "service_of_a_known_family",
    "unknown_content",
    "unknown_update",
}


def unknown(value: object, place: str = "") -> Iterator[str]:
    """What the library found and has no name for."""
    if isinstance(value, TelegramObject):
        yield from (f"{place}.{name}" for name in value.api_kwargs)
        slots = {name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())}
        for name in sorted(slots - {"api_kwargs"}):
            if not name.startswith("_") and hasattr(value, name):
                yield from unknown(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from unknown(item, place)


@pytest.mark.parametrize("name", sorted(FIXTURES.keys() - STRANGE))
def test_a_recorded_update_has_the_shape_that_the_bot_api_documents(name: str) -> None:
    update = Update.de_json(FIXTURES[name], None)

    assert list(unknown(update)) == []


def test_there_is_a_recorded_update_of_every_kind() -> None:
    recorded = {key for update in FIXTURES.values() for key in update}

    assert {str(kind.value) for kind in UpdateType} <= recorded
    assert {str(kind.value) for kind in UpdateType} == {
        *updates.MESSAGES,
        *updates.UNUSED,
        "callback_query",
        "message_reaction",
        "my_chat_member",
        "deleted_business_messages",
    }


def _messages() -> Iterator[dict[str, Any]]:
    for update in FIXTURES.values():
        for kind in updates.MESSAGES:
            if kind in update:
                yield update[kind]


def test_there_is_a_recorded_message_of_every_content_and_service_kind() -> None:
    recorded = {key for message in _messages() for key in message}
    fields = {name for name in Message.__slots__ if not name.startswith("_")} - {"from_user"}

    missing = fields - recorded
    # Of a guest message, which is no message of ours, and what says nothing.
    assert missing <= {
        "guest_bot_caller_chat",
        "guest_bot_caller_user",
        "guest_query_id",
        "is_paid_post",
        "reply_to_poll_option_id",
        "reply_markup",
    }


def test_every_member_of_a_message_is_content_a_service_message_or_known_to_be_neither() -> None:
    fields = {name for name in Message.__slots__ if not name.startswith("_")} - {"from_user"}
    telling = {
        name
        for name in fields
        if name not in content.KINDS and service.reason({name: True}) is None and not name.startswith("migrate_")
    }

    assert content.unknown_keys(dict.fromkeys(telling, True)) == []


def test_there_is_a_recorded_text_with_every_kind_of_entity() -> None:
    recorded = {entity["type"] for message in _messages() for entity in message.get("entities", ())}

    assert {str(kind.value) for kind in MessageEntityType} <= recorded
