"""What Authentication-Results prove, and what a forger cannot make them prove."""

from __future__ import annotations

import pytest

from models.ports.inbound import InboundMessage, Verdict
from queues.channels.email.judging.authentication import verdict
from queues.channels.email.parse import read_mail
from queues.channels.email.reading.header_block import split_headers
from tests.queues.channels import golden

TRUSTED = ["mx.desk.test"]


def judge(*results: str, author: str = "Ada <ada@example.test>", provider: Verdict | None = None) -> Verdict:
    lines = [f"Authentication-Results: {one}" for one in results]
    headers, _ = split_headers("\r\n".join([*lines, f"From: {author}", "", ""]).encode())
    return verdict(headers, TRUSTED, provider).verdict


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([], "none"),
        (["mx.desk.test; none"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test"], "pass"),
        (
            [
                "MX.desk.test 1; spf=pass smtp.mailfrom=x@bulk.test; dmarc=pass (p=reject dis=none)"
                " header.from=example.test"
            ],
            "pass",
        ),
        (["mx.desk.test; dmarc=pass header.from=sub.example.test"], "pass"),
        (["mx.desk.test; dmarc=pass header.from=other.test"], "none"),
        (["mx.desk.test; dmarc=fail header.from=example.test; spf=pass smtp.mailfrom=example.test"], "fail"),
        (["mx.desk.test; dmarc=none; dkim=pass header.d=example.test; spf=none"], "pass"),
        (["mx.desk.test; dkim=pass header.i=@mail.example.test"], "pass"),
        (["mx.desk.test; dkim=pass header.d=evil.test"], "none"),
        (["mx.desk.test; spf=pass smtp.mailfrom=ada@example.test"], "pass"),
        (["mx.desk.test; spf=softfail smtp.mailfrom=ada@example.test"], "none"),
        (["mx.desk.test; spf=fail smtp.mailfrom=ada@example.test; dkim=pass header.d=example.test"], "fail"),
        (["mx.desk.test; dkim=fail (bad signature) header.d=example.test"], "fail"),
        (["mx.desk.test; compauth=fail reason=001"], "fail"),
        (["mx.evil.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test.evil.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; spf=none", "mx.desk.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test", "mx.desk.test; dmarc=fail"], "fail"),
        (["mx.evil.test; dmarc=fail", "mx.desk.test; dmarc=pass header.from=example.test"], "pass"),
        (["mx.desk.test; x=y (dmarc=pass header.from=example.test)"], "none"),
        (['mx.desk.test; spf=none reason="; dmarc=pass"'], "none"),
        (["mx.desk.test; dkim=pass header.d=co.uk"], "none"),
        ([""], "none"),
        ([";;;=;" * 100], "none"),
        (["mx.desk.test; " + "(" * 5_000], "none"),
    ],
)
def test_only_a_trusted_server_s_word_counts(results: list[str], found: Verdict) -> None:
    assert judge(*results) == found


def test_several_authors_cannot_pass() -> None:
    assert judge("mx.desk.test; dmarc=pass", author="ada@example.test, boss@bank.test") == "none"


@pytest.mark.parametrize(
    ("results", "provider", "found"),
    [
        ([], "pass", "pass"),
        ([], "fail", "fail"),
        (["mx.desk.test; dmarc=fail"], "pass", "fail"),
        (["mx.desk.test; dmarc=pass"], "fail", "fail"),
    ],
)
def test_a_fail_of_the_provider_or_of_the_server_wins(results: list[str], provider: Verdict, found: Verdict) -> None:
    assert judge(*results, provider=provider) == found


def test_a_mail_carries_its_verdict_and_what_it_rests_on() -> None:
    account = golden.EMAIL.__class__("email", "demo", 1, golden.EMAIL.config | {"authserv_ids": TRUSTED})
    raw = (
        b"Authentication-Results: mx.desk.test; dmarc=pass header.from=example.test\r\nFrom: ada@example.test\r\n\r\nx"
    )

    parsed = read_mail(raw, {}, account)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.verdict, parsed.details) == ("pass", {"authentication": "dmarc=pass"})


def test_an_author_behind_a_list_is_named_but_not_proved() -> None:
    account = golden.EMAIL.__class__("email", "demo", 1, golden.EMAIL.config | {"authserv_ids": TRUSTED})
    raw = (
        b"Authentication-Results: mx.desk.test; dmarc=pass header.from=lists.test\r\nList-Id: <l.lists.test>\r\n"
        b"From: Ada via L <l@lists.test>\r\nX-Original-From: %s\r\nReply-To: Ada <ada@example.test>\r\n\r\nx"
    )

    agreed, differing = (read_mail(raw % one, {}, account) for one in (b"Ada <ada@example.test>", b"boss@bank.test"))

    assert isinstance(agreed, InboundMessage)
    assert isinstance(differing, InboundMessage)
    assert (agreed.author_address, agreed.verdict) == ("ada@example.test", "none")
    assert (differing.author_address, differing.verdict) == ("l@lists.test", "pass")
