"""Edits and deletions of sent messages."""

from __future__ import annotations

from telegram import InlineKeyboardMarkup

from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.ports.outbound import OutgoingMessage, SendOutcome, accepted, permanent
from queues.channels.telegram.writing.carrier import (
    Carrier,
    Refused,
    caption_parameters,
    keyboard,
    text_parameters,
)
from queues.channels.telegram.writing.rich import Rich, units
from queues.channels.telegram.writing.split import split

_UNCHANGED = ("message is not modified",)
_GONE = ("message to delete not found", "message_id_invalid")
_NO_TEXT = ("there is no text in the message to edit",)
_NO_CAPTION = ("there is no caption in the message to edit",)
_TOO_OLD = ("message can't be deleted",)
_TOO_OLD_TEXT = "Telegram lets a bot take back only what it sent in the last 48 hours"


def edit(carrier: Carrier, message: OutgoingMessage, rich: Rich) -> SendOutcome:
    """Replace the text of a sent message: edit its first parts, send missing parts, delete surplus parts.

    Files do not change. The parts of a message are its texts, followed by its files. Raises Refused.
    """
    sent = _sent(carrier, message)
    if not sent:
        return permanent("it is not known which message is to be changed")
    files = min(len(message.attachments), len(sent))
    old_texts, old_files = sent[: len(sent) - files], sent[len(sent) - files :]
    buttons = keyboard(message)
    has_caption = not old_texts and len(old_files) == 1
    if has_caption and units(rich.text) <= limits.telegram_caption_utf16_max:
        _change_caption(carrier, old_files[0], rich, buttons)
        return _done(carrier, old_files)
    parts = split(rich)
    if not parts and not old_files:
        return permanent("the message is empty; Telegram takes no empty text")
    if has_caption:
        # The new text is too long for a caption. The old caption is removed first, because the edit retracts it.
        _empty_caption(carrier, old_files[0])
    kept = _change_texts(carrier, parts, old_texts, old_files, buttons)
    if surplus := old_texts[len(parts) :]:
        _delete(carrier, surplus)
    return _done(carrier, [*kept, *old_files])


def _change_texts(
    carrier: Carrier,
    parts: list[Rich],
    old_texts: list[int],
    old_files: list[int],
    buttons: InlineKeyboardMarkup | None,
) -> list[int]:
    """Edit the sent texts, send further parts, and return the ids of all parts in order. Raises Refused."""
    kept: list[int] = []
    try:
        for number, part in enumerate(parts):
            markup = buttons if number == len(parts) - 1 else None
            if number < len(old_texts):
                _change_text(carrier, old_texts[number], part, markup)
                kept.append(old_texts[number])
            else:
                carrier.send("send_message", **text_parameters(part), **_with(markup))
                kept.append(carrier.arrived[-1])
    except Refused:
        if carrier.arrived:
            # A retry would send these parts again, so the outcome reports the ids of all messages in the chat.
            carrier.arrived = [*kept, *old_texts[len(kept) :], *old_files]
        raise
    return kept


def delete(carrier: Carrier, message: OutgoingMessage) -> SendOutcome:
    """Delete all parts; a part that is already deleted is not a failure. Raises Refused."""
    sent = _sent(carrier, message)
    if not sent:
        return permanent("it is not known which message is to be taken back")
    _delete(carrier, sent)
    return accepted(carrier.external_id(sent[0]))


def _sent(carrier: Carrier, message: OutgoingMessage) -> list[int]:
    ids = [carrier.message_id(one) for one in message.sent_ids]
    return [one for one in ids if one is not None]


def _done(carrier: Carrier, ids: list[int]) -> SendOutcome:
    external = tuple(carrier.external_id(one) for one in ids)
    return SendOutcome("accepted", external_id=external[0], external_ids=external)


def _change_text(carrier: Carrier, message_id: int, part: Rich, markup: InlineKeyboardMarkup | None) -> None:
    try:
        carrier.change("edit_message_text", **_place(carrier, message_id), **text_parameters(part), **_with(markup))
    except Refused as refused:
        if refused.says(*_UNCHANGED):
            return
        if not refused.says(*_NO_TEXT):
            raise
        if units(part.text) > limits.telegram_caption_utf16_max:
            raise Refused(permanent("the new text is longer than the 1,024 characters under a file")) from refused
        _change_caption(carrier, message_id, part, markup)


def _change_caption(carrier: Carrier, message_id: int, rich: Rich, markup: InlineKeyboardMarkup | None) -> None:
    try:
        carrier.change(
            "edit_message_caption",
            **_place(carrier, message_id),
            **caption_parameters(rich),
            **_with(markup),
        )
    except Refused as refused:
        if not refused.says(*_UNCHANGED):
            raise


def _empty_caption(carrier: Carrier, message_id: int) -> None:
    try:
        _change_caption(carrier, message_id, Rich(""), None)
    except Refused as refused:
        if not refused.says(*_NO_CAPTION):
            raise


def _place(carrier: Carrier, message_id: int) -> dict[str, int]:
    return {"chat_id": carrier.to.chat, "message_id": message_id}


def _with(markup: InlineKeyboardMarkup | None) -> JsonObject:
    return {} if markup is None else {"reply_markup": markup}


def _delete(carrier: Carrier, ids: list[int]) -> None:
    for first in range(0, len(ids), limits.telegram_ids_per_deletion_max):
        some = ids[first : first + limits.telegram_ids_per_deletion_max]
        try:
            if carrier.to.business is not None:
                carrier.change("delete_business_messages", message_ids=some)
            else:
                carrier.change("delete_messages", chat_id=carrier.to.chat, message_ids=some)
        except Refused as refused:
            if refused.says(*_TOO_OLD):
                raise Refused(permanent(_TOO_OLD_TEXT), refused.error) from refused
            if not refused.says(*_GONE):
                raise
