"""The files of a Telegram message: named, never fetched here.

A file is listed even when it is too large for a bot to fetch (20 MB): whoever fetches it tells the requester.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from models.kernel import limits
from models.ports.inbound import AttachmentInfo
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, items, line, member

# kind -> (name of a file that has none, content type when Telegram tells none, extension)
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
# The names of files that came without one follow their type; not from `mimetypes`, whose answers depend on the machine.
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
_LAST_SECOND = 253_402_300_799  # 9999-12-31, the last that datetime can hold


def read(message: Json) -> tuple[AttachmentInfo, ...]:
    """The files, each once; a thumbnail or a video's cover is none of them."""
    files: dict[str, tuple[str, Json]] = {}
    for kind, file in _found(message):
        file_id = file.get("file_id")
        # An id is opaque and short (some 80 characters); a cut one would fetch nothing.
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
        # An animation comes with a document that is the same file (Bot API, Message.animation).
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
