"""Methods that send something else than text: files, albums, places, people, polls."""

import json
from collections.abc import Callable
from typing import Any

from scripts.sandbox import limits
from scripts.sandbox.files import StoredFile
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_context import Context, Method, chat_of
from scripts.sandbox.telegram.bot_messages import Message, caption_content, inline_keyboard
from scripts.sandbox.telegram.bot_request import Call, bad_request

_PICTURE = {"width": 1, "height": 1}  # the sandbox decodes no pictures
_FIELDS = ("photo", "document", "audio", "voice", "video", "animation", "video_note", "sticker")
_WITHOUT_CAPTION = frozenset({"video_note", "sticker"})
_ALBUM_TYPES = ("photo", "video", "document", "audio")
_DICE = {"🎲": 6, "🎯": 6, "🏀": 5, "⚽": 5, "🎳": 6, "🎰": 64}


def methods(context: Context) -> list[Method]:
    sends = [
        Method(
            f"send{''.join(part.capitalize() for part in field.split('_'))}",
            _sender(context, field),
            needs_chat=True,
            is_limited=True,
        )
        for field in _FIELDS
    ]
    others: dict[str, Callable[[Call], Any]] = {
        "sendMediaGroup": lambda call: _send_album(context, call),
        "sendLocation": lambda call: context.send(call, {"location": _location(call), **inline_keyboard(call)}),
        "sendVenue": lambda call: context.send(call, {**_venue(call), **inline_keyboard(call)}),
        "sendContact": lambda call: context.send(call, {"contact": _contact(call), **inline_keyboard(call)}),
        "sendPoll": lambda call: context.send(call, {"poll": _poll(context, call), **inline_keyboard(call)}),
        "sendDice": lambda call: context.send(call, {"dice": _dice(call), **inline_keyboard(call)}),
    }
    return [*sends, *(Method(name, run, needs_chat=True, is_limited=True) for name, run in others.items())]


def _sender(context: Context, field: str) -> Callable[[Call], Message]:
    def send(call: Call) -> Message:
        stored = context.file(call, field)
        caption = {} if field in _WITHOUT_CAPTION else caption_content(call)
        content = {**medium(field, stored), **caption, **inline_keyboard(call)}
        return context.send(call, content, stored, field)

    return send


def medium(field: str, stored: StoredFile) -> JsonObject:
    """The message's field that holds the file, as the Bot API describes it; raises ApiError."""
    if field == "photo" and stored.size_bytes > limits.PHOTO_BYTES_MAX:
        raise bad_request(
            f"file of size {stored.size_bytes} bytes is too big for a photo;"
            f" the maximum size is {limits.PHOTO_BYTES_MAX} bytes"
        )
    base: JsonObject = {
        "file_id": stored.file_id,
        "file_unique_id": stored.file_unique_id,
        "file_size": stored.size_bytes,
    }
    named = {**base, "file_name": stored.filename, "mime_type": stored.content_type}
    match field:
        case "photo":
            return {"photo": [{**base, **_PICTURE}]}
        case "document":
            return {"document": named}
        case "animation":  # with a document beside it, for clients of before
            return {"animation": {**named, **_PICTURE, "duration": 1}, "document": named}
        case "video":
            return {"video": {**named, **_PICTURE, "duration": 1}}
        case "audio":
            return {"audio": {**named, "duration": 1}}
        case "voice":
            return {"voice": {**base, "mime_type": stored.content_type, "duration": 1}}
        case "video_note":
            return {"video_note": {**base, "length": 1, "duration": 1}}
        case _:
            sticker = {"type": "regular", "is_animated": False, "is_video": False}
            return {"sticker": {**base, **_PICTURE, **sticker}}


def _send_album(context: Context, call: Call) -> list[Message]:
    items = _album_items(call)
    found: list[tuple[str, StoredFile, JsonObject]] = []
    for item in items:  # all is checked before anything is sent: an album arrives whole or not at all
        stored = context.file(call, "media", str(item.get("media", "")))
        kind = str(item["type"])
        found.append((kind, stored, {**medium(kind, stored), **_item_caption(call, item)}))
    group_id = str(context.next_message_id())
    return [
        context.send(call, {**content, "media_group_id": group_id}, stored, kind) for kind, stored, content in found
    ]


def _album_items(call: Call) -> list[JsonObject]:
    """Return the checked parts of an album. Raises ApiError."""
    items = call.json("media", list, "can't parse media: expected an Array of InputMedia") or []
    if not all(isinstance(item, dict) for item in items):
        raise bad_request("can't parse InputMedia: expected an Object")
    if len(items) > limits.ALBUM_MAX:
        raise bad_request("too many messages to send as an album")
    if len(items) < limits.ALBUM_MIN:
        raise bad_request("media must include 2-10 items")
    types = {str(item.get("type")) for item in items}
    unknown = sorted(types - set(_ALBUM_TYPES))
    if unknown:
        raise bad_request(f"can't parse InputMedia: media type {unknown[0]} can't be used in album")
    for alone in ("document", "audio"):
        if alone in types and len(types) > 1:
            raise bad_request(f"{alone} can't be mixed with other media types")
    return items


def _item_caption(call: Call, item: JsonObject) -> JsonObject:
    params = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in item.items()
        if name in ("caption", "caption_entities", "parse_mode")
    }
    return caption_content(Call(call.bot_id, call.method, params))


def _location(call: Call) -> dict[str, float]:
    try:
        latitude, longitude = float(call.text("latitude")), float(call.text("longitude"))
    except ValueError:
        raise bad_request("wrong location: latitude or longitude is empty") from None
    return {"latitude": latitude, "longitude": longitude}


def _venue(call: Call) -> JsonObject:
    location = _location(call)
    return {
        "location": location,
        "venue": {"location": location, "title": call.text("title"), "address": call.text("address")},
    }


def _contact(call: Call) -> JsonObject:
    if not call.text("phone_number") or not call.text("first_name"):
        raise bad_request("phone number or first name is empty")
    return {"phone_number": call.text("phone_number"), "first_name": call.text("first_name")}


def _poll(context: Context, call: Call) -> JsonObject:
    options = call.json("options", list, "can't parse options: expected an Array") or []
    texts = [option.get("text", "") if isinstance(option, dict) else str(option) for option in options]
    if not call.text("question") or len(texts) < 2:
        raise bad_request("poll must have at least 2 option")
    return {
        "id": str(context.next_message_id()),
        "question": call.text("question"),
        "options": [
            {"persistent_id": str(number), "text": text, "voter_count": 0} for number, text in enumerate(texts)
        ],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }


def _dice(call: Call) -> JsonObject:
    emoji = call.text("emoji") or "🎲"
    if emoji not in _DICE:
        raise bad_request("wrong emoji specified for the dice")
    return {"emoji": emoji, "value": hash_of(chat_of(call)) % _DICE[emoji] + 1}


def hash_of(chat_id: int | str) -> int:
    """A throw that a test can repeat."""
    return sum(str(chat_id).encode())
