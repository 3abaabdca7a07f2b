"""A sandbox process of its own for each test (it starts in a tenth of a second), and the real Bot."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from telegram import Bot
from telegram.request import HTTPXRequest

from scripts.sandbox.client import SandboxProcess

TOKEN = "4242:sandbox-token"

WithBot = Callable[..., Any]


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def with_bot(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> WithBot:
    """Run an async function with python-telegram-bot's real Bot against the sandbox."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # durations of its next major version; else it warns

    def run(use: Callable[[Bot], Awaitable[Any]], *, read_timeout_s: float = 5.0) -> Any:
        async def session() -> Any:
            request = HTTPXRequest(read_timeout=read_timeout_s, media_write_timeout=5.0)
            url = sandbox.bot_api_url
            async with Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot", request=request) as bot:
                return await use(bot)

        return asyncio.run(session())

    return run
