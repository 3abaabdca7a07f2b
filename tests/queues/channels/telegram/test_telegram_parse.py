"""Telegram updates become messages, whatever their shape."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Message

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Command, Ignored, InboundMessage, ReachabilityChange, Unparseable
from queues.channels.telegram import address
from queues.channels.telegram.bot_api import updates
from queues.channels.telegram.parse import parse
from queues.channels.telegram.reading import content
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


@pytest.mark.parametrize(
    ("contact", "known"),
    [
        ({"phone_number": "+4930123", "user_id": 7}, {"phone": "+4930123"}),
        ({"phone_number": "+4930123", "user_id": 8}, None),
        ({"phone_number": "+4930123"}, None),
    ],
)
def test_the_own_contact_of_the_author_tells_their_phone_number(contact: dict[str, Any], known: Any) -> None:
    assert read(contact={"first_name": "Ada", **contact}).details.get("author_fields") == known


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
    message = read(**{"text": "x", "from": {"id": 7, "first_name": "A\u202eda\x00\n", "last_name": "L" * 1000}})

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


FIELDS = sorted({*content.KINDS, *Message.__slots__, "from", "forward_from", "hologram"} - {"from_user"})
# What our own readers look into; other JSON rarely has these names.
NAMES = [
    "id",
    "type",
    "text",
    "entities",
    "offset",
    "length",
    "url",
    "user",
    "chat",
    "message",
    "message_id",
    "data",
    "from",
    "status",
    "new_chat_member",
    "new_reaction",
    "emoji",
    "photo",
    "file_id",
    "file_unique_id",
    "file_name",
    "file_size",
    "mime_type",
    "width",
    "paid_media",
    "options",
    "tasks",
    "title",
    "latitude",
    "origin",
    "sender_user",
    "date",
    "message_ids",
    "business_connection_id",
    "forum_topic_created",
    "media",
    "first_name",
    "username",
    "is_bot",
    "topic_id",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["private", "text_link", "bold", "/new a", "/start", "@desk_bot", "b:x:1", "\ud800", "\x00"]),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), children, max_size=5)
    ),
    max_leaves=12,
)
IDS = st.integers(min_value=-(2**70), max_value=2**70) | JSON
KINDS = [
    *updates.MESSAGES,
    *updates.UNUSED,
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "deleted_business_messages",
]
ACCOUNTS = st.builds(
    lambda **config: ChannelAccount("telegram", "demo", 1, config),
    groups=st.sampled_from(["off", "per_topic", "per_user", "on_mention"]),
    channel_posts=st.sampled_from(["off", "ticket"]),
    bot_username=st.sampled_from([None, "desk_bot"]),
    bot_id=st.sampled_from([None, 42]),
)


def check(raw: bytes, account: ChannelAccount) -> None:
    """Read it as a worker does: it is refused in words, or storable."""
    try:
        parsed = parse(raw, {}, account)
    except Unparseable:
        return
    golden.storable(parsed)
    assert parsed == parse(raw, {}, account)
    if isinstance(parsed, Ignored):
        assert parsed.reason.strip()
    if isinstance(parsed, InboundMessage | Command | ReachabilityChange):
        place = parsed.address if isinstance(parsed, ReachabilityChange) else None
        where = place or (parsed.chat_address if isinstance(parsed, Command) else parsed.contact_address)  # type: ignore[union-attr]
        assert address.read(where) is not None


@settings(max_examples=400)
@given(
    kind=st.sampled_from(KINDS),
    holder=st.fixed_dictionaries(
        {},
        optional={
            "chat": st.fixed_dictionaries(
                {"id": IDS}, optional={"type": st.sampled_from(["private", "channel", "group"])}
            )
            | JSON,
            "message_id": IDS,
            "from": st.fixed_dictionaries({"id": IDS}) | JSON,
            "text": st.sampled_from(["", " ", "/new x", "a🔥b", "/status@desk_bot"]) | JSON,
            "entities": st.lists(st.fixed_dictionaries({"type": JSON, "offset": IDS, "length": IDS}), max_size=4)
            | JSON,
        },
    ),
    members=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
    account=ACCOUNTS,
)
def test_any_shape_is_read_or_refused_in_words(
    kind: str, holder: dict[str, Any], members: dict[str, Any], account: ChannelAccount
) -> None:
    check(json.dumps({"update_id": 1, kind: members | holder}).encode(), account)


@given(JSON, st.sampled_from(KINDS), ACCOUNTS)
def test_any_json_is_read_or_refused_in_words(value: Any, kind: str, account: ChannelAccount) -> None:
    check(json.dumps(value).encode(), account)
    check(json.dumps({"update_id": value, kind: value}).encode(), account)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    check(raw, golden.TELEGRAM)


@given(st.sampled_from(golden.fixtures("telegram")), st.data())
def test_a_recorded_update_with_one_member_changed_is_read_or_refused_in_words(
    fixture: Path, data: st.DataObject
) -> None:
    update = json.loads(fixture.read_bytes())
    holder = update
    while True:
        key = data.draw(st.sampled_from(sorted(holder)))
        inner = holder[key]
        if not isinstance(inner, dict) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    holder[key] = data.draw(JSON)

    check(json.dumps(update).encode(), golden.TELEGRAM)


def test_an_album_is_one_group_of_messages_in_one_chat() -> None:
    photo = [{"file_id": "a", "width": 1, "height": 1}]

    first = read(photo=photo, media_group_id="77")
    second = read(photo=photo, media_group_id="77", caption="Before and after")

    assert first.group_key == second.group_key == "7:77"
    assert "caption" not in first.details
    assert (second.body, second.details["caption"]) == ("Before and after", True)


def test_a_file_that_is_listed_twice_is_one_attachment() -> None:
    file = {"file_id": "a", "file_unique_id": "u", "mime_type": "VIDEO/MP4", "file_size": -5}

    (attachment,) = read(animation=file, document=file | {"file_id": "b"}, video=file | {"file_id": "c"}).attachments

    assert (attachment.provider_id, attachment.provider_key) == ("a", "u")
    assert (attachment.content_type, attachment.size_bytes) == ("video/mp4", 0)


@pytest.mark.parametrize(
    ("told", "filename"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\bill.pdf", "bill.pdf"),
        ("a\x00\u202eb.pdf", "a b.pdf"),
        ("..", "document-1970-01-01-5.bin"),
        ("/", "document-1970-01-01-5.bin"),
        (7, "7"),
        (None, "document-1970-01-01-5.bin"),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_a_files_name_is_safe_to_show_and_to_store(told: object, filename: str) -> None:
    (attachment,) = read(document={"file_id": "a", "file_name": told}).attachments

    assert attachment.filename == filename


def test_many_files_and_many_options_are_bounded() -> None:
    media = [{"type": "video", "video": {"file_id": f"f{number}"}} for number in range(10_000)]
    tasks = [{"id": number, "text": "x" * 1_000} for number in range(10_000)]

    paid, checklist = read(paid_media={"paid_media": media}), read(checklist={"title": "x", "tasks": tasks})

    assert len(paid.attachments) == 30
    assert len(checklist.body) < 20_000
    assert len(json.dumps(dict(checklist.details))) < 20_000


def test_a_megabyte_of_odd_members_costs_little() -> None:
    raw = update(text="x" * 300_000, **{f"k{number}": [number] * 5 for number in range(20_000)})

    begun = time.process_time()
    parse(raw, {}, golden.TELEGRAM)

    assert time.process_time() - begun < 1.0
