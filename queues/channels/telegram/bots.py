"""The one event loop and the bots of this process.

python-telegram-bot is asynchronous and a Bot belongs to the loop that first used it: `asyncio.run` for each send fails
every second time, and a new Bot for each send costs 60 ms (INGRESS 2.6). So one thread runs one loop, started at the
first send (after any fork), and one Bot a token lives in it with its connections kept open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar
from urllib.parse import urlsplit

# Retry-After as a timedelta; as a number it warns that it is going away.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from telegram import Bot, ReplyParameters
from telegram.request import HTTPXRequest

from models.kernel import limits

# httpx writes each URL at INFO, and a Bot API URL contains the token (DESIGN 8, invariant 8).
for _logger in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_logger).setLevel(logging.WARNING)
# On an answer that is not JSON it logs the whole answer; we report the outcome ourselves.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)

T = TypeVar("T")

_CONNECTIONS_MAX = 16  # of one bot; twice the worker threads
_CLOSE_S_MAX = 5.0  # open connections are only dropped, so this is long
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NoAnswer(Exception):
    """The Bot API did not answer within the time for one send."""


class _Loop:
    """A running event loop in a daemon thread, with the bots that belong to it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._bots: dict[tuple[str, str], tuple[Bot, HTTPXRequest]] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except FutureTimeout as error:
            future.cancel()
            raise NoAnswer(f"no answer within {timeout_s:.0f} s") from error

    def bot(self, token: str, api_url: str) -> Bot:
        """The bot of this token, made at first use. Call under `_lock`."""
        key = (token, api_url)
        if key not in self._bots:
            # A proxy of the environment leads out of the machine; a local server is not there.
            local = urlsplit(api_url).hostname in _LOOPBACK
            request = HTTPXRequest(
                connection_pool_size=_CONNECTIONS_MAX, httpx_kwargs={"trust_env": False} if local else None
            )
            # The second request object is for getUpdates, which we never call; an own one would cost another SSL context.
            bot = Bot(
                token,
                base_url=f"{api_url.rstrip('/')}/bot",
                base_file_url=f"{api_url.rstrip('/')}/file/bot",
                request=request,
                get_updates_request=request,
            )
            self._bots[key] = (bot, request)
        return self._bots[key][0]

    def close(self) -> None:
        self.run(self._close_bots(), _CLOSE_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S_MAX)
        self._loop.close()

    async def _close_bots(self) -> None:
        for _, request in self._bots.values():
            await request.shutdown()


_lock = threading.Lock()
_current: _Loop | None = None


def _running() -> _Loop:
    """This process's loop; a forked child starts its own. Call under `_lock`."""
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _Loop()
    return _current


def send_text(
    token: str, api_url: str, *, chat_id: int, text: str, answer_to: int | None, timeout_s: float
) -> int:
    """Send plain text and return the message id. Raises telegram.error.TelegramError or NoAnswer."""
    with _lock:
        loop = _running()
        bot = loop.bot(token, api_url)
    return loop.run(_send(bot, chat_id, text, answer_to), timeout_s)


async def _send(bot: Bot, chat_id: int, text: str, answer_to: int | None) -> int:
    # The message answered may be deleted by now; the answer matters more than the link.
    answered = None if answer_to is None else ReplyParameters(answer_to, allow_sending_without_reply=True)
    message = await bot.send_message(
        chat_id,
        text,
        reply_parameters=answered,
        connect_timeout=limits.send_connect_timeout_s,
        pool_timeout=limits.send_connect_timeout_s,
        read_timeout=limits.send_read_timeout_s,
        write_timeout=limits.send_read_timeout_s,
    )
    return int(message.message_id)


def close() -> None:
    """Close all bots and end the loop; for the worker's shutdown. A later send starts anew."""
    global _current
    with _lock:
        running, _current = _current, None
        if running is not None and running.pid == os.getpid():
            running.close()
