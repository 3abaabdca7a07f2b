"""The author of a Telegram message: a user, a chat or a bot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.text import one_line
from models.ports.inbound import Automatic, Unparseable
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, line, lines, member

# Telegram's service accounts. A person writes through the first two; the third copies posts of a channel.
_ANONYMOUS_ADMIN, _AS_CHANNEL, _TELEGRAM = 1087968824, 136817688, 777000
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Author:
    """The author. `address` is the id of the user, or of the chat on whose behalf the message was sent."""

    address: str
    name: str
    username: str
    locale: str | None
    is_chat: bool


def author(message: Json) -> Author:
    """Return the author: the chat on whose behalf the message was sent, else `from`, else the chat itself."""
    for name in ("sender_chat", "from", "chat"):
        found = member(message, name)
        if identifier(found, "id") is not None:
            return person(found, is_chat=name != "from")
    raise Unparseable("from.id: expected a whole number")


def person(user: Json, *, is_chat: bool = False) -> Author:
    """Convert a user or chat. Raises Unparseable if it has no id."""
    number = identifier(user, "id")
    if number is None:
        raise Unparseable("from.id: expected a whole number")
    code = user.get("language_code")
    username = line(user, "username", 64)
    return Author(
        address=str(number),
        name=name_of(user) or str(number),
        username=username,
        locale=code if isinstance(code, str) and _LOCALE.fullmatch(code) else None,
        is_chat=is_chat,
    )


def name_of(user: Json) -> str:
    """Return the display name of a user or chat; empty if it has none."""
    full = lines(user, "first_name", "last_name", chars_max=limits.name_chars_max)
    return full or line(user, "title", limits.name_chars_max) or line(user, "username", 64)


def automatic(message: Json, account: ChannelAccount) -> Automatic | None:
    """Return `own` for our bot, `bulk` for another bot or a post copied to a discussion group, None for a person."""
    sender = member(message, "from")
    if is_true(message, "is_automatic_forward") or sender.get("id") == _TELEGRAM:
        return "bulk"
    if is_ours(sender, account) or is_ours(member(message, "sender_business_bot"), account):
        return "own"
    if not is_true(sender, "is_bot") or sender.get("id") in (_ANONYMOUS_ADMIN, _AS_CHANNEL):
        return None
    return "bulk"


def is_ours(user: Json, account: ChannelAccount) -> bool:
    """Return True if the user is the account's bot, by the `bot_id` or `bot_username` of the account's file."""
    number = account.config.get("bot_id")
    if is_id(number):
        return user.get("id") == number
    username = bot_username(account)
    return is_true(user, "is_bot") and bool(username) and line(user, "username", 64).lower() == username


def bot_username(account: ChannelAccount) -> str:
    """Return the bot's username in lower case without @; empty if the account's file has none."""
    username = account.config.get("bot_username")
    return one_line(username, 64).removeprefix("@").lower() if isinstance(username, str) else ""
