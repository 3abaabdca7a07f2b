"""The outcome of a delivery for each exception of python-telegram-bot.

The order is the point: `BadRequest` and `TimedOut` are subclasses of `NetworkError`, and a permanent error that is
taken for a network error is retried without end.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from models.kernel.text import one_line
from models.ports.outbound import SendOutcome, account_trouble, permanent, transient, unknown

# A 429 with a longer wait is about the bot, not about the chat.
PAUSE_ACCOUNT_S = 30.0
BOT_UNKNOWN = "the Bot API does not know the bot's token"
_DETAIL_CHARS_MAX = 200
# python-telegram-bot's message for a body that is not the Bot API's JSON (telegram/request/_baserequest.py): a proxy
# answered.
_FOREIGN_ANSWER = ". Parsing the server response"
# The request never left: no connection, no free connection, or an invalid server address.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


def outcome_of(error: TelegramError) -> SendOutcome:
    """Return the outcome of an attempt that raised `error`."""
    if isinstance(error, InvalidToken) and isinstance(error.__cause__, InvalidToken):
        # Bot.do_api_request replaces the server's description; the cause has it.
        error = error.__cause__
    if isinstance(error, RetryAfter):
        wait_s = seconds(error.retry_after)
        return SendOutcome(
            "throttled",
            f"the Bot API asks to wait {wait_s:g} s",
            retry_after_s=wait_s,
            pause_account=wait_s > PAUSE_ACCOUNT_S,
        )
    if _FOREIGN_ANSWER in error.message and type(error) is not NetworkError:
        # A 4xx from a proxy is not about the chat: it must neither fail the message permanently nor suppress the
        # address.
        return transient(f"an answer that is not the Bot API's own ({type(error).__name__})")
    if isinstance(error, ChatMigrated):
        return SendOutcome("transient", "the group has moved", new_address=str(error.new_chat_id))
    if isinstance(error, InvalidToken):
        # 401, or 404 for a token of another form: every message of the account would fail until its operator acts.
        return account_trouble(BOT_UNKNOWN)
    return _refusal(error)


def _refusal(error: TelegramError) -> SendOutcome:
    if isinstance(error, Forbidden):
        return permanent(description(error), suppress=description(error))
    if isinstance(error, Conflict):
        return account_trouble(description(error))
    if isinstance(error, BadRequest):
        return permanent(description(error))
    if isinstance(error, NetworkError):
        return _network(error)
    return unknown("the Bot API answered, but not in its own form")


def _network(error: NetworkError) -> SendOutcome:
    cause = error.__cause__
    if isinstance(cause, _NOT_SENT):
        return transient(f"no connection to the Bot API ({type(cause).__name__})")
    if isinstance(cause, httpx.HTTPError) or isinstance(error, TimedOut):
        name = type(cause).__name__ if cause is not None else "TimedOut"
        return unknown(f"the connection failed after the request had left ({name})")
    if _FOREIGN_ANSWER in error.message:
        # A 5xx from a proxy, which may have forwarded the request.
        return unknown("an answer that is not the Bot API's own")
    if cause is None or isinstance(cause, TelegramError):
        # The Bot API answered `ok: false`, usually with a 5xx: the message was not sent.
        return transient(description(error))
    return unknown(f"the send failed in an unexpected way ({type(cause).__name__})")


def seconds(retry_after: int | timedelta) -> float:
    """Return the wait of a RetryAfter in seconds."""
    return retry_after.total_seconds() if isinstance(retry_after, timedelta) else float(retry_after)


def description(error: TelegramError) -> str:
    """Return the description of the error, which contains no chat and no token. Omits a body that is not JSON."""
    text = error.message.split(_FOREIGN_ANSWER, 1)[0]
    return one_line(text, _DETAIL_CHARS_MAX) or type(error).__name__
