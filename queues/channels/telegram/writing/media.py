"""Which of the Bot API's kinds a file is sent as, and which files go together. Pure.

Sizes and types: https://core.telegram.org/bots/api#sending-files and the methods' own pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from models.kernel import limits
from models.ports.outbound import OutgoingAttachment

Kind = Literal["photo", "video", "animation", "audio", "voice", "document"]

_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
_AUDIOS = frozenset({"audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})
# What may stand in one album; the rest goes one by one.
_ALBUMS: dict[Kind, str] = {
    "photo": "pictures",
    "video": "pictures",
    "document": "documents",
    "audio": "audios",
}
# Shorter is no file_id; python-telegram-bot would take a name like `Makefile` for a file of ours and upload it.
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{20,300}")


def kind_of(attachment: OutgoingAttachment) -> Kind:
    """By type and size; a document is what every file can be."""
    content_type = attachment.content_type.partition(";")[0].strip().lower()
    if content_type in _PHOTOS and attachment.size_bytes <= limits.telegram_photo_bytes_max:
        return "photo"
    if content_type == "image/gif":
        return "animation"
    if content_type == "video/mp4":
        return "video"
    if content_type in _AUDIOS:
        return "audio"
    return "voice" if content_type in _VOICES else "document"


def file_id(attachment: OutgoingAttachment) -> str | None:
    """Telegram's own name of the file, if it has the bytes already."""
    name = attachment.provider_id or ""
    return name if _FILE_ID.fullmatch(name) else None


def trouble(attachments: Sequence[OutgoingAttachment]) -> str | None:
    """Why Telegram will never take these files; None: nothing is known against them."""
    for number, attachment in enumerate(attachments, start=1):
        if file_id(attachment) is not None:
            continue
        if attachment.size_bytes > limits.telegram_upload_bytes_max:
            size_mb = attachment.size_bytes / limits.MIB
            most_mb = limits.telegram_upload_bytes_max // limits.MIB
            return f"file {number} has {size_mb:.0f} MB; Telegram takes files of up to {most_mb} MB from a bot"
        if attachment.size_bytes == 0:
            return f"file {number} is empty; Telegram takes no empty file"
    return None


def groups(attachments: Sequence[OutgoingAttachment], *, alone_last: bool = False) -> list[list[OutgoingAttachment]]:
    """The files as they are sent: albums of 2 to 10 of kinds that go together, and single ones, in the order of their first file.

    `alone_last`: the last file stays by itself, because an album has no place for buttons.
    """
    rest = list(attachments)
    last = [rest.pop()] if alone_last and rest else []
    albums: dict[str, list[list[OutgoingAttachment]]] = {}
    found: list[list[OutgoingAttachment]] = []
    for attachment in rest:
        name = _ALBUMS.get(kind_of(attachment))
        open_album = albums.get(name, [])[-1:] if name else []
        if name and open_album and len(open_album[0]) < limits.telegram_album_max:
            open_album[0].append(attachment)
            continue
        group = [attachment]
        found.append(group)
        if name:
            albums.setdefault(name, []).append(group)
    return [*found, last] if last else found
