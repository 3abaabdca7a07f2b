"""The upload of a message's files, single or as albums: by file_id if Telegram stores the file, else from disk."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from typing import Any

from telegram import (
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
)

from models.kernel import limits
from models.kernel.errors import NestorError, is_final
from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from models.ports.outbound import OutgoingAttachment, permanent, transient
from queues.channels.telegram.writing import media
from queues.channels.telegram.writing.carrier import Carrier, Refused, caption_parameters
from queues.channels.telegram.writing.media import Kind
from queues.channels.telegram.writing.rich import Rich

_KINDS: tuple[Kind, ...] = ("photo", "animation", "video", "audio", "voice", "document")
_MEDIA: dict[Kind, Any] = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "audio": InputMediaAudio,
    "document": InputMediaDocument,
}
# Errors for bytes that Telegram cannot show as a picture or video. It accepts any bytes as a document.
_ABOUT_KIND = (
    "photo_invalid_dimensions",
    "photo_ext_invalid",
    "image_process_failed",
    "photo_save_file_invalid",
    "type of file mismatch",
    "media_invalid",
)
# Errors for the file_id of another bot or another kind.
_ABOUT_NAME = (
    "wrong file identifier",
    "wrong file_id",
    "wrong remote file identifier",
    "can't use file of type",
    "file_reference",
    "file is temporarily unavailable",
)


def send_files(
    carrier: Carrier,
    group: list[OutgoingAttachment],
    *,
    caption: Rich | None = None,
    keyboard: InlineKeyboardMarkup | None = None,
) -> None:
    """Send an album, or a single file; only a single file has a caption or buttons. Raises Refused."""
    as_document = by_upload = False
    while True:
        names = [None if by_upload else media.file_id(one) for one in group]
        try:
            _try(carrier, group, names, as_document=as_document, caption=caption, keyboard=keyboard)
        except Refused as refused:
            if any(names) and refused.says(*_ABOUT_NAME):
                by_upload = True
            elif not as_document and refused.says(*_ABOUT_KIND):
                as_document = True
            else:
                raise
        else:
            return


def _try(
    carrier: Carrier,
    group: list[OutgoingAttachment],
    names: list[str | None],
    *,
    as_document: bool,
    caption: Rich | None,
    keyboard: InlineKeyboardMarkup | None,
) -> None:
    """Make one call with the file_id or the bytes of each file, and record the file_ids of the answer.

    Raises Refused.
    """
    kinds: list[Kind] = ["document" if as_document else media.kind_of(one) for one in group]
    with ExitStack() as stack:
        files = [name or _opened(one, stack, attach=len(group) > 1) for name, one in zip(names, group, strict=True)]
        if len(group) == 1:
            content = _content(kinds[0], files[0], as_document=as_document)
            content |= {**caption_parameters(caption), **({} if keyboard is None else {"reply_markup": keyboard})}
            sent = carrier.send(f"send_{kinds[0]}", **content)
        else:
            items = [_MEDIA[kind](media=file) for kind, file in zip(kinds, files, strict=True)]
            sent = carrier.send("send_media_group", media=items)
    for attachment, message in zip(group, sent, strict=False):
        if (name := _name_in(message)) is not None:
            carrier.file_ids.append((attachment.sha256, name))


def _content(kind: Kind, file: str | InputFile, *, as_document: bool) -> JsonObject:
    content: JsonObject = {kind: file}
    if kind == "video":
        content["supports_streaming"] = True
    if kind == "document" and not as_document:
        content["disable_content_type_detection"] = True
    return content


def _name_in(message: JsonObject) -> str | None:
    """Return the file_id in the sent message; for a picture, that of the largest size."""
    for kind in _KINDS:
        held = message.get(kind)
        held = held[-1] if isinstance(held, list) and held else held
        if isinstance(held, dict) and isinstance(held.get("file_id"), str):
            return str(held["file_id"])
    return None


def _opened(attachment: OutgoingAttachment, stack: ExitStack, *, attach: bool) -> InputFile:
    """Copy the bytes to a temporary file for upload, because reading a remote store must not block the event loop.

    Raises Refused if the bytes cannot be read or exceed Telegram's limit.
    """
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 -- the caller's stack closes it
    try:
        with attachment.open() as stream:
            shutil.copyfileobj(stream, spool)
    except NestorError as error:
        detail = f"a file cannot be read: {error.message}"
        raise Refused(permanent(detail) if is_final(error) else transient(detail)) from error
    except OSError as error:
        raise Refused(transient(f"a file cannot be read ({type(error).__name__})")) from error
    if spool.tell() > limits.telegram_upload_bytes_max:
        raise Refused(permanent("a file is larger than the 50 MB that Telegram takes from a bot"))
    spool.seek(0)
    name = one_line(attachment.filename, limits.name_chars_max) or "file"
    return InputFile(spool, filename=name, attach=attach, read_file_handle=False)
