"""The Bot API server: authenticate, misbehave if asked to, run the method, answer in the API's form."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from scripts.sandbox.faults import BotFault, FaultBook
from scripts.sandbox.files import FilesFull
from scripts.sandbox.httpd import CloseConnection, Request, Response, json_response
from scripts.sandbox.telegram.bot_context import Context, Method
from scripts.sandbox.telegram.bot_methods import Methods
from scripts.sandbox.telegram.bot_request import ApiError, Call, read_parameters
from scripts.sandbox.telegram.rates import Rates

log = logging.getLogger("nestor.sandbox")

_PATH = re.compile(r"/bot([^/]+)/([^/]+)/?")
_FILE_PATH = re.compile(r"/file/bot([^/]+)/documents/([0-9a-f]{64})")
_TOKEN = re.compile(r"(\d{1,18}):[\w-]{1,100}", re.ASCII)


@dataclass(slots=True)
class BotSettings:
    """Settings that a test may change while the server runs."""

    rate_limits: bool = False
    tokens: frozenset[str] | None = None  # None: every well-formed token is a bot
    unknown_chats: set[int | str] = field(default_factory=set)


class BotApi:
    def __init__(
        self,
        context: Context,
        *,
        faults: FaultBook[BotFault],
        settings: BotSettings,
    ) -> None:
        self._faults = faults
        self._files = context.files
        self._bots = context.bots
        self._chats = context.chats
        self._settings = settings
        self._rates = Rates()
        self._methods = Methods(context)

    async def handle(self, request: Request) -> Response:
        try:
            download = _FILE_PATH.fullmatch(request.path)
            if download is not None:
                return self._download(download[1], download[2])
            return json_response({"ok": True, "result": await self._result(request)})
        except ApiError as error:
            return error.response()
        except FilesFull as error:
            return ApiError(500, f"Internal Server Error: {error}").response()

    async def _result(self, request: Request) -> Any:
        path = _PATH.fullmatch(request.path)
        if path is None:
            raise ApiError(404, "Not Found")
        bot_id = self._authenticated(path[1])
        if request.method not in ("GET", "POST"):
            raise ApiError(405, "Method Not Allowed")
        params, uploads = read_parameters(request)
        found = self._methods.find(path[2])
        if found is None:
            # python-telegram-bot calls this an invalid token; the log tells who uses a method that we lack.
            log.warning("method_unknown name=%.64r", path[2])
            raise ApiError(404, "Not Found")
        call = Call(bot_id, found.name, params, uploads)
        fault = self._faults.take(lambda one: one.matches(call.method, call.chat_id))
        if fault is not None:
            return await _play(fault, call, lambda: self._run(found, call))
        return await self._run(found, call)

    async def _run(self, method: Method, call: Call) -> Any:
        if method.needs_chat:
            self._check_chat(call.chat_id)
        if method.is_limited and call.chat_id is not None:
            self._chats.check_reachable(call.chat_id)
        if method.is_limited and self._settings.rate_limits and call.chat_id is not None:
            retry_after = self._rates.retry_after_s(call.bot_id, call.chat_id)
            if retry_after:
                raise _too_many(f"Too Many Requests: retry after {retry_after}", retry_after)
        result = method.run(call)
        return await result if isawaitable(result) else result

    def _authenticated(self, token: str) -> int:
        match = _TOKEN.fullmatch(token)
        if match is None or (self._settings.tokens is not None and token not in self._settings.tokens):
            raise ApiError(401, "Unauthorized")
        return self._bots.get(int(match[1])).bot_id

    def _check_chat(self, chat_id: int | str | None) -> None:
        if chat_id is None:
            raise ApiError(400, "Bad Request: chat_id is empty")
        named = isinstance(chat_id, int) or chat_id.startswith("@")
        if chat_id == 0 or not named or chat_id in self._settings.unknown_chats:
            raise ApiError(400, "Bad Request: chat not found")

    def _download(self, token: str, sha256: str) -> Response:
        self._authenticated(token)
        content = self._files.read(sha256)
        if content is None:
            raise ApiError(404, "Not Found")
        return Response(200, content, "application/octet-stream")


def error_form(status: int, text: str) -> Response:
    """Return the Bot API's answer to an unreadable request."""
    return ApiError(status, text).response()


def _too_many(description: str, retry_after: int) -> ApiError:
    return ApiError(429, description, {"retry_after": retry_after})


async def _play(fault: BotFault, call: Call, run: Callable[[], Awaitable[Any]]) -> Any:
    if fault.kind == "drop_before":
        raise CloseConnection
    if fault.kind == "drop_after":
        await run()
        raise CloseConnection
    if fault.kind == "hang":
        result = await run()
        await asyncio.sleep(fault.hang_s)
        return result
    if fault.kind == "429":
        raise _too_many(fault.description, fault.retry_after)
    if fault.kind == "migrate":
        old_id = call.chat_id if isinstance(call.chat_id, int) else 0
        new_id = fault.migrate_to_chat_id or -1_000_000_000_000 - abs(old_id)
        raise ApiError(400, fault.description, {"migrate_to_chat_id": new_id})
    raise ApiError(int(fault.kind), fault.description)
