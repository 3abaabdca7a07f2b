"""The author of a mail: the single mailbox of the single From, and what other headers may name."""

from __future__ import annotations

import pytest

from tests.queues.channels.email.judging.proofs import TRUSTED, proof_of, read

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
