"""Accounts are tried against servers that speak the real protocols."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from queues.channel_port import webhook_url
from queues.channels.email import reach as email
from queues.channels.telegram import reach as telegram
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden


def account(base: ChannelAccount, **changes: Any) -> ChannelAccount:
    return replace(base, config={**base.config, **changes})


def test_setup_sets_the_webhook_and_test_then_finds_nothing_wrong(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "a-secret")
    monkeypatch.setenv("NESTOR_SECRET_TEST_PATH", "unguessable")
    config = golden.settings(telegram_api_url=sandbox.bot_api_url)
    bot = account(golden.TELEGRAM, path_id={"secret": "test_path"})

    before = telegram.test(bot, config)
    done = telegram.setup(bot, config, public_url="https://desk.example.test/")
    after = telegram.test(bot, config)

    assert [one.text for one in before if not one.ok] == ["no webhook is set: run `python -m scripts.channels setup`"]
    assert all(one.ok for one in done), done
    assert all(one.ok for one in after), after
    shown = " ".join(one.text for one in [*before, *done, *after])
    assert "unguessable" not in shown
    assert "test-token" not in shown


def test_the_webhooks_address_ends_in_the_secret_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_PATH", "unguessable")
    bot = account(golden.TELEGRAM, path_id={"secret": "test_path"})

    assert webhook_url(golden.TELEGRAM, golden.settings(), "https://x/") == "https://x/webhooks/telegram/demo"
    assert webhook_url(bot, golden.settings(), "https://x") == "https://x/webhooks/telegram/unguessable"


def test_a_bot_that_polls_has_its_webhook_taken_away(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "a-secret")
    config = golden.settings(telegram_api_url=sandbox.bot_api_url)
    telegram.setup(golden.TELEGRAM, config, public_url="https://desk.example.test")
    bot = account(golden.TELEGRAM, delivery="polling")

    wrong = telegram.test(bot, config)
    done = telegram.setup(bot, config, public_url="https://desk.example.test")

    assert any("a webhook is set" in one.text for one in wrong if not one.ok)
    assert all(one.ok for one in done), done


def test_a_missing_credential_is_reported_by_its_name() -> None:
    findings = telegram.test(account(golden.TELEGRAM, token={"secret": "nowhere"}), golden.settings())

    assert [(one.ok, "NESTOR_SECRET_NOWHERE" in one.text) for one in findings] == [(False, True)]


def test_a_relay_that_talks_to_us_is_told(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "a-secret")

    findings = email.test(golden.EMAIL, golden.settings())

    assert [(one.ok, one.text) for one in findings] == [
        (True, "every credential that the file names is there"),
        (True, "SMTP: the relay talks to us"),
    ]
    assert sandbox.outbox("email") == []


def test_a_relay_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "a-secret")
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", "smtp://127.0.0.1:1")

    [finding] = [one for one in email.test(golden.EMAIL, golden.settings()) if not one.ok]

    assert finding.text.startswith("SMTP: connecting failed")


def test_a_mailbox_that_cannot_be_reached_is_reported_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP", "imap://ada:hunter2@127.0.0.1:1")
    mailbox = account(golden.EMAIL, provider="imap", imap_url={"secret": "test_imap"})

    findings = [one for one in email.test(mailbox, golden.settings()) if "IMAP" in one.text]

    assert [one.ok for one in findings] == [False]
    assert "hunter2" not in findings[0].text


def test_setup_of_a_mailbox_shows_the_address_for_its_provider(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_WEBHOOK", "a-secret")

    first, *_ = email.setup(golden.EMAIL, golden.settings(), public_url="https://desk.example.test")

    assert "https://desk.example.test/webhooks/email/demo" in first.text
