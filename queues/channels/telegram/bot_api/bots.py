"""The event loop and the bots of this process.

python-telegram-bot is asynchronous, and a Bot belongs to the loop that first used it: `asyncio.run` for each send fails
every second time, and a new Bot for each send costs 60 ms. So one thread runs one loop. It starts at the first send
(after any fork) and keeps one Bot per token with open connections.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlencode, urlsplit

# httpx and anyio import these two at the first request, in the sending thread. A worker imports them before its
# threads start.
import anyio._backends._asyncio  # noqa: F401
import httpcore  # noqa: F401
import httpx

# Makes `RetryAfter.retry_after` a timedelta. As a number it causes a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from telegram import Bot, InputFile
from telegram.request import HTTPXRequest

from models.kernel import limits

# httpx logs each URL at INFO, and a Bot API URL contains the token.
for _logger in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_logger).setLevel(logging.WARNING)
# This logger writes the whole body of a response that is not JSON. The outcome already reports the failure.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)

T = TypeVar("T")

# Connections per bot: twice the worker threads.
_CONNECTIONS_MAX = 16
# The time for one write of an upload. It allows a slow link to stall and ends on a dead one.
_MEDIA_WRITE_S_MAX = 60.0
# The bytes of a download that are in memory at a time.
_BLOCK_BYTES = 64 * 1024
# Closing only drops connections, so this is ample.
_CLOSE_S_MAX = 5.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NoAnswer(Exception):
    """The Bot API did not respond within the time limit of a call."""


class _Loop:
    """A running event loop in a daemon thread, with its bots."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._bots: dict[tuple[str, str], tuple[Bot, HTTPXRequest]] = {}
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = self.begin(work)
        try:
            return future.result(timeout_s)
        except FutureTimeout as error:
            future.cancel()
            raise NoAnswer(f"no answer within {timeout_s:.0f} s") from error

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def bot(self, token: str, api_url: str) -> tuple[Bot, HTTPXRequest]:
        """Return the bot of this token and its connections; creates them at first use. Call under `_lock`."""
        key = (token, api_url)
        if key not in self._bots:
            # A proxy from the environment cannot reach a local server.
            local = urlsplit(api_url).hostname in _LOOPBACK
            request = HTTPXRequest(
                connection_pool_size=_CONNECTIONS_MAX,
                media_write_timeout=_MEDIA_WRITE_S_MAX,
                httpx_kwargs={"trust_env": False} if local else None,
            )
            # The second request object is for Bot.get_updates, which is never called. A separate one would create
            # another SSL context.
            bot = Bot(
                token,
                base_url=f"{api_url.rstrip('/')}/bot",
                base_file_url=f"{api_url.rstrip('/')}/file/bot",
                request=request,
                get_updates_request=request,
            )
            self._bots[key] = (bot, request)
        return self._bots[key]

    async def client(self, api_url: str) -> httpx.AsyncClient:
        """Return the HTTP client for file downloads, whose URLs differ from those of methods."""
        local = urlsplit(api_url).hostname in _LOOPBACK
        if local not in self._clients:
            self._clients[local] = httpx.AsyncClient(
                trust_env=not local,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
            )
        return self._clients[local]

    def close(self) -> None:
        self.run(self._close_bots(), _CLOSE_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S_MAX)
        self._loop.close()

    async def _close_bots(self) -> None:
        for _, request in self._bots.values():
            await request.shutdown()
        for client in self._clients.values():
            await client.aclose()


_lock = threading.Lock()
_current: _Loop | None = None


def _running() -> _Loop:
    """Return the loop of this process; a forked child starts its own. Call under `_lock`."""
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _Loop()
    return _current


def call(token: str, api_url: str, method: str, *, timeout_s: float, **parameters: Any) -> Any:
    """Call a method (`send_message`) and return its result as JSON; parameters may be python-telegram-bot's objects.

    The library rejects some real responses, such as a message that replies to an unusual one. Parsing the result with
    it would report a sent message as failed, and the desk would send it again. Raises telegram.error.TelegramError, or
    NoAnswer after `timeout_s`.
    """
    with _lock:
        loop = _running()
        bot, _ = loop.bot(token, api_url)
    uploads = "media" in parameters or any(isinstance(value, InputFile) for value in parameters.values())
    work = bot.do_api_request(
        # The Bot API ignores the case of method names. python-telegram-bot warns if the name is an attribute of Bot
        # (`send_message`, `sendMessage`), so this call capitalises it.
        "".join(word.capitalize() for word in method.split("_")),
        parameters,
        connect_timeout=limits.send_connect_timeout_s,
        pool_timeout=limits.send_connect_timeout_s,
        read_timeout=limits.telegram_upload_read_timeout_s if uploads else limits.send_read_timeout_s,
    )
    return loop.run(work, timeout_s)


def begin_raw(
    token: str, api_url: str, method: str, parameters: dict[str, str], *, read_timeout_s: float
) -> Future[bytes]:
    """Start a call and return a future of the response body; the caller may cancel it.

    getUpdates needs the bytes, because python-telegram-bot rejects some updates. The future raises
    telegram.error.TelegramError.
    """
    with _lock:
        loop = _running()
        bot, request = loop.bot(token, api_url)
    return loop.begin(
        request.retrieve(
            f"{bot.base_url}/{method}?{urlencode(parameters)}",
            read_timeout=read_timeout_s,
            connect_timeout=limits.send_connect_timeout_s,
            pool_timeout=limits.send_connect_timeout_s,
        )
    )


def download(token: str, api_url: str, file_path: str, out: BinaryIO, *, bytes_max: int) -> int:
    """Download the file at a path from getFile into `out` in blocks; returns its size.

    Raises httpx.HTTPError, TooLarge above `bytes_max`, NoAnswer. The URL contains the token: never show the texts of
    these errors.
    """
    with _lock:
        loop = _running()
    work = _download(loop, token, api_url, file_path, out, bytes_max)
    return loop.run(work, limits.telegram_download_s_max)


class TooLarge(Exception):
    """The file is longer than the allowed number of bytes."""


async def _download(loop: _Loop, token: str, api_url: str, file_path: str, out: BinaryIO, bytes_max: int) -> int:
    client = await loop.client(api_url)
    url = f"{api_url.rstrip('/')}/file/bot{token}/{file_path}"
    timeout = httpx.Timeout(limits.send_read_timeout_s, connect=limits.send_connect_timeout_s)
    size = 0
    async with client.stream("GET", url, timeout=timeout) as answer:
        answer.raise_for_status()
        async for block in answer.aiter_bytes(_BLOCK_BYTES):
            size += len(block)
            if size > bytes_max:
                raise TooLarge
            out.write(block)
    return size


def close() -> None:
    """Close all bots and stop the loop, when a worker shuts down. A later send starts a new loop."""
    global _current
    with _lock:
        running, _current = _current, None
        if running is not None and running.pid == os.getpid():
            running.close()
