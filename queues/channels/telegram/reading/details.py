"""The details of a Telegram message besides its text, for display and for rules (`InboundMessage.details`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from models.kernel import limits
from models.kernel.text import cut
from queues.channels.telegram.reading import content
from queues.channels.telegram.reading.people import Author, name_of
from queues.channels.telegram.reading.places import Place, chat_type
from queues.channels.telegram.reading.shapes import (
    Json,
    identifier,
    is_id,
    is_true,
    items,
    line,
    lines,
    member,
)

# 9999-12-31, the last day that datetime can represent.
_LAST_SECOND = 253_402_300_799


def instant(value: object) -> datetime | None:
    """Convert Unix seconds to an instant; None for a value that is not a time after 1970."""
    if not isinstance(value, int) or not is_id(value) or not 0 < value <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(value, UTC)


def of(message: Json, author: Author, place: Place) -> Json:
    """Return the details that the message has. Texts are bounded and storable."""
    kind = content.kind(message)
    found: Json = {
        "kind": kind,
        "username": author.username,
        "sender_chat": _chat(member(message, "sender_chat")),
        "signature": line(message, "author_signature"),
        "sender_tag": line(message, "sender_tag", 64),
        "chat": _chat(member(message, "chat")) if not place.is_direct else None,
        "topic": _topic(message, place),
        "forwarded_from": _forwarded(message),
        "automatic_forward": is_true(message, "is_automatic_forward"),
        "quote": quote(message),
        "reply_to": _replied(message),
        "reply_to_external": _external(message),
        "reply_to_story": _story(member(message, "reply_to_story")),
        "via_bot": line(member(message, "via_bot"), "username", 64),
        "effect": line(message, "effect_id", 64),
        "spoiler": content.is_spoiler(message),
        "protected": is_true(message, "has_protected_content"),
        "paid_stars": identifier(message, "paid_star_count"),
        "business_connection_id": place.contact.business,
        "suggested_post": line(member(message, "suggested_post_info"), "state", 40),
    }
    describe = _OF_KINDS.get(kind)
    if describe is not None:
        found[kind] = describe(member(message, kind))
    if kind == "contact":
        found["author_fields"] = _own_phone(found[kind], author)
    if "caption" in message and content.words(message) is not None:
        # The caption of one part is the text of the whole album.
        found["caption"] = True
    if kind == "unsupported":
        found["raw_keys"] = content.unknown_keys(message)
    return _with_values(found)


def _with_values(facts: Mapping[str, Any]) -> Json:
    """Drop missing, empty and false values; zero is a value."""
    return {
        name: value
        for name, value in facts.items()
        if value is not None and value != "" and value != {} and value is not False
    }


def _chat(chat: Json) -> Json:
    number = identifier(chat, "id")
    if number is None:
        return {}
    return _with_values(
        {"id": number, "type": chat_type(chat), "name": name_of(chat), "username": line(chat, "username", 64)}
    )


def _topic(message: Json, place: Place) -> Json:
    number = place.contact.topic if place.contact.topic is not None else place.contact.direct
    if number is None:
        return {}
    # Telegram sends the service message that opened a topic as the reply target of each message in the topic.
    name = line(member(message, "reply_to_message", "forum_topic_created"), "name", 128)
    return _with_values({"id": number, "name": name})


def _forwarded(message: Json) -> Json:
    """Read the origin of a forward from MessageOrigin, or from the members that it replaced in Bot API 7.0."""
    origin = member(message, "forward_origin")
    if origin:
        return _origin(origin)
    user, chat = member(message, "forward_from"), member(message, "forward_from_chat")
    name = name_of(user) or name_of(chat) or line(message, "forward_sender_name")
    at = instant(message.get("forward_date"))
    if not name and at is None:
        return {}
    return _with_values(
        {
            "type": "user" if user else "chat" if chat else "hidden_user",
            "name": name,
            "id": identifier(user or chat, "id"),
            "at": None if at is None else at.isoformat(),
        }
    )


def _origin(origin: Json) -> Json:
    who = member(origin, "sender_user") or member(origin, "sender_chat") or member(origin, "chat")
    at = instant(origin.get("date"))
    return _with_values(
        {
            "type": line(origin, "type", 40),
            "name": name_of(who) or line(origin, "sender_user_name"),
            "id": identifier(who, "id"),
            "username": line(who, "username", 64),
            "message_id": identifier(origin, "message_id"),
            "signature": line(origin, "author_signature"),
            "at": None if at is None else at.isoformat(),
        }
    )


def quote(message: Json) -> str:
    """Return the part of the replied-to message that the author quoted."""
    text = member(message, "quote").get("text")
    return cut(text, limits.telegram_quote_chars_max) if isinstance(text, str) else ""


def _replied(message: Json) -> Json:
    """Return the replied-to message of the same chat, for agents who cannot see the chat."""
    answered = member(message, "reply_to_message")
    if identifier(answered, "message_id") is None or "forum_topic_created" in answered:
        return {}
    said = content.words(answered)
    text = said[0] if said is not None else content.described(answered)
    return _with_values(
        {
            "message_id": identifier(answered, "message_id"),
            "author": name_of(member(answered, "from") or member(answered, "sender_chat")),
            "text": cut(text, limits.telegram_quote_chars_max),
        }
    )


def _external(message: Json) -> Json:
    """Return the replied-to message of another chat."""
    answered = member(message, "external_reply")
    if not answered:
        return {}
    return _with_values(
        {
            "from": _origin(member(answered, "origin")),
            "chat": _chat(member(answered, "chat")),
            "message_id": identifier(answered, "message_id"),
            "kind": next((name for name in content.KINDS if name in answered), "text"),
        }
    )


def _story(story: Json) -> Json:
    return _with_values({"chat": _chat(member(story, "chat")), "id": identifier(story, "id")})


def _place(value: Json) -> Json:
    names = ("latitude", "longitude", "horizontal_accuracy", "live_period", "heading")
    return _with_values({name: _number(value.get(name)) for name in names})


def _number(value: object) -> float | int | None:
    """Return a number that a database can store; None for NaN, Infinity and other values."""
    if is_id(value):
        return int(value)  # type: ignore[call-overload,no-any-return]  # is_id checks the type
    return value if isinstance(value, float) and abs(value) < 1e15 else None


def _venue(value: Json) -> Json:
    named = {name: line(value, name, 300) for name in ("title", "address", "foursquare_id", "google_place_id")}
    return _with_values({**named, "location": _place(member(value, "location"))})


def _contact(value: Json) -> Json:
    return _with_values(
        {
            "name": lines(value, "first_name", "last_name"),
            "phone_number": line(value, "phone_number", 60),
            "user_id": identifier(value, "user_id"),
        }
    )


def _own_phone(contact: Json, author: Author) -> Json:
    """Return the phone number of the author, if the shared contact is the author's own. The Bot API names its user."""
    if str(contact.get("user_id")) != author.address:
        return {}
    return _with_values({"phone": contact.get("phone_number")})


