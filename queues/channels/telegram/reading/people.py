"""Who speaks in a Telegram message, and whether a person does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.text import one_line
from models.ports.inbound import Automatic, Unparseable
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, line, lines, member

# Accounts by which Telegram itself speaks: behind the first two is a person, behind the third a channel's copy.
_ANONYMOUS_ADMIN, _AS_CHANNEL, _TELEGRAM = 1087968824, 136817688, 777000
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Author:
    """`address`: the id of a user, or of the chat in whose name somebody wrote."""

    address: str
    name: str
    username: str
    locale: str | None
    is_chat: bool


def author(message: Json) -> Author:
    """Who speaks: the chat that a message was sent in the name of, else `from`, else the chat itself."""
    for name in ("sender_chat", "from", "chat"):
        found = member(message, name)
        if identifier(found, "id") is not None:
            return person(found, is_chat=name != "from")
    raise Unparseable("from.id: expected a whole number")


def person(user: Json, *, is_chat: bool = False) -> Author:
    """A user or chat with an id. Raises Unparseable when it has none."""
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
    """The name of a user or chat for people; empty where it has none."""
    full = lines(user, "first_name", "last_name", chars_max=limits.name_chars_max)
    return full or line(user, "title", limits.name_chars_max) or line(user, "username", 64)


def automatic(message: Json, account: ChannelAccount) -> Automatic | None:
    """`own`: our bot's. `bulk`: another bot's, or a channel's post that Telegram copied to its discussion group."""
    sender = member(message, "from")
    if is_true(message, "is_automatic_forward") or sender.get("id") == _TELEGRAM:
        return "bulk"
    if is_ours(sender, account) or is_ours(member(message, "sender_business_bot"), account):
        return "own"
    if not is_true(sender, "is_bot") or sender.get("id") in (_ANONYMOUS_ADMIN, _AS_CHANNEL):
        return None
    return "bulk"


def is_ours(user: Json, account: ChannelAccount) -> bool:
    """Whether it is the account's bot, by whatever the account's file says of it."""
    number = account.config.get("bot_id")
    if is_id(number):
        return user.get("id") == number
    username = bot_username(account)
    return is_true(user, "is_bot") and bool(username) and line(user, "username", 64).lower() == username


def bot_username(account: ChannelAccount) -> str:
    """In lower case and without @; empty when the account's file does not name it."""
    username = account.config.get("bot_username")
    return one_line(username, 64).removeprefix("@").lower() if isinstance(username, str) else ""
