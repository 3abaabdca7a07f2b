"""What each failure of python-telegram-bot means for a delivery.

The order is the point: `BadRequest` and `TimedOut` are subclasses of `NetworkError`, and a permanent error that is
taken for a network's is tried for ever.
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
from models.ports.outbound import SendOutcome, permanent, transient, unknown

PAUSE_ACCOUNT_S = 30.0  # a longer 429 concerns the bot, not the chat
BOT_UNKNOWN = "the Bot API does not know the bot's token"
_DETAIL_CHARS_MAX = 200
# What python-telegram-bot says when the body is not the Bot API's JSON (telegram/request/_baserequest.py): a proxy answered.
_FOREIGN_ANSWER = ". Parsing the server response"
# The request never left: no connection, or none free, or the address of the server is not one.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


def outcome_of(error: TelegramError) -> SendOutcome:
    """How an attempt ended that raised `error`."""
    if isinstance(error, InvalidToken) and isinstance(error.__cause__, InvalidToken):
        error = error.__cause__  # Bot.do_api_request puts words of its own over the server's
    if isinstance(error, RetryAfter):
        wait_s = seconds(error.retry_after)
        return SendOutcome(
            "throttled",
            f"the Bot API asks to wait {wait_s:g} s",
            retry_after_s=wait_s,
            pause_account=wait_s > PAUSE_ACCOUNT_S,
        )
    if _FOREIGN_ANSWER in error.message and type(error) is not NetworkError:
        # A proxy's 4xx says nothing of the chat: it must neither fail the message for good nor suppress the address.
        return transient(f"an answer that is not the Bot API's own ({type(error).__name__})")
    if isinstance(error, Forbidden):
        return permanent(said(error), suppress=said(error))
    if isinstance(error, ChatMigrated):
        return SendOutcome("transient", "the group has moved", new_address=str(error.new_chat_id))
    if isinstance(error, InvalidToken):
        return SendOutcome("permanent", BOT_UNKNOWN, account_error=BOT_UNKNOWN)
    if isinstance(error, Conflict):
        return SendOutcome("transient", said(error), account_error=said(error))
    if isinstance(error, BadRequest):
        return permanent(said(error))
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
    if _FOREIGN_ANSWER in error.message:  # a 5xx of a proxy in front, which may have passed the request on
        return unknown("an answer that is not the Bot API's own")
    if cause is None or isinstance(cause, TelegramError):  # the Bot API's own `ok: false`, 5xx as a rule: not sent
        return transient(said(error))
    return unknown(f"the send failed in an unexpected way ({type(cause).__name__})")


def seconds(retry_after: int | timedelta) -> float:
    """What RetryAfter holds."""
    return retry_after.total_seconds() if isinstance(retry_after, timedelta) else float(retry_after)


def said(error: TelegramError) -> str:
    """What the Bot API said; it names neither chat nor token. An answer that is no JSON is not repeated."""
    text = error.message.split(_FOREIGN_ANSWER, 1)[0]
    return one_line(text, _DETAIL_CHARS_MAX) or type(error).__name__
