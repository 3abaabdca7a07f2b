"""A worker that lacks a key or a credential keeps what it has to do, says at the account why, and does it when it is
mended.
"""

from __future__ import annotations

import pytest

from models.channels import health
from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.ports.inbound import InboundMessage
from scripts.diag import ledger
from tests.desk import Desk
from tests.queues.channels.every import Provider, each_channel
from tests.queues.channels.test_conformance_outbound import answer, outcomes, provider

__all__ = ["provider"]
CREDENTIALS = {
    "telegram": "TELEGRAM_DEMO_TOKEN",
    "email": "EMAIL_DEMO_SMTP_URL",
    "webhook": "WEBHOOK_DEMO_REPLY_URL",
}


def problems(desk: Desk) -> str:
    return "\n".join(problem for part in ledger.parts(desk.settings) for problem in part.problems)


def run_for_hours(desk: Desk, hours: int) -> None:
    for _ in range(hours * 4):
        desk.advance(minutes=15)
        desk.run_due()


def check_that_it_waits_and_goes_out(desk: Desk, provider: Provider, lack: pytest.MonkeyPatch, named: str) -> None:
    """Answer while something is missing; `lack.undo()` mends it."""
    settings.current.cache_clear()
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    run_for_hours(desk, 3)

    channel = answer(desk)["channel"]
    assert answer(desk)["state"] == "pending", answer(desk)
    assert set(outcomes(desk)) == {"transient"}
    assert named in (health.of(channel, "demo").error or "")
    assert named in problems(desk)

    lack.undo()
    settings.current.cache_clear()
    run_for_hours(desk, 1)

    assert answer(desk)["state"] == "sent"
    assert provider.taken()[1:] == ["Water it."]
    assert health.of(channel, "demo").error is None
    assert problems(desk) == ""


@each_channel
def test_an_answer_waits_for_a_credential_that_is_missing(provider: Provider, desk: Desk, channel: str) -> None:
    with pytest.MonkeyPatch.context() as lack:
        lack.delenv(f"NESTOR_SECRET_{CREDENTIALS[channel]}")

        check_that_it_waits_and_goes_out(desk, provider, lack, CREDENTIALS[channel])


@pytest.mark.parametrize("channel", ["email"])
def test_a_mail_waits_for_the_secret_key(provider: Provider, desk: Desk, channel: str) -> None:
    with pytest.MonkeyPatch.context() as lack:
        lack.delenv("SECRET_KEY")

        check_that_it_waits_and_goes_out(desk, provider, lack, "SECRET_KEY")


@each_channel
def test_an_adapter_that_lets_a_wrong_configuration_out_has_sent_nothing(
    provider: Provider, desk: Desk, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeat after an unknown outcome may double a message; after this one it cannot."""
    from queues import channels

    real = channels.get(channel).sender

    def refuse(*arguments: object) -> None:
        raise ConfigurationError("PUBLIC_URL: expected http(s)://host")

    with pytest.MonkeyPatch.context() as lack:
        lack.setattr(real, "send", refuse)

        check_that_it_waits_and_goes_out(desk, provider, lack, "PUBLIC_URL")


def test_an_event_waits_for_the_key_that_its_parser_needs(desk: Desk) -> None:
    desk.receive(ConfigurationError("SECRET_KEY is not set"))
    run_for_hours(desk, 3)
    assert desk.tickets() == []
    assert desk.tasks("dead") == []
    assert "1 task waiting: configuration: SECRET_KEY is not set" in problems(desk)

    desk.scripted = dict.fromkeys(desk.scripted, InboundMessage("ada", "Ada", "ada", "It burns."))
    run_for_hours(desk, 1)

    assert len(desk.tickets()) == 1
    assert problems(desk) == ""


def test_a_file_waits_for_the_folder_that_is_not_mounted(desk: Desk) -> None:
    from models.blobs import stores

    with pytest.raises(ConfigurationError, match="BLOB_URL"):
        stores.open_store("file:/nonexistent/nestor-blobs", "").open("a" * 64)
