"""A bot's webhook is looked at now and then, and what is wrong with it is seen at the account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.channels import accounts, health
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks.payloads import WatchAccounts
from queues.channel_port import Watched
from queues.channels.telegram import watch
from queues.channels.telegram.bot_api import setup
from scripts.sandbox.client import SandboxProcess
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.queues.channels import golden


def test_what_waits_at_telegram_is_told(sandbox: SandboxProcess) -> None:
    config = golden.settings(telegram_api_url=sandbox.bot_api_url)
    setup.delete_webhook("4242:test-token", config.telegram_api_url)

    without = watch.inspect(golden.TELEGRAM, config)
    setup.set_webhook("4242:test-token", config.telegram_api_url, "https://desk.example.test/x", secret_token="s")
    with_one = watch.inspect(golden.TELEGRAM, config)

    assert without is not None
    assert with_one is not None
    assert "no webhook is set" in (without.error or "")
    assert (with_one.told["webhook_set"], with_one.error) == (True, None)
    assert "pending_updates" in with_one.told
    assert "desk.example.test" not in str(with_one)
    setup.delete_webhook("4242:test-token", config.telegram_api_url)


def test_a_bot_that_polls_is_not_asked() -> None:
    polling = replace(golden.TELEGRAM, config={**golden.TELEGRAM.config, "delivery": "polling"})

    assert watch.inspect(polling, golden.settings()) is None


@pytest.mark.parametrize("error", [None, "Telegram cannot deliver 7 updates: Wrong response"])
def test_what_a_look_finds_stands_at_the_account(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: str | None
) -> None:
    class Watching:
        def inspect(self, account: accounts.ChannelAccount, settings: object) -> Watched:
            return Watched({"pending_updates": 7}, error)

    replace_part(monkeypatch, "watch", lambda channel: Watching() if channel == "telegram" else None)
    with database.transaction():
        health.report_error("telegram", "demo", "an old trouble")
        tasks.enqueue(WatchAccounts())

    desk.run_due()

    found = health.of("telegram", "demo")
    assert (found.error, found.told["pending_updates"]) == (error, 7)
