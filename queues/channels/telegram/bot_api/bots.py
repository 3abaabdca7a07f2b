"""The one event loop and the bots of this process.

python-telegram-bot is asynchronous and a Bot belongs to the loop that first used it: `asyncio.run` for each send fails
every second time, and a new Bot for each send costs 60 ms. So one thread runs one loop, started at the
first send (after any fork), and one Bot a token lives in it with its connections kept open.
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

# httpx and anyio import these two at the first request, in the thread that sends. A worker has to import them before its threads start.
import anyio._backends._asyncio  # noqa: F401
import httpcore  # noqa: F401
import httpx

# Retry-After as a timedelta; as a number it warns that it is going away.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from telegram import Bot, InputFile
from telegram.request import HTTPXRequest

from models.kernel import limits

# httpx writes each URL at INFO, and a Bot API URL contains the token.
for _logger in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_logger).setLevel(logging.WARNING)
# On an answer that is not JSON it logs the whole answer; we report the outcome ourselves.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)

T = TypeVar("T")

_CONNECTIONS_MAX = 16  # of one bot; twice the worker threads
_MEDIA_WRITE_S_MAX = 60.0  # between two pieces of an upload; a slow link stalls, a dead one is given up
_BLOCK_BYTES = 64 * 1024  # of a download, held at a time
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
        """The bot of this token and its connections, made at first use. Call under `_lock`."""
        key = (token, api_url)
        if key not in self._bots:
            # A proxy of the environment leads out of the machine; a local server is not there.
            local = urlsplit(api_url).hostname in _LOOPBACK
            request = HTTPXRequest(
                connection_pool_size=_CONNECTIONS_MAX,
                media_write_timeout=_MEDIA_WRITE_S_MAX,
                httpx_kwargs={"trust_env": False} if local else None,
            )
            # The second request object is for Bot.get_updates, which we never call; an own one would cost another SSL context.
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
        """Connections for the download of files, whose addresses have another form than methods'."""
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
    """This process's loop; a forked child starts its own. Call under `_lock`."""
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _Loop()
    return _current


def call(token: str, api_url: str, method: str, *, timeout_s: float, **parameters: Any) -> Any:
    """Call a method (`send_message`) and return its result as JSON; parameters may be python-telegram-bot's objects.

    As JSON, because the library refuses some real answers (a message that answers an odd one): what was sent would then
    count as lost and be sent again. Raises telegram.error.TelegramError, or NoAnswer after `timeout_s`.
    """
    with _lock:
        loop = _running()
        bot, _ = loop.bot(token, api_url)
    uploads = "media" in parameters or any(isinstance(value, InputFile) for value in parameters.values())
    work = bot.do_api_request(
        # Method names have no case for the Bot API; in its own spelling the library would warn that it knows a method of that name.
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
    """Start a call whose answer is wanted as bytes (getUpdates: python-telegram-bot refuses some updates). Cancel it to give up.

    The future raises telegram.error.TelegramError.
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
    """Write a file that getFile named to `out`, block by block; returns its size.

    Raises httpx.HTTPError, TooLarge above `bytes_max`, NoAnswer. The address holds the token: never show these errors' texts.
    """
    with _lock:
        loop = _running()
    work = _download(loop, token, api_url, file_path, out, bytes_max)
    return loop.run(work, limits.telegram_download_s_max)


class TooLarge(Exception):
    """The file goes on after the bytes that were allowed."""


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
    """Close all bots and end the loop; for the worker's shutdown. A later send starts anew."""
    global _current
    with _lock:
        running, _current = _current, None
        if running is not None and running.pid == os.getpid():
            running.close()
