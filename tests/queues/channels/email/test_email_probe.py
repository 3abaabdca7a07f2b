"""The check that the mail server removes Authentication-Results headers which a sender writes."""

from __future__ import annotations

from typing import Any

import pytest

from queues.channels.email import probe
from tests.queues.channels import golden
from tests.queues.channels.email.judging.proofs import TRUSTED, account
from tests.queues.channels.email.writing.relay import Relay


def _event(*headers: str) -> tuple[bytes, dict[str, str]]:
    return "\r\n".join([*headers, "From: ada@example.test", "", "x"]).encode(), {}


PASS = "Authentication-Results: mx.desk.test; dmarc=pass header.from=example.test"
FOREIGN = "Authentication-Results: mx.evil.test; dmarc=pass header.from=example.test"


@pytest.mark.parametrize(
    ("events", "ok", "said"),
    [
        ([], True, "no mail has come in yet"),
        ([_event(PASS), _event(PASS)], True, "2 of the last 2 mails"),
        ([_event(PASS), _event()], False, "1 of the last 2 mails"),
        ([_event(FOREIGN, PASS)], False, "0 of the last 1 mails"),
    ],
)
def test_the_latest_mails_show_if_the_server_judges_senders(events: list[Any], ok: bool, said: str) -> None:
    [finding] = probe.received(events, account(authserv_ids=TRUSTED))

    assert finding.ok is ok
    assert said in finding.text


def test_a_mailbox_without_a_judge_has_nothing_to_check() -> None:
    [finding] = probe.received([_event(PASS)], account())

    assert finding.ok
    assert probe.send(account(), golden.settings())[0] == ""


@pytest.mark.parametrize("keeps", [True, False])
def test_a_probe_shows_if_the_server_removes_foreign_headers(keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay() as relay:
        monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", relay.url())
        box = account(authserv_ids=TRUSTED)

        mark, finding = probe.send(box, golden.settings())
        [sent] = [one.content for one in relay.taken]

    # given the mail as the server hands it on
    raw = (
        sent if keeps else b"\r\n".join(line for line in sent.split(b"\r\n") if not line.startswith(b"Authentication"))
    )
    judged = probe.arrived((raw, {}), mark, box)
    other = probe.arrived(_event(PASS, "Message-ID: <1@example.test>"), mark, box)

    assert finding.ok
    assert judged is not None
    assert judged.ok is not keeps
    assert other is None


def test_a_relay_that_takes_no_mail_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", "smtp://127.0.0.1:9")

    mark, finding = probe.send(account(authserv_ids=TRUSTED), golden.settings())

    assert (mark, finding.ok) == ("", False)
