"""A Telegram update becomes a message, or a reason why it needs nothing. Pure, and never surprised by a shape."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from models.channels.accounts import ChannelAccount
from models.inbox.port import Automatic, Ignored, InboundMessage, Unparseable
from models.kernel import limits
from queues.channels.telegram import content
from queues.channels.text import clean, cut, one_line

Json = dict[str, Any]

_START = re.compile(r"/start(@\w{1,64})?(\s+[\w-]{1,64})?\s*", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
# Accounts by which Telegram itself speaks: behind the first two is a person, behind the third a channel's copy.
_ANONYMOUS_ADMIN, _AS_CHANNEL, _TELEGRAM = 1087968824, 136817688, 777000
_LAST_SECOND = 253_402_300_799  # 9999-12-31, the last that datetime can hold


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> InboundMessage | Ignored:
    """Read an update. Raises Unparseable with a reason for people."""
    update = _update(raw)
    for kind, edit in (("message", False), ("edited_message", True)):
        if kind in update:
            if not isinstance(update[kind], dict):
                raise Unparseable(f"{kind}: expected an object, found {_kind(update[kind])}")
            return _message(update[kind], edit=edit, account=account)
    kinds = ", ".join(sorted(one_line(str(key), 40) for key in update if key != "update_id")[:5])
    return Ignored(f"updates of the kind {kinds} need nothing" if kinds else "the update is empty")


def _update(raw: bytes) -> Json:
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not a Telegram update: {type(error).__name__} while reading JSON") from error
    if not isinstance(update, dict):
        raise Unparseable(f"not a Telegram update: expected an object, found {_kind(update)}")
    return update


def _message(message: Json, *, edit: bool, account: ChannelAccount) -> InboundMessage | Ignored:
    chat_id, message_id = _identifier(message.get("chat"), "chat.id"), message.get("message_id")
    if not content.is_id(message_id):
        raise Unparseable("message_id: expected a whole number")
    service = content.service_kind(message)
    if service is not None:
        return Ignored(f"service message: {service}")
    body, attachments = content.read(message)
    if _START.fullmatch(body):
        return Ignored("the command /start only opens the chat")
    author = _author(message)
    automatic = _automatic(author, message, account)
    if automatic == "own":
        return Ignored("the message is our own bot's")
    return InboundMessage(
        author_address=str(author["id"]),
        author_name=_name(author),
        contact_address=str(chat_id),
        conversation_address=str(chat_id),
        body=cut(clean(body), limits.message_body_chars_max),
        external_id=f"{chat_id}:{message_id}",
        references=_references(message, chat_id),
        sent_at=_instant(message.get("edit_date") if edit else message.get("date")),
        automatic=automatic,
        edit=edit,
        locale=_locale(author),
        attachments=attachments,
    )


def _identifier(holder: object, place: str) -> int:
    value = holder.get("id") if isinstance(holder, dict) else None
    if not content.is_id(value):
        raise Unparseable(f"{place}: expected a whole number")
    assert isinstance(value, int)
    return value


def _author(message: Json) -> Json:
    """Who speaks: the chat that a message was sent in the name of, else `from`, else the chat itself."""
    sender_chat, sender = message.get("sender_chat"), message.get("from")
    for candidate in (sender_chat, sender, message["chat"]):
        if isinstance(candidate, dict) and content.is_id(candidate.get("id")):
            return candidate
    raise Unparseable("from.id: expected a whole number")


def _automatic(author: Json, message: Json, account: ChannelAccount) -> Automatic | None:
    sender = message.get("from")
    sender = sender if isinstance(sender, dict) else {}
    if message.get("is_automatic_forward") is True or sender.get("id") == _TELEGRAM:
        return "bulk"
    if sender.get("is_bot") is not True or sender.get("id") in (_ANONYMOUS_ADMIN, _AS_CHANNEL):
        return None
    # `bot_id` is optional in the account: Telegram does not send a bot its own messages, except through forwards of groups.
    return "own" if account.config.get("bot_id") == sender.get("id") else "bulk"


def _name(author: Json) -> str:
    names = [author.get("first_name"), author.get("last_name")]
    full = " ".join(name for name in names if isinstance(name, str))
    for candidate in (full, author.get("title"), author.get("username")):
        name = one_line(candidate, limits.name_chars_max) if isinstance(candidate, str) else ""
        if name:
            return name
    return str(author["id"])


def _references(message: Json, chat_id: int) -> tuple[str, ...]:
    answered = message.get("reply_to_message")
    answered_id = answered.get("message_id") if isinstance(answered, dict) else None
    return (f"{chat_id}:{answered_id}",) if content.is_id(answered_id) else ()


def _instant(value: object) -> datetime | None:
    if not content.is_id(value):
        return None
    assert isinstance(value, int)
    return datetime.fromtimestamp(value, UTC) if 0 < value <= _LAST_SECOND else None


def _locale(author: Json) -> str | None:
    code = author.get("language_code")
    return code if isinstance(code, str) and _LOCALE.fullmatch(code) else None


def _kind(value: object) -> str:
    return {list: "a list", str: "text", type(None): "null", dict: "an object"}.get(
        type(value), "a plain value"
    )