def _poll(value: Json) -> Json:
    options = items(value, "options", limits.telegram_poll_options_max)
    return _with_values(
        {
            "id": line(value, "id", 64),
            "question": line(value, "question", 300),
            "type": line(value, "type", 20),
            "options": [line(option, "text", 300) for option in options],
            "closed": is_true(value, "is_closed"),
            "several_answers": is_true(value, "allows_multiple_answers"),
        }
    )


def _media(value: Json) -> Json:
    """Return the metadata that a media player shows."""
    numbers = {name: identifier(value, name) for name in ("duration", "width", "height", "length")}
    return _with_values(
        {**numbers, **{name: line(value, name) for name in ("performer", "title", "emoji", "set_name")}}
    )


def _checklist(value: Json) -> Json:
    tasks = items(value, "tasks", limits.telegram_tasks_max)
    return _with_values({"title": line(value, "title", 300), "tasks": [line(task, "text", 300) for task in tasks]})


def _facts(value: Json) -> Json:
    numbers = {name: identifier(value, name) for name in ("value", "total_amount", "star_count", "winner_count")}
    words = ("emoji", "title", "description", "currency", "prize_description")
    return _with_values({**{name: line(value, name, 300) for name in words}, **numbers})


def _web_app_data(value: Json) -> Json:
    data = value.get("data")
    said = cut(data, limits.telegram_web_app_chars_max) if isinstance(data, str) else ""
    return _with_values({"button": line(value, "button_text", 300), "data": said})


_OF_KINDS = {
    "location": _place,
    "venue": _venue,
    "contact": _contact,
    "poll": _poll,
    "story": _story,
    "checklist": _checklist,
    "dice": _facts,
    "game": _facts,
    "invoice": _facts,
    "paid_media": _facts,
    "giveaway": _facts,
    "giveaway_winners": _facts,
    "web_app_data": _web_app_data,
    "sticker": _media,
    "voice": _media,
    "video_note": _media,
    "video": _media,
    "audio": _media,
    "animation": _media,
    "live_photo": _media,
}
