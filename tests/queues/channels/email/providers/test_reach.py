"""`python -m scripts.channels test` asks a provider's API whether it knows our key, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from queues.channel_port import Finding
from queues.channels.email import providers, reach
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.fake_api import FakeApi
from tests.queues.channels.email.providers.outbound import CARRIERS
from tests.queues.channels.email.providers.recorded import FOLDERS, NAMES, manners

WITH_API = [name for name in NAMES if (FOLDERS / name / "reach.py").is_file()]
FINE: dict[str, Any] = {
    "mailgun": {"domain": {"name": "mg.example.test", "state": "active"}},
    "sendgrid": {"scopes": ["mail.send", "user.account.read"]},
    "ses": {"SendingEnabled": True, "ProductionAccessEnabled": True},
}
PATHS = {
    "brevo": "/v3/account",
    "mailgun": "/v3/domains/mg.example.test",
    "postmark": "/server",
    "resend": "/domains",
    "sendgrid": "/v3/scopes",
    "ses": "/v2/email/account",
}


def tried(provider: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch, **config: Any) -> list[Finding]:
    for name, value in manners(provider).secrets().items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    known = recorded.config(provider) | getattr(manners(provider), "OUTBOUND", {}) | {"api_url": api.url, **config}
    known |= {"outbound": provider} if provider in CARRIERS else {}
    account = ChannelAccount("email", provider, 1, known)
    [check] = providers.key_checks(account)
    return check.test(account, golden.settings())


@pytest.mark.parametrize("provider", WITH_API)
def test_a_key_that_the_provider_knows_is_fine(provider: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.answer(200, FINE.get(provider, {}))

    [finding] = tried(provider, api, monkeypatch)

    assert finding.ok, finding
    [call] = api.calls
    assert (call.method, call.path) == ("GET", PATHS[provider])
    assert not any(value in finding.text for value in manners(provider).secrets().values())


@pytest.mark.parametrize("provider", WITH_API)
@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_key_that_it_does_not_know_and_a_server_that_is_away_are_told(
    provider: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    api.answer(status, {"message": "no"})

    [finding] = tried(provider, api, monkeypatch)

    assert not finding.ok
    assert str(status) in finding.text


@pytest.mark.parametrize("provider", WITH_API)
def test_no_connection_is_told(provider: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    [finding] = tried(provider, api, monkeypatch, api_url="http://127.0.0.1:1")

    assert not finding.ok
    assert "no connection" in finding.text


@pytest.mark.parametrize(
    ("provider", "status", "answer", "ok", "words"),
    [
        ("mailgun", 404, {"message": "Domain not found"}, False, "there is no domain mg.example.test"),
        ("mailgun", 200, {"domain": {"state": "unverified"}}, False, "is unverified"),
        ("sendgrid", 200, {"scopes": ["user.account.read"]}, False, "mail.send"),
        ("ses", 200, {"SendingEnabled": False}, False, "paused"),
        (
            "ses",
            200,
            {"SendingEnabled": True, "ProductionAccessEnabled": False},
            True,
            "verified addresses only",
        ),
        ("resend", 401, {"name": "restricted_api_key"}, False, "full access"),
    ],
)
def test_problems_that_would_stop_the_mail_are_reported_beforehand(
    provider: str,
    status: int,
    answer: Any,
    ok: bool,
    words: str,
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api.answer(status, answer)

    [finding] = tried(provider, api, monkeypatch)

    assert (finding.ok, words in finding.text) == (ok, True), finding


def test_the_channels_own_test_asks_the_provider_and_setup_names_both_addresses(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**manners("postmark").secrets(), **manners("mailgun").secrets()}.items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    config = recorded.config("postmark") | manners("mailgun").OUTBOUND  # type: ignore[attr-defined]  # a carrier has it
    both = ChannelAccount("email", "desk", 1, config | {"outbound": "mailgun", "api_url": api.url, "smtp_url": None})
    for _ in range(2):
        api.answer(200, FINE["mailgun"])

    found = [one.text for one in reach.setup(both, golden.settings(), public_url="https://desk.example.test")]

    assert any("let postmark post mail to https://desk.example.test/webhooks/email/desk (" in text for text in found)
    assert any("https://desk.example.test/webhooks/email/desk?provider=mailgun" in text for text in found)
    assert len(api.calls) == 2


@pytest.mark.parametrize("provider", ["mailersend", "sparkpost", "postal", "mandrill", "described"])
def test_a_provider_that_only_takes_mail_in_is_said_to_send_by_smtp(provider: str) -> None:
    account = ChannelAccount("email", "support", 1, {"provider": provider, "address": "support@example.test"})

    found = [one.text for one in reach.test(account, golden.settings())]

    server = f"for {provider}, `smtp_url` names its SMTP server"
    assert f"{provider} only takes mail in; mail leaves by smtp; {server}" in found
