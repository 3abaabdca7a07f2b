"""What a Telegram message holds, as text that an agent can read and a list of files.

A message is never empty: a picture without a caption opens a ticket as well (Zammad #774), and a kind that we do not
know yet is named instead of vanishing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from models.inbox.port import AttachmentInfo
from models.kernel import limits
from queues.channels.text import clean, one_line

Json = dict[str, Any]

_ID_MAX = 2**63
_DETAIL_CHARS_MAX = 300  # of a poll's question, a venue's name: the line stays a line
_POLL_OPTIONS_MAX = 20  # the Bot API allows 12

# kind -> (readable name, content type when Telegram tells none, extension)
_FILES: dict[str, tuple[str, str, str]] = {
    "photo": ("photo", "image/jpeg", "jpg"),
    "animation": ("animation", "video/mp4", "mp4"),
    "document": ("document", "application/octet-stream", "bin"),
    "video": ("video", "video/mp4", "mp4"),
    "video_note": ("video message", "video/mp4", "mp4"),
    "voice": ("voice message", "audio/ogg", "ogg"),
    "audio": ("audio", "audio/mpeg", "mp3"),
    "sticker": ("sticker", "image/webp", "webp"),
}
# Messages that Telegram writes about the chat itself; matched by prefix where there are several of a family.
_SERVICE = [
    "new_chat_members",
    "new_chat_participant",
    "new_chat_member",
    "left_chat_member",
    "left_chat_participant",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "connected_website",
    "write_access_allowed",
    "passport_data",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "forum_topic_",
    "general_forum_topic_",
    "giveaway_created",
    "giveaway_completed",
    "video_chat_",
    "voice_chat_",
    "web_app_data",
    "checklist_tasks_",
    "direct_message_price_changed",
    "paid_message_price_changed",
    "suggested_post_",
    "gift",
    "unique_gift",
]
# What each message may have beside its content; named nowhere.
_FRAME = frozenset(
    [
        "message_id",
        "from",
        "chat",
        "date",
        "edit_date",
        "sender_chat",
        "reply_to_message",
        "message_thread_id",
        "is_topic_message",
        "entities",
        "caption_entities",
        "media_group_id",
        "via_bot",
        "forward_origin",
        "forward_from",
        "forward_date",
        "has_protected_content",
        "link_preview_options",
        "reply_markup",
        "author_signature",
        "sender_boost_count",
        "business_connection_id",
    ]
)


def is_id(value: object) -> bool:
    """Whether it is a whole number of a size that Telegram uses (JSON knows longer ones)."""
    return isinstance(value, int) and not isinstance(value, bool) and -_ID_MAX < value < _ID_MAX


def service_kind(message: Json) -> str | None:
    """The name of the service message that this is, if it is one."""
    for name in _SERVICE:
        if name in message or (name.endswith("_") and any(key.startswith(name) for key in message)):
            return name.rstrip("_")
    return None


def read(message: Json) -> tuple[str, tuple[AttachmentInfo, ...]]:
    """The message's text (never empty) and its files."""
    attachments = _attachments(message)
    for key in ("text", "caption"):
        text = message.get(key)
        if isinstance(text, str) and text.strip():
            return text, attachments
    return _described(message), attachments


def _attachments(message: Json) -> tuple[AttachmentInfo, ...]:
    # An animation comes with a document that is the same file.
    kinds = [kind for kind in _FILES if not (kind == "document" and "animation" in message)]
    found = (_attachment(kind, message) for kind in kinds if kind in message)
    return tuple(info for info in found if info is not None)


def _attachment(kind: str, message: Json) -> AttachmentInfo | None:
    value = message[kind]
    file = _largest(value) if kind == "photo" else value
    if not isinstance(file, dict) or not isinstance(file.get("file_id"), str):
        return None
    label, content_type, extension = _FILES[kind]
    told_type, told_name, size = file.get("mime_type"), file.get("file_name"), file.get("file_size")
    if isinstance(told_type, str) and "/" in told_type:
        content_type = one_line(told_type, 100)
    name = one_line(told_name, limits.name_chars_max) if isinstance(told_name, str) else ""
    name = re.split(r"[/\\]", name)[-1]
    return AttachmentInfo(
        filename=name or f"{label.replace(' ', '-')}-{message['message_id']}.{extension}",
        content_type=content_type,
        size_bytes=size if isinstance(size, int) and is_id(size) and size >= 0 else 0,
        provider_id=one_line(file["file_id"], 300),
    )


def _largest(sizes: object) -> Json | None:
    """The largest of a photo's sizes, by area."""
    photos = [size for size in sizes if isinstance(size, dict)] if isinstance(sizes, list) else []
    return max(photos, key=_area, default=None)


def _area(size: Json) -> int:
    width, height = size.get("width"), size.get("height")
    return width * height if is_id(width) and is_id(height) else 0  # type: ignore[operator]  # is_id has checked both


def _described(message: Json) -> str:
    """One line for a message without text."""
    sticker = message.get("sticker")
    if isinstance(sticker, dict):
        return _field(sticker, "emoji") or "[sticker]"
    for kind, describe in _DESCRIPTIONS.items():
        value = message.get(kind)
        if isinstance(value, dict):
            return f"[{describe(value)}]"
    for kind, (label, _, _) in _FILES.items():
        if kind in message:
            return f"[{label}]"
    keys = ", ".join(sorted(one_line(key, 40) for key in message if key not in _FRAME)[:10])
    return f"[unsupported message: {keys or 'no content'}]"


def _field(value: Json, *names: str) -> str:
    """The named members that are text or numbers, as one line."""
    parts = [value.get(name) for name in names]
    words = [str(part) for part in parts if isinstance(part, str) or (is_id(part) or isinstance(part, float))]
    return one_line(clean(" ".join(words)), _DETAIL_CHARS_MAX)


def _place(value: Json) -> str:
    return ", ".join(filter(None, (_field(value, "latitude"), _field(value, "longitude")))) or "unknown place"


def _venue(value: Json) -> str:
    location = value.get("location")
    place = _place(location) if isinstance(location, dict) else "unknown place"
    return f"venue: {_field(value, 'title')}, {_field(value, 'address')} ({place})"


def _poll(value: Json) -> str:
    options = value.get("options")
    options = options[:_POLL_OPTIONS_MAX] if isinstance(options, list) else []
    texts = [_field(option, "text") for option in options if isinstance(option, dict)]
    return f"poll: {_field(value, 'question')} ({'; '.join(texts)})"


# A venue comes with a location, so it goes first.
_DESCRIPTIONS: dict[str, Callable[[Json], str]] = {
    "venue": _venue,
    "location": lambda value: f"location: {_place(value)}",
    "contact": lambda value: (
        f"contact: {_field(value, 'first_name', 'last_name')}, {_field(value, 'phone_number')}"
    ),
    "poll": _poll,
    "dice": lambda value: f"dice: {_field(value, 'emoji', 'value')}",
    "game": lambda value: f"game: {_field(value, 'title')}",
    "story": lambda value: "story",
    "checklist": lambda value: f"checklist: {_field(value, 'title')}",
    "invoice": lambda value: f"invoice: {_field(value, 'title')}",
    "paid_media": lambda value: "paid media",
    "giveaway": lambda value: "giveaway",
}
