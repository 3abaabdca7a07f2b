"""The ingress: authenticates Telegram's request and names its update.

Runs at every cold start, so it imports the standard library and ours only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import Unauthenticated
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.secrets import check_secret

body_bytes_max = limits.telegram_body_bytes_max
# We repeat this id in the answer; it has some 19 digits.
_QUERY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The Bot API's ids have at most 52 bits.
_ID_MAX = 2**63


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Return True when Telegram's secret header is the account's. Raises Unauthenticated otherwise."""
    expected = account.credential("secret_token", settings)
    check_secret(headers.get("x-telegram-bot-api-secret-token"), expected)
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Do nothing: the header is the whole authentication."""
    raise Unauthenticated("this webhook needs the channel account's secret")


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Return the request's one update, named by its id. A body that is not an update is kept and named by its digest.

    The answer to the press of a button is a method that Telegram carries out: its waiting mark goes away with no
    request of ours (Bot API, "Making requests when getting updates").
    """
    try:
        update = json.loads(request.body)
    except RecursionError:
        return _unreadable(request.body, "the body is nested too deeply to be a Telegram update")
    except ValueError:
        # Malformed JSON, invalid UTF-8, or a number of thousands of digits.
        return _unreadable(request.body, "the body is not JSON; expected a Telegram update")
    if not isinstance(update, dict):
        return _unreadable(request.body, "the body is not a JSON object; expected a Telegram update")
    update_id = update.get("update_id")
    if not _is_id(update_id):
        return _unreadable(request.body, "update_id is missing or not a whole number of Telegram's size")
    chat_id = _chat_id(update)
    key = EventKey(f"update:{update_id}", None if chat_id is None else f"chat:{chat_id}")
    return Received((ReceivedEvent(key),), answer=_answer(update.get("callback_query")))


def _answer(query: object) -> dict[str, str] | None:
    query_id = query.get("id") if isinstance(query, dict) else None
    if not isinstance(query_id, str) or not _QUERY_ID.fullmatch(query_id):
        return None
    return {"method": "answerCallbackQuery", "callback_query_id": query_id}


def _unreadable(body: bytes, reason: str) -> Received:
    key = EventKey(f"sha256:{hashlib.sha256(body).hexdigest()}", None, unreadable=reason)
    return Received((ReceivedEvent(key),))


def _chat_id(update: JsonObject) -> int | None:
    """Return the chat of the update's content: a message, an edit, a button's press, a change of membership."""
    for member in update.values():
        if not isinstance(member, dict):
            continue
        for holder in (member, member.get("message")):
            chat = holder.get("chat") if isinstance(holder, dict) else None
            if isinstance(chat, dict) and _is_id(chat.get("id")):
                return int(chat["id"])
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_ID_MAX < value < _ID_MAX
