"""Carry a message to a Telegram chat as plain text, in several parts where it is long."""

from __future__ import annotations

import time

from telegram import ReplyParameters
from telegram.error import TelegramError

from models.channels.accounts import ChannelAccount
from models.deliveries.port import OutgoingMessage, SendOutcome, accepted, permanent, transient, unknown
from models.kernel import limits
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from models.tasks.rates import Bucket
from queues.channels.telegram import bots, errors
from queues.channels.telegram.split import split
from queues.channels.text import clean, one_line

# All parts together, under the actor's own limit with room to record the outcome.
_SEND_S_MAX = limits.actor_time_limit_s - 20.0
# A burst of 5 on top of 25/s stays within the 30/s of the Bot API's FAQ; without one, two answers at once collide.
_BOT_BURST = 5


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Send all parts. The first decides the outcome; a later part that fails makes it `unknown`.

    To repeat the whole would show the first parts twice, so a person decides (the detail says which part failed).
    """
    chat_id = _chat_id(message.address)
    if chat_id is None:
        return permanent("the address is not a Telegram chat id")
    parts = split(clean(message.body), limits.telegram_text_utf16_max)
    if not parts:
        return permanent("the message is empty; Telegram takes no empty text")
    try:
        token = account.credential("token", settings)
    except ConfigurationError as error:  # can be mended; nothing was sent
        return transient(error.message)
    deadline = time.monotonic() + _SEND_S_MAX
    answer_to = _answered_id(message.in_reply_to, chat_id)
    first_id = 0
    for number, text in enumerate(parts, start=1):
        try:
            sent = bots.call(
                token,
                settings.telegram_api_url,
                "send_message",
                timeout_s=max(deadline - time.monotonic(), 0.0),
                chat_id=chat_id,
                text=text,
                reply_parameters=None
                if answer_to is None or number > 1
                else ReplyParameters(answer_to, allow_sending_without_reply=True),
            )
        except TelegramError as error:
            outcome = errors.outcome_of(error)
        except bots.NoAnswer as error:
            outcome = unknown(str(error))
        else:
            first_id = first_id or sent.message_id
            continue
        if number == 1:
            return outcome
        return SendOutcome(
            "unknown",
            one_line(f"part {number} of {len(parts)} failed: {outcome.detail}", limits.error_chars_max),
            external_id=f"{chat_id}:{first_id}",
        )
    return accepted(f"{chat_id}:{first_id}")


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """The bot's limit and the chat's; a group's id is negative and has a limit of its own."""
    bot = f"telegram:{account.name}"
    if address.startswith("-"):
        chat = Bucket(f"{bot}:{address}", 60.0 / limits.telegram_group_per_minute, limits.telegram_chat_burst)
    else:
        chat = Bucket(f"{bot}:{address}", 1.0 / limits.telegram_chat_per_s, limits.telegram_chat_burst)
    return [Bucket(bot, 1.0 / limits.telegram_bot_per_s, _BOT_BURST), chat]


def external_id(account: ChannelAccount, message_id: str, ticket_number: int) -> str | None:
    """None: the Bot API gives the id."""
    return None


def close() -> None:
    """Close the connections of this process; for the worker's shutdown."""
    bots.close()


def _chat_id(address: str) -> int | None:
    digits = address.removeprefix("-")
    return int(address) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None


def _answered_id(in_reply_to: str | None, chat_id: int) -> int | None:
    """The message id of `chat:message`, when it is of this chat."""
    chat, _, number = (in_reply_to or "").partition(":")
    if chat != str(chat_id) or not (number.isascii() and number.isdecimal() and len(number) < 20):
        return None
    return int(number)
