"""The author's proof of a mail: what a judge's results prove, and what a forger cannot make them prove."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.channels.accounts import ChannelAccount
from models.ports.author_proof import AuthorProof, Grade
from models.ports.inbound import InboundMessage, Verdict
from queues.channels.email.judging import authentication_results
from queues.channels.email.judging.organisation import is_aligned
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

TRUSTED = ["mx.desk.test"]


def account(**keys: Any) -> ChannelAccount:
    return ChannelAccount("email", "demo", 1, golden.EMAIL.config | keys)


def read(*headers: str, envelope: dict[str, str] | None = None, **keys: Any) -> InboundMessage:
    raw = "\r\n".join([*headers, "Subject: x", "", "text"]).encode()
    parsed = read_mail(raw, envelope or {}, account(**keys))
    assert isinstance(parsed, InboundMessage)
    return parsed


def proof_of(*headers: str, envelope: dict[str, str] | None = None, **keys: Any) -> AuthorProof:
    found = read(*headers, envelope=envelope, **keys).proof
    assert found is not None
    return found


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


FORGED = "Authentication-Results: mx.desk.test; dmarc=pass header.from=corp.test"


@pytest.mark.parametrize(
    "headers",
    [
        ["Sender: vera@corp.test"],
        ["Return-Path: <vera@corp.test>"],
        ["Resent-From: vera@corp.test"],
        ["X-Envelope-From: vera@corp.test"],
        ["X-Original-Sender: vera@corp.test"],
        ["Reply-To: vera@corp.test"],
        ["From: Vera", "Sender: vera@corp.test"],
        ["From: vera at corp.test", "Reply-To: vera@corp.test"],
        ["From: <>", "Return-Path: <vera@corp.test>"],
        ["From: vera@corp.test, me@evil.test"],
        ["From: me@evil.test, vera@corp.test"],
        ["From: vera@corp.test", "From: me@evil.test"],
        ["From: vera@corp.test", "From: vera@corp.test"],
        ["From: Team: vera@corp.test;"],
        ["From: Team: vera@corp.test, me@evil.test;"],
        ["From: vera@corp.test <me@evil.test>"],
        ["From: <vera@corp.test> <me@evil.test>"],
        ["From: <@evil.test:vera@corp.test>"],
        ["From: =?utf-8?q?=3Cvera=40corp.test=3E?="],
        ['From: "vera@corp.test'],
        ["From: (vera@corp.test"],
    ],
)
@pytest.mark.parametrize("ids", [[], TRUSTED])
def test_an_author_whom_no_single_from_names_is_unproved(headers: list[str], ids: list[str]) -> None:
    found = read(FORGED, *headers, authserv_ids=ids)

    assert found.proof is not None
    assert (found.proof.grade, found.proof.carrier, found.verdict) == ("unproved", "unproved", "none")


@pytest.mark.parametrize(
    "value",
    [
        "vera@corp.test",
        "Vera <vera@corp.test>",
        "VERA <Vera@Corp.Test>",
        '"Vera, of <sales>; (really)" <vera@corp.test>',
        "vera@corp.test <vera@corp.test>",
        "Vera (the one in \\) sales) <vera@corp.test>",
        "Doe, Vera <vera@corp.test>",
        '"me@evil.test" <vera@corp.test>',
        "=?utf-8?q?V=C3=A9ra?= <vera@corp.test>",
        "vera@corp.test (Vera)",
    ],
)
def test_every_writing_of_one_mailbox_is_proved_by_a_pass(value: str) -> None:
    found = proof_of(FORGED, f"From: {value}", authserv_ids=TRUSTED)

    assert (found.address, found.grade, found.source) == ("vera@corp.test", "proved", "from")


def test_a_quoted_local_part_is_one_mailbox() -> None:
    assert proof_of(FORGED, 'From: "vera vex"@corp.test', authserv_ids=TRUSTED).grade == "proved"


def test_a_relay_without_a_result_proves_nobody() -> None:
    found = proof_of("From: vera@corp.test", authserv_ids=TRUSTED)

    assert (found.grade, found.rests_on) == ("unproved", "no result of a trusted server")


def test_a_mailbox_without_a_judge_leaves_the_single_from_unjudged() -> None:
    found = proof_of(FORGED, "From: vera@corp.test")

    assert (found.address, found.grade, found.judged) == ("vera@corp.test", "unjudged", False)


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
    assert parsed.proof == AuthorProof("ada@example.test", "proved", "dmarc=pass", "from", "proved", True)


def test_an_author_behind_a_list_is_named_but_not_proved() -> None:
    results = "Authentication-Results: mx.desk.test; dmarc=pass header.from=lists.test"
    listed = ["List-Id: <l.lists.test>", "From: Ada via L <l@lists.test>", "Reply-To: Ada <ada@example.test>"]

    agreed = proof_of(results, *listed, "X-Original-From: Ada <ada@example.test>", authserv_ids=TRUSTED)
    differing = proof_of(results, *listed, "X-Original-From: boss@bank.test", authserv_ids=TRUSTED)

    assert (agreed.address, agreed.grade, agreed.source, agreed.carrier) == (
        "ada@example.test",
        "unproved",
        "list",
        "proved",
    )
    assert (differing.address, differing.grade) == ("l@lists.test", "proved")


@pytest.mark.parametrize(
    "sender", ["no-reply@shop.test", "Shop <noreply@shop.test>", "desk@example.test", "forms@site.test", "a@hook.test"]
)
def test_reply_to_names_the_author_where_from_cannot_be_a_person(sender: str) -> None:
    parsed = read(
        f"From: {sender}",
        "Reply-To: Ada <ada@example.com>",
        author_from={"reply_to": ["Forms@site.test", "@hook.test"]},
    )

    assert (parsed.author_address, parsed.contact_address, parsed.automatic) == (
        "ada@example.com",
        "ada@example.com",
        None,
    )
    assert parsed.proof is not None
    assert (parsed.proof.grade, parsed.proof.source, parsed.proof.carrier) == ("unproved", "reply_to", "unjudged")
    assert parsed.details["from_header"]["address"] in sender


@pytest.mark.parametrize(
    ("reply_to", "contact"),
    [
        ("Vera <vera@home.test>", "vera@home.test"),
        ("desk@example.test", "vera@corp.test"),
        ("desk+abc@example.test", "vera@corp.test"),
        ("desk@example.test, vera@home.test", "vera@home.test"),
        ("other@corp.test, vera@corp.test", "vera@corp.test"),
        ("not an address", "vera@corp.test"),
    ],
)
def test_an_answer_goes_to_reply_to_unless_it_is_ours(reply_to: str, contact: str) -> None:
    parsed = read("From: Vera <vera@corp.test>", f"Reply-To: {reply_to}")

    assert (parsed.author_address, parsed.contact_address) == ("vera@corp.test", contact)
    assert parsed.details.get("reply_to", {}).get("address", "vera@corp.test") == contact


def test_the_reply_to_of_a_mailing_list_is_not_followed() -> None:
    parsed = read("From: Vera <vera@corp.test>", "Reply-To: all@lists.test", "List-Id: <all.lists.test>")

    assert parsed.contact_address == "vera@corp.test"


_PARTS = st.lists(
    st.sampled_from(
        ["(", ")", "\\", '"', ";", "=", " ", "/", "dmarc", "pass", "header.from", "corp.test", "\x00", "\xff", "x"]
    ),
    max_size=60,
).map("".join)


@given(_PARTS)
@settings(max_examples=400, deadline=None)
def test_any_text_in_a_comment_changes_no_result(text: str) -> None:
    # given a relay that escapes what a comment cannot hold (RFC 5322 section 3.2.2)
    escaped = "".join(f"\\{one}" if one in '()\\"' else one for one in text)

    found = authentication_results.read(f"mx.desk.test; spf=pass ({escaped}) smtp.mailfrom=evil.test".encode("latin-1"))

    assert found is not None
    assert [(one.method, one.result, one.properties) for one in found.results] == [
        ("spf", "pass", {"smtp.mailfrom": "evil.test"})
    ]


@given(_PARTS)
@settings(max_examples=400, deadline=None)
def test_any_text_in_quotes_changes_no_result(text: str) -> None:
    escaped = "".join(f"\\{one}" if one in '\\"' else one for one in text)

    found = authentication_results.read(
        f'mx.desk.test; spf=none smtp.mailfrom="{escaped}"@evil.test; dkim=none'.encode("latin-1")
    )

    assert found is not None
    assert [(one.method, one.result) for one in found.results] == [("spf", "none"), ("dkim", "none")]
    assert found.results[0].properties["smtp.mailfrom"].endswith("@evil.test")


@given(st.binary(max_size=300) | _PARTS.map(lambda text: text.encode("latin-1")))
@settings(max_examples=400, deadline=None)
def test_no_bytes_stop_the_parser(value: bytes) -> None:
    found = authentication_results.read(b"mx.desk.test; " + value)

    assert found is None or found.authserv_id == "mx.desk.test"
