"""Commands to the desk in a chat: `/new`, `/status`, `/close`, `/lang xx`, `/help`, `/start`, and those of the account's file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored
from queues.channels.telegram.reading.content import words
from queues.channels.telegram.reading.people import bot_username
from queues.channels.telegram.reading.shapes import Json, identifier

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|\Z)")
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # Bot API, deep linking
_OWN = frozenset({"new", "status", "close", "lang", "help", "start"})
_argument_chars_max = 4_096  # a whole message


@dataclass(frozen=True, slots=True)
class Found:
    """`begins_at`: where the argument begins in the message's text or caption, in characters."""

    name: str
    argument: str
    begins_at: int


def find(message: Json, account: ChannelAccount, *, is_direct: bool) -> Found | Ignored | None:
    """The command of a message; None: it is ordinary; Ignored: it is meant for another bot.

    Among others, only a command to this bot by name is one (`/status@desk_bot`). What we do not know is a message like any other.
    Under a picture only `/new` is a command, so that no file is lost with its caption.
    """
    found = words(message)
    if found is None:
        return None
    text, entities = found
    match = _COMMAND.match(text)
    if match is None or not _is_marked(message.get(entities)):
        return None
    name, addressee, username = match[1].lower(), match[2], bot_username(account)
    if addressee is not None and username and addressee.lower() != username:
        return None if is_direct else Ignored("a command to another bot")
    if addressee is None and not is_direct:
        return None
    if name not in _OWN and name not in _commands_of(account):
        return None
    if entities == "caption_entities" and name != "new":
        return None
    rest = text[match.end() :]
    begins_at = match.end() + len(rest) - len(rest.lstrip())
    argument = rest.strip()[:_argument_chars_max]
    if name == "start" and argument and not _PAYLOAD.fullmatch(argument):
        return None  # no deep link, but somebody's words
    return Found(name, argument, begins_at)


def _is_marked(entities: object) -> bool:
    """Telegram marks commands; where it marks other things only, the slash is but a slash. Without any marks, the text decides."""
    if not isinstance(entities, list) or not entities:
        return True
    return any(
        isinstance(one, dict) and one.get("type") == "bot_command" and identifier(one, "offset") == 0
        for one in entities[:100]
    )


def _commands_of(account: ChannelAccount) -> frozenset[str]:
    commands = account.config.get("commands")
    return frozenset(str(name).lower() for name in commands) if isinstance(commands, dict) else frozenset()
