"""Telegram updates become messages, whatever their shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.channels.accounts import ChannelAccount
from models.inbox.port import Ignored, InboundMessage, Unparseable
from queues.channels.telegram.parse import parse
from tests.queues.channels import golden


def update(**message: Any) -> bytes:
    base = {
        "message_id": 5,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "is_bot": False},
        "date": 1,
    }
    return json.dumps({"update_id": 1, "message": {**base, **message}}).encode()


def read(**message: Any) -> InboundMessage:
    parsed = parse(update(**message), {}, golden.TELEGRAM)
    assert isinstance(parsed, InboundMessage)
    return parsed


@pytest.mark.parametrize("fixture", golden.fixtures("telegram"), ids=lambda path: path.stem)
def test_a_recorded_update_reads_as_it_did(fixture: Path) -> None:
    parsed = parse(fixture.read_bytes(), {}, golden.TELEGRAM)

    golden.storable(parsed)
    golden.check(fixture, parsed)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"message":' * 100_000,
        b'{"message": 3}',
        b'{"message": {}}',
        b'{"message": {"chat": {"id": "7"}, "message_id": 1}}',
        b'{"message": {"chat": {"id": 7}, "message_id": null}}',
        b'{"message": {"chat": {"id": ' + b"9" * 400 + b'}, "message_id": 1}}',
        b'{"message": {"chat": {"id": ' + b"9" * 5000 + b'}, "message_id": 1}}',
    ],
    ids=lambda raw: raw[:30].decode("latin-1"),
)
def test_what_is_no_update_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(Unparseable) as refused:
        parse(raw, {}, golden.TELEGRAM)

    assert len(refused.value.message) > 15


def test_names_lose_control_characters_and_are_cut() -> None:
    message = read(
        **{"text": "x", "from": {"id": 7, "first_name": "A\u202eda\x00\n", "last_name": "L" * 1000}}
    )

    assert message.author_name.startswith("A da LLL")
    assert len(message.author_name) == 200


def test_null_and_lone_surrogates_in_a_text_are_replaced() -> None:
    assert read(text="a\x00b\ud800c").body == "a\ufffdb\ufffdc"


def test_a_text_beyond_the_limit_is_cut_and_says_so() -> None:
    body = read(text="x" * 200_000).body

    assert len(body) == 100_000
    assert body.endswith("kept whole in the received event.]")


def test_the_largest_photo_is_the_attachment_even_when_sizes_are_odd() -> None:
    sizes = [{"file_id": "a", "width": "9", "height": None}, 7, {"file_id": "b", "width": 2, "height": 3}]

    (attachment,) = read(photo=sizes).attachments

    assert attachment.provider_id == "b"
    assert attachment.filename == "photo-1970-01-01-5.jpg"


def test_messages_of_our_own_bot_are_ignored_where_the_account_names_it() -> None:
    account = ChannelAccount("telegram", "demo", 1, {"bot_id": 9})

    parsed = parse(update(**{"text": "x", "from": {"id": 9, "is_bot": True}}), {}, account)

    assert parsed == Ignored("the message is our own bot's")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=10,
)
FIELDS = [
    "text",
    "caption",
    "photo",
    "document",
    "sticker",
    "voice",
    "location",
    "venue",
    "contact",
    "poll",
    "dice",
    "from",
    "sender_chat",
    "reply_to_message",
    "date",
    "edit_date",
    "video",
    "new_chat_members",
    "animation",
    "story",
]
IDS = st.integers(min_value=-(2**70), max_value=2**70) | JSON


@given(
    kind=st.sampled_from(["message", "edited_message", "callback_query"]),
    chat=st.fixed_dictionaries({"id": IDS}) | JSON,
    message_id=IDS,
    members=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
)
def test_any_shape_is_read_or_refused_in_words(
    kind: str, chat: Any, message_id: Any, members: dict[str, Any]
) -> None:
    raw = json.dumps({"update_id": 1, kind: {"chat": chat, "message_id": message_id, **members}}).encode()

    try:
        parsed = parse(raw, {}, golden.TELEGRAM)
    except Unparseable:
        return

    golden.storable(parsed)
    assert parsed == parse(raw, {}, golden.TELEGRAM)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    try:
        parsed = parse(raw, {}, golden.TELEGRAM)
    except Unparseable:
        return

    golden.storable(parsed)
