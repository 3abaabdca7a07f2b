"""The attachments of a Telegram message. This module lists them and never downloads them.

A file above the 20 MB that a bot can download is listed as well: the download reports the failure to the requester.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from models.kernel import limits
from models.ports.inbound import AttachmentInfo
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, items, line, member

# kind -> (default name, content type if the update has none, extension)
_KINDS: dict[str, tuple[str, str, str]] = {
    "photo": ("photo", "image/jpeg", "jpg"),
    "live_photo": ("live-photo", "video/mp4", "mp4"),
    "animation": ("animation", "video/mp4", "mp4"),
    "document": ("document", "application/octet-stream", "bin"),
    "video": ("video", "video/mp4", "mp4"),
    "video_note": ("video-note", "video/mp4", "mp4"),
    "voice": ("voice", "audio/ogg", "ogg"),
    "audio": ("audio", "audio/mpeg", "mp3"),
    "sticker": ("sticker", "image/webp", "webp"),
}
FILES = tuple(_KINDS)
# The extension of a file without a name, by content type. The `mimetypes` module depends on the machine.
_EXTENSIONS = {
    "application/pdf": "pdf",
    "application/x-tgsticker": "tgs",
    "application/zip": "zip",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-m4a": "m4a",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,100}")
# 9999-12-31, the last day that datetime can represent.
_LAST_SECOND = 253_402_300_799


def read(message: Json) -> tuple[AttachmentInfo, ...]:
    """Return each file of the message once, without thumbnails and video covers."""
    files: dict[str, tuple[str, Json]] = {}
    for kind, file in _found(message):
        file_id = file.get("file_id")
        # A file_id is opaque and has about 80 characters. A truncated one cannot be downloaded.
        if isinstance(file_id, str) and 0 < len(file_id) <= limits.telegram_file_id_chars_max and file_id.isascii():
            key = line(file, "file_unique_id", limits.telegram_file_id_chars_max) or file_id
            files.setdefault(key, (kind, file))
    chosen = list(files.values())[: limits.telegram_files_per_message_max]
    several = len(chosen) > 1
    return tuple(
        _attachment(kind, file, message, f"-{number}" if several else "")
        for number, (kind, file) in enumerate(chosen, start=1)
    )


def _found(message: Json) -> Iterator[tuple[str, Json]]:
    yield from _media(message)
    for paid in items(member(message, "paid_media"), "paid_media", limits.telegram_files_per_message_max):
        yield from _media(paid)
    poll = member(message, "poll")
    yield from _media(member(poll, "media"))
    for option in items(poll, "options", limits.telegram_poll_options_max):
        yield from _media(member(option, "media"))


def _media(holder: Json) -> Iterator[tuple[str, Json]]:
    for kind in FILES:
        # A message with an animation also has the same file as a document (Bot API, Message.animation).
        if kind not in holder or (kind == "document" and "animation" in holder):
            continue
        if kind == "photo":
            sizes = items(holder, "photo", limits.telegram_photo_sizes_max)
            yield kind, max(sizes, key=_area, default={})
        else:
            yield kind, member(holder, kind)
            if kind == "live_photo" and "photo" not in holder:
                sizes = items(member(holder, kind), "photo", limits.telegram_photo_sizes_max)
                yield "photo", max(sizes, key=_area, default={})


def _area(size: Json) -> int:
    width, height = identifier(size, "width"), identifier(size, "height")
    return 0 if width is None or height is None else width * height


def _attachment(kind: str, file: Json, message: Json, suffix: str) -> AttachmentInfo:
    label, content_type, extension = _KINDS[kind]
    told_type, size = file.get("mime_type"), identifier(file, "file_size")
    if kind == "sticker":
        content_type, extension = _sticker(file)
    if isinstance(told_type, str) and _TYPE.fullmatch(told_type.lower()):
        content_type = told_type.lower()
        extension = _EXTENSIONS.get(content_type, extension)
    told_name = re.split(r"[/\\]", line(file, "file_name", limits.name_chars_max))[-1].strip(" .")
    return AttachmentInfo(
        filename=told_name or f"{label}-{_day(message)}{message['message_id']}{suffix}.{extension}",
        content_type=content_type,
        size_bytes=size if size is not None and size >= 0 else 0,
        provider_id=str(file["file_id"]),
        provider_key=line(file, "file_unique_id", limits.telegram_file_id_chars_max) or None,
    )


def _sticker(sticker: Json) -> tuple[str, str]:
    if is_true(sticker, "is_animated"):
        return "application/x-tgsticker", "tgs"
    return ("video/webm", "webm") if is_true(sticker, "is_video") else ("image/webp", "webp")


def _day(message: Json) -> str:
    date = message.get("date")
    if not isinstance(date, int) or not is_id(date) or not 0 < date <= _LAST_SECOND:
        return ""
    return f"{datetime.fromtimestamp(date, UTC):%Y-%m-%d}-"
