"""The bytes that python-telegram-bot writes, caught on the wire, are what the fake takes: no more, no less."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from telegram import Bot, InputFile, InputMediaDocument, MessageEntity, ReplyParameters
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from scripts.sandbox.client import SandboxProcess
from tests.servers import Got, Say, receiving

ADA = 1001


def caught(use: Callable[[Bot], Awaitable[Any]]) -> Got:
    """The one request of `use`."""

    async def session() -> None:
        request = HTTPXRequest(httpx_kwargs={"trust_env": False})
        bot = Bot("4242:token", base_url=f"{url}/bot", request=request, get_updates_request=request)
        with pytest.raises(TelegramError, match="Caught"):
            await use(bot)
        await request.shutdown()

    with receiving() as server:
        server.otherwise = Say(400, b'{"ok": false, "error_code": 400, "description": "Bad Request: caught"}')
        url = server.url.removesuffix("/hook")
        asyncio.run(session())
    [request] = server.got
    return request


def given_to_the_fake(sandbox: SandboxProcess, request: Got) -> dict[str, Any]:
    connection = http.client.HTTPConnection(sandbox.bot_api_url.removeprefix("http://"), timeout=5)
    connection.request("POST", request.path, request.body, {"Content-Type": request.headers["content-type"]})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_a_text_is_a_form_whose_composite_values_are_json(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    request = caught(
        lambda bot: bot.send_message(
            ADA,
            "Hello & bye",
            entities=[MessageEntity("bold", 0, 5)],
            reply_parameters=ReplyParameters(5, allow_sending_without_reply=True),
            disable_notification=True,
        )
    )

    answer = given_to_the_fake(sandbox, request)

    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert json.loads(form["entities"]) == [{"type": "bold", "offset": 0, "length": 5}]
    assert json.loads(form["reply_parameters"])["message_id"] == 5
    assert form["disable_notification"] == "true"
    assert answer["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 5}]


def test_a_file_is_multipart_and_an_albums_files_are_named_in_its_json(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    single = caught(lambda bot: bot.send_document(ADA, InputFile(b"%PDF", filename="счёт.pdf"), caption="Bill"))
    album = caught(
        lambda bot: bot.send_media_group(ADA, [InputMediaDocument(b"1", filename="a"), InputMediaDocument(b"2")])
    )

    first, second = given_to_the_fake(sandbox, single), given_to_the_fake(sandbox, album)

    assert single.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="document"; filename="' in single.body
    assert first["result"]["document"]["file_name"] == "счёт.pdf"
    assert album.body.count(b"attach://attached") == 2
    assert len(second["result"]) == 2
    assert [entry["files"][0]["size_bytes"] for entry in sandbox.outbox()] == [4, 1, 1]
