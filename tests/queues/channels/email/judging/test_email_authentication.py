"""The author's proof of a mail: what a judge's results prove, and what a forger cannot make them prove."""

from __future__ import annotations

from typing import Any

import pytest

from models.ports.author_proof import AuthorProof, Clue, Grade
from models.ports.inbound import Verdict
from queues.channels.email.judging.organisation import is_aligned
from tests.queues.channels.email.judging.proofs import TRUSTED, proof_of, read


def judge(*results: str, author: str = "Ada <ada@example.test>", envelope: dict[str, str] | None = None) -> Verdict:
    lines = [f"Authentication-Results: {one}" for one in results]
    return read(*lines, f"From: {author}", envelope=envelope, authserv_ids=TRUSTED).verdict


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
        (["mx.desk.test; dmarc=permerror header.from=example.test"], "none"),
        (["mx.desk.test; dkim=pass header.i=@mail.example.test"], "pass"),
        (["mx.desk.test; dkim=pass header.d=evil.test"], "none"),
        (["mx.desk.test; spf=pass smtp.mailfrom=ada@example.test"], "pass"),
        (["mx.desk.test; spf=pass smtp.mailfrom=prvs=17abc=ada@example.test"], "pass"),
        (["mx.desk.test; spf=softfail smtp.mailfrom=ada@example.test"], "none"),
        (["mx.desk.test; spf=fail smtp.mailfrom=ada@example.test; dkim=pass header.d=example.test"], "fail"),
        (["mx.desk.test; dkim=fail (bad signature) header.d=example.test"], "fail"),
        (["mx.desk.test; compauth=fail reason=001"], "fail"),
        (["mx.evil.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test.evil.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; spf=none", "mx.desk.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test", "mx.desk.test; dmarc=fail"], "fail"),
        (["mx.evil.test; dmarc=none", "mx.desk.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; x=y (dmarc=pass header.from=example.test)"], "none"),
        (['mx.desk.test; spf=none reason="; dmarc=pass"'], "none"),
        (['mx.desk.test; spf=none reason="\\"; dmarc=pass header.from=example.test; x=\\""'], "none"),
        (["mx.desk.test; spf=none reason=header.d=example.test"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test; dmarc=pass header.from=example.test"], "none"),
        (["mx.desk.test; dkim=pass header.d=evil.test header.d=example.test"], "none"),
        (["mx.desk.test; dkim=pass header.d=co.uk"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test (never closed"], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test )"], "none"),
        (['mx.desk.test; dmarc=pass header.from=example.test "'], "none"),
        (["mx.desk.test dmarc=pass header.from=example.test"], "none"),
        ([""], "none"),
        ([";;;=;" * 100], "none"),
        (["mx.desk.test; " + "(" * 5_000], "none"),
        (["mx.desk.test; dmarc=pass header.from=example.test; x=" + "y" * 9_000], "none"),
    ],
)
def test_only_the_topmost_result_of_a_trusted_server_counts(results: list[str], found: Verdict) -> None:
    assert judge(*results) == found


@pytest.mark.parametrize(
    "comment",
    [
        # A local part that closes the comment if a reader ignores quoted pairs (RFC 5322 section 3.2.1).
        r'(domain of "x\) ; dmarc=pass header.from=corp.test ; z=1 \("@evil.test)',
        r"(domain of x\) ; dmarc=pass header.from=corp.test ; z=1 \(@evil.test)",
        r"((domain of x\)) ; dkim=pass header.d=corp.test)",
        r"(\\\) ; dmarc=pass header.from=corp.test)",
    ],
)
def test_a_local_part_does_not_escape_the_comment_of_the_relay(comment: str) -> None:
    result = f"mx.desk.test; spf=pass {comment} smtp.mailfrom=evil.test"

    assert judge(result, author="Vera <vera@corp.test>") == "none"


def test_a_local_part_does_not_escape_the_quotes_of_the_relay() -> None:
    result = r'mx.desk.test; spf=pass smtp.mailfrom="x\" ; dmarc=pass header.from=corp.test ; z=\""@evil.test'

    assert judge(result, author="Vera <vera@corp.test>") == "none"


@pytest.mark.parametrize(
    ("one", "other", "aligned"),
    [
        ("attacker.blogspot.com", "victim.blogspot.com", False),
        ("blogspot.com", "victim.blogspot.com", False),
        ("mail.victim.blogspot.com", "victim.blogspot.com", True),
        ("a.github.io", "b.github.io", False),
        ("a.co.uk", "b.co.uk", False),
        ("a.example.co.uk", "b.example.co.uk", True),
        ("a.kawasaki.jp", "b.kawasaki.jp", False),
        ("mail.example.test", "Example.TEST.", True),
        ("notexample.test", "example.test", False),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("com", "com", True),
        ("localhost", "mail.localhost", False),
        ("", "", False),
    ],
)
def test_domains_are_aligned_by_the_public_suffix_list(one: str, other: str, aligned: bool) -> None:
    assert is_aligned(one, other) is aligned
    assert is_aligned(other, one) is aligned


@pytest.mark.parametrize(
    ("results", "envelope", "found"),
    [
        ([], {"dmarc": "pass"}, "pass"),
        ([], {"verdict": "pass"}, "pass"),
        ([], {"dmarc": "fail"}, "fail"),
        (["mx.desk.test; dmarc=fail"], {"dmarc": "pass"}, "fail"),
        (["mx.desk.test; dmarc=pass"], {"dmarc": "fail"}, "fail"),
        ([], {"spf": "pass", "from": "bounce@mail.example.test"}, "pass"),
        ([], {"spf": "pass", "from": "eve@evil.test"}, "none"),
        ([], {"spf": "none", "dkim": "{@example.test : pass}"}, "pass"),
    ],
)
def test_a_fail_of_the_provider_or_of_the_server_wins(
    results: list[str], envelope: dict[str, str], found: Verdict
) -> None:
    assert judge(*results, envelope=envelope) == found


@pytest.mark.parametrize("envelope", [{"dmarc": "none"}, {"spf": "none", "dkim": ""}, {"verdict": "none"}])
def test_a_provider_that_checks_is_a_judge(envelope: dict[str, str]) -> None:
    assert proof_of("From: ada@example.test", envelope=envelope).grade == "unproved"


MAILGUN = {"provider": "mailgun", "envelope": {"from": "ada@example.test"}}
POSTMARK = {"provider": "postmark"}


@pytest.mark.parametrize(
    ("headers", "keys", "grade"),
    [
        (["X-Mailgun-Spf: Pass"], MAILGUN, "unjudged"),
        (["X-Mailgun-Spf: Pass"], MAILGUN | {"trust_provider_headers": True}, "proved"),
        (["X-Mailgun-Spf: Neutral"], MAILGUN | {"trust_provider_headers": True}, "unproved"),
        (["X-Mailgun-Spf: Pass"] * 2, MAILGUN | {"trust_provider_headers": True}, "unproved"),
        (["X-Mailgun-Dkim-Check-Result: Pass"], MAILGUN | {"trust_provider_headers": True}, "unproved"),
        (["X-Spam-Tests: DKIM_SIGNED,DKIM_VALID_AU"], POSTMARK, "unjudged"),
        (["X-Spam-Tests: DKIM_SIGNED,DKIM_VALID_AU"], POSTMARK | {"trust_provider_headers": True}, "proved"),
        (["X-Spam-Tests: DKIM_SIGNED,DKIM_VALID"], POSTMARK | {"trust_provider_headers": True}, "unproved"),
    ],
)
def test_findings_in_headers_that_a_sender_can_write_count_only_if_the_account_says_so(
    headers: list[str], keys: dict[str, Any], grade: Grade
) -> None:
    assert proof_of(*headers, "From: ada@example.test", **keys).grade == grade


def test_a_mail_carries_its_proof_and_what_it_rests_on() -> None:
    parsed = read(
        "Authentication-Results: mx.desk.test; dmarc=pass header.from=example.test",
        "From: ada@example.test",
        authserv_ids=TRUSTED,
    )

    assert (parsed.verdict, parsed.details) == ("pass", {"authentication": "dmarc=pass"})
    covers: tuple[Clue, ...] = ("references", "token")
    assert parsed.proof == AuthorProof("ada@example.test", "proved", "dmarc=pass", "from", "proved", True, covers)
