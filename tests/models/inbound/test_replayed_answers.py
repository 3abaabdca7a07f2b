"""A mail that an agent signed for somebody else is no answer to a notice, whatever headers are added to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.kernel import clock
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.conftest import Change
from tests.models.inbound.test_notice_answers import AGENT, TRUSTED, answer, refusals, written
from tests.models.notices.reading import assign, mails_to

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


@pytest.fixture
def ticket(desk: Desk, account: Change) -> Ticket:
    """A ticket that is assigned to the agent, at a mailbox behind a relay that judges senders."""
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    desk.receive_email("The printer burns.", headers={"Authentication-Results": f"{TRUSTED}; dmarc=pass"})
    desk.run_due()
    assign(desk, desk.ticket())
    desk.run_due()
    return desk.ticket()


def passed(*results: str) -> str:
    return "; ".join([f"Authentication-Results: {TRUSTED}", "dmarc=pass header.from=example.test", *results])


def signed(names: str, *, domain: str = "example.test", more: str = "") -> str:
    return f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=x; h={names}; {more}bh=eA==; b=eA=="


ALL = "from:to:date:message-id:in-reply-to:references"
BY_DKIM = passed("dkim=pass header.d=example.test", "spf=pass smtp.mailfrom=evil.test")
BY_SPF = passed("spf=pass smtp.mailfrom=agent@example.test")
REPLAYS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("an added token", "token", BY_DKIM, (signed(ALL),)),
    ("an added reference", "reference", BY_DKIM, (signed("from:to:date:message-id"),)),
    ("a second In-Reply-To above the signed one", "reference", BY_DKIM, (signed(ALL), "In-Reply-To: <x@y.test>")),
    ("another signature that lists more", "token", BY_DKIM, (signed(ALL), signed(f"delivered-to:{ALL}"))),
    ("a signature without Date", "reference", BY_DKIM, (signed("from:message-id:in-reply-to"),)),
    ("a signature without Message-ID", "reference", BY_DKIM, (signed("from:date:in-reply-to"),)),
    ("a signature of a part of the body", "reference", BY_DKIM, (signed(ALL, more="l=10; "),)),
    ("a signature that lists nothing", "reference", BY_DKIM, (signed(""),)),
]


@pytest.mark.parametrize(("case", "by", "proof", "more"), REPLAYS, ids=[one[0] for one in REPLAYS])
def test_a_signed_mail_with_an_unsigned_clue_changes_nothing_and_is_reported(
    desk: Desk, ticket: Ticket, case: str, by: str, proof: str, more: tuple[str, ...]
) -> None:
    found = answer(desk, "Yes, approved.", by=by, proof=proof, more=more)

    assert found["status"] == "ignored", case
    assert written(desk, ticket) == []
    assert "does not cover the header" in refusals(desk)[0]


HONEST: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("the signature covers the reference", "reference", BY_DKIM, (signed(ALL),)),
    ("a signature of the organisation", "reference", BY_DKIM, (signed(ALL.upper(), domain="mail.example.test"),)),
    ("a signature of a service beside it", "reference", BY_DKIM, (signed(ALL), signed("from", domain="svc.test"))),
    ("a server of the organisation sent it", "reference", BY_SPF, (signed("from:date"),)),
    ("a server of the organisation sent it to the token", "token", BY_SPF, (signed("from:date"),)),
    ("it has no signature, so SPF passed", "token", passed(), ()),
]


@pytest.mark.parametrize(("case", "by", "proof", "more"), HONEST, ids=[one[0] for one in HONEST])
def test_an_answer_whose_clue_is_proved_is_taken(
    desk: Desk, ticket: Ticket, case: str, by: str, proof: str, more: tuple[str, ...]
) -> None:
    answer(desk, by=by, proof=proof, more=more)

    assert [text for _, _, text in written(desk, ticket)] == ["Water it."], case


def test_a_token_in_the_signed_recipient_counts_also_where_a_server_repeats_it(desk: Desk, ticket: Ticket) -> None:
    mail = mails_to(desk)[0].message
    token = f"desk+{mail.reply_token}@example.test"
    headers = [
        BY_DKIM,
        f"Delivered-To: {token}",
        signed("from:to:date:message-id"),
        f"From: {AGENT}",
        f"To: {token}",
        "Message-ID: <answer@example.test>",
        f"Date: {clock.now():%a, %d %b %Y %H:%M:%S} +0000",
        "Subject: Re: assigned",
    ]

    desk.receive_raw("email", "\r\n".join([*headers, "", "Water it."]).encode(), content_type="message/rfc822")
    desk.run_due()

    assert [text for _, _, text in written(desk, ticket)] == ["Water it."]


def test_a_mail_that_is_older_than_the_notice_is_no_answer_to_it(desk: Desk, ticket: Ticket) -> None:
    found = answer(desk, sent_at=clock.now() - timedelta(hours=1))

    assert found["status"] == "ignored"
    assert written(desk, ticket) == []
    assert "written before the notice" in refusals(desk)[0]


@pytest.mark.parametrize("days", [-5, 1])
def test_a_mail_that_was_kept_for_days_or_is_of_tomorrow_is_no_answer(desk: Desk, ticket: Ticket, days: int) -> None:
    desk.advance(days=6)

    answer(desk, sent_at=clock.now() + timedelta(days=days))

    assert written(desk, ticket) == []
    assert "too long" in refusals(desk)[0]


def test_an_answer_that_was_delayed_for_days_is_taken(desk: Desk, ticket: Ticket) -> None:
    written_at = clock.now()
    desk.advance(days=3)

    answer(desk, sent_at=written_at)

    assert len(written(desk, ticket)) == 1


def test_an_answer_without_a_date_is_refused(desk: Desk, ticket: Ticket) -> None:
    answer(desk, is_dated=False)

    assert written(desk, ticket) == []
    assert "no date or no Message-ID" in refusals(desk)[0]


def test_an_answer_without_a_message_id_is_refused(desk: Desk, ticket: Ticket) -> None:
    answer(desk, message_id=None)

    assert written(desk, ticket) == []
    assert "no date or no Message-ID" in refusals(desk)[0]


def test_a_mail_is_taken_as_the_answer_to_one_notice_only(desk: Desk, ticket: Ticket) -> None:
    other = desk.create_ticket("Lamp")
    assign(desk, other)
    desk.run_due()
    answer(desk, notice=0)

    answer(desk, "Water it!", notice=-1)

    assert len(written(desk, ticket)) == 1
    assert written(desk, other) == []
    assert "another notice" in refusals(desk)[0]


def test_answers_by_mail_are_limited(desk: Desk, ticket: Ticket) -> None:
    for number in range(33):
        answer(desk, f"Water {number}.", message_id=f"<{number}@example.test>", notice=0)

    assert len(written(desk, ticket)) == 30
    assert "too many answers" in refusals(desk)[0]
