"""The choice of the Bot API's media kind for a file, and the grouping of files into albums. Pure.

Source of sizes and types: https://core.telegram.org/bots/api#sending-files and the page of each method.
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
# Kind -> type of album. Files of one type share an album; other kinds are sent separately.
_ALBUMS: dict[Kind, str] = {
    "photo": "pictures",
    "video": "pictures",
    "document": "documents",
    "audio": "audios",
}
# A file_id has at least 20 characters. python-telegram-bot treats a string such as `Makefile` as a local path and
# uploads that file.
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{20,300}")


def kind_of(attachment: OutgoingAttachment) -> Kind:
    """Choose the kind by content type and size; any file can be sent as a document."""
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
    """Return the file_id if Telegram already stores the file."""
    name = attachment.provider_id or ""
    return name if _FILE_ID.fullmatch(name) else None


def trouble(attachments: Sequence[OutgoingAttachment]) -> str | None:
    """Return the reason why Telegram rejects one of the files; None if all are acceptable."""
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
    """Group the files into albums of 2 to 10 compatible kinds and single files, ordered by the first file.

    `alone_last` keeps the last file single, because an album cannot have buttons.
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
