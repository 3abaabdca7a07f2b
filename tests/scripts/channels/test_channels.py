"""`python -m scripts.channels`: as an operator runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.channels import health
from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.ports.outbound import transient
from queues.channel_port import Finding
from queues.channels.email import probe
from scripts.channels import probing
from tests.desk import Desk
from tests.scripts.verbs import run_verb

GOOD = "channel: telegram\naccount: support\ntoken: {secret: bot}\nsecret_token: {secret: hook}\n"


def test_the_shipped_accounts_are_fine() -> None:
    result = run_verb("channels", "check")

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("token: {secret: bot}", "token: 4242:abc"), "2: credentials are named, never contained"),
        (("channel: telegram", "channel: pigeon"), "expected one of email, telegram"),
        (("account: support", "account: ../support"), ".account"),
        (("secret_token", "secret_tokin"), "did you mean `secret_token`?"),
        (("token: {secret: bot}\n", ""), "missing required field `token`"),
        (("hook}\n", "hook}\ngroups: sometimes\n"), ".groups"),
    ],
)
def test_a_wrong_file_is_reported_with_its_place(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "telegram.support.yaml"
    path.write_text(GOOD.replace(*change))

    result = run_verb("channels", "check", str(path))

    assert result.returncode == 1
    assert f"{path.name}:" in result.stderr
    assert said.rpartition(": ")[2] in result.stderr
    assert "4242:abc" not in result.stderr


def test_missing_credentials_are_reported_by_name(tmp_path: Path) -> None:
    path = tmp_path / "telegram.support.yaml"
    path.write_text(GOOD)

    result = run_verb("channels", "check", "--credentials", str(path))

    assert result.returncode == 1
    assert "NESTOR_SECRET_BOT" in result.stderr
    assert "NESTOR_SECRET_HOOK" in result.stderr


def test_credentials_of_the_demo_are_asked_for_by_name_only() -> None:
    """A desk without the demo has none of them, and its check is green."""
    everything = run_verb("channels", "check", "--credentials")
    named = run_verb("channels", "check", "--credentials", "telegram.demo")

    assert (everything.returncode, everything.stdout) == (0, "3 channel accounts are fine\n")
    assert named.returncode == 1
    assert "NESTOR_SECRET_TELEGRAM_DEMO_TOKEN" in named.stderr


def test_an_unknown_account_is_named_with_those_that_there_are() -> None:
    result = run_verb("channels", "check", "email.suport")

    assert result.returncode == 1
    assert "email.suport: expected an account or a file that ends in .yaml; there are email.demo" in result.stderr


@pytest.mark.parametrize("name", ["telegram", "pigeon.one", "telegram.nobody"])
def test_a_name_that_is_no_accounts_is_refused_with_a_sentence(name: str) -> None:
    result = run_verb("channels", "test", name)

    assert result.returncode == 1
    assert result.stderr.startswith("nestor: ")
    assert "Traceback" not in result.stderr


def test_status_shows_each_account_and_fails_when_one_has_an_error(desk: Desk) -> None:
    well = run_verb("channels", "status")
    with database.transaction():
        health.report_error("telegram", "demo", "the token was revoked")
        health.report_outcome("email", "demo", transient("the relay answers nothing"))
    ill = run_verb("channels", "status")
    began = clock.rfc3339(health.of("telegram", "demo").error_since or clock.now())
    failed_since = clock.rfc3339(health.of("email", "demo").sending_failed_since or clock.now())

    assert (well.returncode, ill.returncode) == (0, 1)
    assert "telegram.demo" in well.stdout
    assert f"ERROR since {began}: the token was revoked" in ill.stdout
    assert f"sends fail since {failed_since}: the relay answers nothing" in ill.stdout


class _Hands:
    """A probe whose mail the desk receives through a server that keeps or removes foreign headers."""

    def __init__(self, desk: Desk, *, keeps: bool) -> None:
        self._desk, self._keeps = desk, keeps

    def send(self, account: ChannelAccount, settings: Settings) -> tuple[str, Finding]:
        foreign = (
            ["Authentication-Results: mx.desk.test; dmarc=pass header.from=probe-1.invalid"] if self._keeps else []
        )
        raw = "\r\n".join([*foreign, "From: desk@example.test", "Message-ID: <probe-1@example.test>", "", "x"])
        self._desk.receive_raw("email", raw.encode(), content_type="message/rfc822")
        return "probe-1", Finding(True, "sent")

    received = staticmethod(probe.received)
    arrived = staticmethod(probe.arrived)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_probe_is_judged_when_the_desk_has_received_it(desk: Desk, keeps: bool) -> None:
    account = ChannelAccount("email", "demo", 1, {"authserv_ids": ["mx.desk.test"]})

    sent, judged = probing.sent(_Hands(desk, keeps=keeps), account, desk.settings, wait_s=10.0)
    [latest] = probing.received(_Hands(desk, keeps=keeps), account)

    assert sent.ok
    assert judged.ok is not keeps
    assert latest.ok is keeps


def test_a_probe_that_does_not_come_in_is_a_finding(desk: Desk) -> None:
    class Lost(_Hands):
        def send(self, account: ChannelAccount, settings: Settings) -> tuple[str, Finding]:
            return "probe-1", Finding(True, "sent")

    account = ChannelAccount("email", "demo", 1, {"authserv_ids": ["mx.desk.test"]})

    [_, judged] = probing.sent(Lost(desk, keeps=True), account, desk.settings, wait_s=0.0)

    assert not judged.ok
    assert "did not come in" in judged.text
