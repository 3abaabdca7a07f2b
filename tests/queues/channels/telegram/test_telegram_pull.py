"""Long polling against the fake Bot API: nothing is lost, nothing doubled, and one reader only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.channels import health, positions
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.settings import Settings
from models.kernel.storage import database
from queues.channels.telegram.bot_api import setup
from queues.channels.telegram.pull import OTHER_READER, STOLEN, _Reader, pull, wants
from queues.pulling import accounts, loop
from scripts.sandbox.client import SandboxProcess
from tests.desk import Desk
from tests.queues.channels import golden
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[4]
_within_s = 20.0
TOKEN = "4242:test-token"


@pytest.fixture
def account(desk: Desk, sandbox: SandboxProcess) -> ChannelAccount:
    """The bot, with nothing waiting for it and no webhook."""
    setup.call(TOKEN, sandbox.bot_api_url, "delete_webhook", drop_pending_updates=True)
    sandbox.clear()
    return replace(golden.TELEGRAM, config={**golden.TELEGRAM.config, "delivery": "polling"})


@pytest.fixture
def config(sandbox: SandboxProcess) -> Settings:
    return golden.settings(telegram_api_url=sandbox.bot_api_url)


def write(sandbox: SandboxProcess, text: str, chat_id: int = 700100) -> dict[str, Any]:
    return sandbox.person("message", chat_id, bot_id=4242, text=text)[0]


def stored() -> list[dict[str, Any]]:
    with database.connection():
        rows = database.run("SELECT raw FROM inbox WHERE channel = 'telegram' ORDER BY received_at, id")
    return [json.loads(bytes(row["raw"])) for row in rows]


def pull_all(account: ChannelAccount, config: Settings) -> None:
    pull(account, config, threading.Event(), 0)


def test_only_accounts_that_poll_are_asked_for() -> None:
    assert not wants(golden.TELEGRAM)
    assert wants(replace(golden.TELEGRAM, config={"delivery": "polling"}))


def test_what_people_wrote_is_stored_once_and_as_it_came(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    updates = [write(sandbox, "one"), write(sandbox, "two \ud83d", 700200)]
    sandbox.queue_update({"strange_kind": {"x": 1}}, bot_id=4242)

    pull_all(account, config)
    pull_all(account, config)

    assert stored()[:2] == updates
    assert len(stored()) == 2, "the strange kind was not asked for"
    assert positions.get(account, "updates") == {"version": 1, "offset": updates[-1]["update_id"] + 1}
    assert health.of("telegram", "demo").error is None


def test_a_crash_before_the_commit_brings_the_updates_again(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    write(sandbox, "one")
    killed = _Reader(account, config)
    assert killed.ask(0, threading.Event())

    pull_all(account, config)

    assert [update["message"]["text"] for update in stored()] == ["one"]


def test_a_crash_between_the_commit_and_the_next_question_neither_loses_nor_doubles(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    write(sandbox, "one")
    killed = _Reader(account, config)
    killed.store(killed.ask(0, threading.Event()) or [])
    waiting = setup.get_webhook_info(TOKEN, sandbox.bot_api_url).pending_updates

    write(sandbox, "two")
    pull_all(account, config)

    assert waiting == 1, "Telegram still holds what was not confirmed"
    assert [update["message"]["text"] for update in stored()] == ["one", "two"]


def test_what_was_confirmed_by_nobody_is_recognised_when_it_comes_again(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    write(sandbox, "one")
    pull(account, config, _StopAfterFirst(), 0)
    with database.transaction():  # as after a restore of an older database's position
        positions.put(account, "updates", {"version": 1})

    pull_all(account, config)

    assert [update["message"]["text"] for update in stored()] == ["one"]


class _StopAfterFirst(threading.Event):
    """Set after the first look: the batch is stored, and Telegram is not asked again."""

    def is_set(self) -> bool:
        was = super().is_set()
        self.set()
        return was


@pytest.mark.parametrize(("point", "kept"), [("before_commit", 0), ("after_commit", 2)])
def test_a_killed_process_neither_loses_nor_doubles(
    sandbox: SandboxProcess, account: ChannelAccount, point: str, kept: int
) -> None:
    with database.transaction():  # it has read before; else the first commit is that it took the bot over
        positions.put(account, "updates", {"version": 1})
    for text in ("one", "two"):
        write(sandbox, text)

    def process(**more: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "tests.queues.channels.telegram.polling"],
            cwd=ROOT,
            env={**os.environ, "TELEGRAM_API_URL": sandbox.bot_api_url, **more},
            timeout=60,
            check=False,
        ).returncode

    killed, after_the_kill = process(CRASH_AT=point), len(stored())
    waiting = setup.get_webhook_info(TOKEN, sandbox.bot_api_url).pending_updates
    write(sandbox, "three")
    again = process()

    assert (killed, again) == (137, 0)
    assert (after_the_kill, waiting) == (kept, 2)
    assert [update["message"]["text"] for update in stored()] == ["one", "two", "three"]


def test_a_failure_while_storing_keeps_nothing_of_the_batch_and_no_offset(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sandbox, "one")
    write(sandbox, "two")
    real, calls = inbox.store, []

    def failing(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise TransientFailure("the database went away")
        return real(*args, **kwargs)

    monkeypatch.setattr(inbox, "store", failing)
    with pytest.raises(TransientFailure, match="went away"):
        pull_all(account, config)
    nothing = stored()
    monkeypatch.undo()
    monkeypatch.setenv("NESTOR_SECRET_TEST_TOKEN", TOKEN)
    pull_all(account, config)

    assert nothing == []
    assert [update["message"]["text"] for update in stored()] == ["one", "two"]


def test_a_pressed_button_is_answered_after_it_was_stored(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    query = {
        "id": "77001",
        "from": {"id": 7, "is_bot": False, "first_name": "Ada"},
        "chat_instance": "1",
        "data": "b:x",
    }
    sandbox.queue_update({"callback_query": query}, bot_id=4242)

    pull_all(account, config)

    answers = [e for e in sandbox.outbox("telegram") if e["method"] == "answerCallbackQuery"]
    assert [answer["raw"]["callback_query_id"] for answer in answers] == ["77001"]
    assert len(stored()) == 1


def test_a_press_that_is_too_old_to_be_answered_holds_nothing_up(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    query = {"id": "77002", "from": {"id": 7, "is_bot": False, "first_name": "Ada"}, "data": "b:x"}
    sandbox.queue_update({"callback_query": query}, bot_id=4242)
    sandbox.fail("400", method="answerCallbackQuery", description="Bad Request: query is too old")

    pull_all(account, config)

    assert len(stored()) == 1
    assert health.of("telegram", "demo").error is None


def test_a_webhook_is_removed_once_and_one_set_elsewhere_since_is_said(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings
) -> None:
    url = sandbox.bot_api_url
    setup.set_webhook(TOKEN, url, "https://old.example.test/hook", secret_token="s")
    write(sandbox, "one")

    pull_all(account, config)
    removed = setup.get_webhook_info(TOKEN, url).url
    setup.set_webhook(TOKEN, url, "https://other.example.test/hook", secret_token="s")
    with pytest.raises(ConfigurationError) as stolen:
        pull_all(account, config)
    still = setup.get_webhook_info(TOKEN, url).url
    pull_all(replace(account, version=2), config)  # the file was published again: the operator means it

    assert (removed, still) == ("", "https://other.example.test/hook")
    assert stolen.value.message == STOLEN
    assert setup.get_webhook_info(TOKEN, url).url == ""
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("409", {}, OTHER_READER),
        ("500", {}, "Internal Server Error"),
        ("429", {"retry_after": 3}, "the Bot API asks to wait 3 s"),
        ("401", {}, "the Bot API does not know the bot's token"),
        ("drop_before", {}, "the connection failed"),
    ],
)
def test_a_refused_question_says_why_without_the_token(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings, kind: str, details: Any, expected: str
) -> None:
    sandbox.fail(kind, method="getUpdates", **details)

    with pytest.raises((TransientFailure, ConfigurationError)) as refused:
        pull_all(account, config)

    assert refused.value.message.startswith(expected)
    assert "test-token" not in refused.value.message
    assert isinstance(refused.value, ConfigurationError) == (kind == "401")


def test_a_stop_ends_the_long_wait_at_once(sandbox: SandboxProcess, account: ChannelAccount, config: Settings) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=pull, args=(account, config, stop, 50))
    thread.start()
    write(sandbox, "one")
    wait_until(lambda: len(stored()) == 1, within_s=_within_s, what="the update")

    started = time.monotonic()
    stop.set()
    thread.join(_within_s)

    assert not thread.is_alive()
    assert time.monotonic() - started < 5.0


def test_of_two_processes_one_reads_and_the_other_goes_on_where_it_stopped(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "pulled_accounts", lambda: [account])
    monkeypatch.setattr(limits, "puller_pause_s", 0.01)
    with ExitStack() as stack:
        both = [loop.Pullers(config, look_every_s=0.05) for _ in range(2)]
        for one in both:
            one.start()
            stack.callback(one.stop)
        texts = [f"text {number}" for number in range(20)]
        for text in texts[:10]:
            write(sandbox, text)
        wait_until(lambda: len(stored()) == 10, within_s=_within_s, what="the first ten")
        readers = [one for one in both if one.reading()]

        readers[0].stop()
        for text in texts[10:]:
            write(sandbox, text)
        wait_until(lambda: len(stored()) == 20, within_s=_within_s, what="the other ten")

    assert len(readers) == 1
    assert [update["message"]["text"] for update in stored()] == texts
    assert health.of("telegram", "demo").error is None


def test_another_programs_reading_is_shown_at_the_account(
    sandbox: SandboxProcess, account: ChannelAccount, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "pulled_accounts", lambda: [account])
    sandbox.fail("409", method="getUpdates", times=1_000_000)
    with ExitStack() as stack:
        reader = loop.Pullers(config, look_every_s=0.05)
        reader.start()
        stack.callback(reader.stop)

        wait_until(lambda: health.of("telegram", "demo").error == OTHER_READER, within_s=_within_s, what="the error")
        sandbox.clear()
        wait_until(lambda: health.of("telegram", "demo").error is None, within_s=_within_s, what="the end of it")
