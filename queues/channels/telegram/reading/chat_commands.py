"""The chat commands: `/new`, `/status`, `/close`, `/cancel`, `/lang xx`, `/help`, `/start`, and the account's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored
from queues.channels.telegram.reading.content import words
from queues.channels.telegram.reading.people import bot_username
from queues.channels.telegram.reading.shapes import Json, identifier

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|\Z)")
# https://core.telegram.org/bots/features#deep-linking
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN = frozenset({"new", "status", "close", "cancel", "lang", "help", "start"})
# The maximum length of a message in the Bot API.
_argument_chars_max = 4_096


@dataclass(frozen=True, slots=True)
class Found:
    """A command. `begins_at` is the character index of the argument in the message's text or caption."""

    name: str
    argument: str
    begins_at: int


def find(message: Json, account: ChannelAccount, *, is_direct: bool) -> Found | Ignored | None:
    """Return the command of a message; None for an ordinary message, Ignored for a command to another bot.

    In a group, only a command with this bot's name counts (`/status@desk_bot`). An unknown command is an ordinary
    message. In a caption only `/new` is a command, because any other command would discard the file.
    """
    found = words(message)
    if found is None:
        return None
    text, entities = found
    match = _COMMAND.match(text)
    if match is None or not _is_marked(message.get(entities)):
        return None
    name, addressee = match[1].lower(), match[2]
    if addressee is None and not is_direct:
        return None
    if addressee is not None and _is_another_bot(addressee, account):
        return None if is_direct else Ignored("a command to another bot")
    is_caption = entities == "caption_entities"
    return _read(name, text, match.end()) if _is_known(name, account, is_caption=is_caption) else None


def _is_another_bot(addressee: str, account: ChannelAccount) -> bool:
    username = bot_username(account)
    return bool(username) and addressee.lower() != username


def _is_known(name: str, account: ChannelAccount, *, is_caption: bool) -> bool:
    return name == "new" if is_caption else name in _OWN or name in _commands_of(account)


def _read(name: str, text: str, end: int) -> Found | None:
    """Return the command whose name ends at `end`; None for `/start` with words that are not a deep link's payload."""
    rest = text[end:]
    argument = rest.strip()[:_argument_chars_max]
    if name == "start" and argument and not _PAYLOAD.fullmatch(argument):
        return None
    return Found(name, argument, end + len(rest) - len(rest.lstrip()))


def _is_marked(entities: object) -> bool:
    """Return True if a bot_command entity begins the text. A message without entities counts as marked: its text
    decides.
    """
    if not isinstance(entities, list) or not entities:
        return True
    return any(
        isinstance(one, dict) and one.get("type") == "bot_command" and identifier(one, "offset") == 0
        for one in entities[:100]
    )


def _commands_of(account: ChannelAccount) -> frozenset[str]:
    commands = account.config.get("commands")
    return frozenset(str(name).lower() for name in commands) if isinstance(commands, dict) else frozenset()
