"""Who a mail is from, and what follows from its author's proof: tickets, readers, threads, quarantine, notices."""

from __future__ import annotations

from typing import Any

import pytest

from models.channels import accounts
from models.conversations import chats
from models.kernel.storage import database
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.conftest import Change

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

TRUSTED = "mx.desk.test"
PASS = f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=corp.test"
ME = "me@evil.test"


def mail(desk: Desk, *headers: str, text: str = "Please send me the contract.") -> dict[str, Any]:
    """What became of a mail with these headers."""
    named = {line.partition(":")[0].lower() for line in headers}
    more = [] if "message-id" in named else [f"Message-ID: <{abs(hash((headers, text)))}@corp.test>"]
    raw = "\r\n".join([*headers, "To: desk@example.test", *more, "", text]).encode()
    event = desk.receive_raw("email", raw, content_type="message/rfc822")
    desk.run_due()
    return desk.inbox(event)


@pytest.fixture
def judged(account: Change) -> None:
    """The demo's mailbox behind a relay that judges senders."""
    account("email.demo", authserv_ids=[TRUSTED])


def readers_of(desk: Desk, ticket: Ticket) -> list[str]:
    """The addresses that a plain answer goes to."""
    desk.reply(ticket, "Here it is.")
    desk.run_due()
    sent = desk.sent[-1].message
    return [sent.address, *(address for _, address in sent.copies)]


def proof_of(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    [message] = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    found: dict[str, Any] = message["details"]["author_proof"]
    return found


IMPOSTORS = [
    ["Sender: vera@corp.test"],
    ["Return-Path: <vera@corp.test>"],
    ["Resent-From: vera@corp.test"],
    ["X-Envelope-From: vera@corp.test"],
    ["From: Vera", "Sender: vera@corp.test"],
    ["From: vera@corp.test, me@evil.test"],
    ["From: vera@corp.test", "From: me@evil.test"],
    ["From: Team: vera@corp.test;"],
    ["From: vera@corp.test"],
    ["From: vera@corp.test", f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=evil.test"],
]


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("headers", IMPOSTORS)
@pytest.mark.parametrize("result", ["dmarc=permerror", "dmarc=none", None])
def test_an_impostors_mail_in_a_judged_mailbox_is_quarantined(
    desk: Desk, headers: list[str], result: str | None
) -> None:
    by_relay = [] if result is None else [f"Authentication-Results: {TRUSTED}; {result}"]

    found = mail(desk, *by_relay, *headers, f"Cc: {ME}")

    assert found["status"] == "failed"
    assert found["reason"].startswith("quarantined: its author is not proved")
    assert desk.tickets() == []
    assert desk.sent == []


@pytest.mark.parametrize("headers", IMPOSTORS[:8])
@pytest.mark.parametrize("is_judged", [True, False])
def test_an_impostors_mail_that_is_accepted_is_marked_and_gives_no_copies(
    desk: Desk, account: Change, headers: list[str], is_judged: bool
) -> None:
    account("email.demo", authserv_ids=[TRUSTED] if is_judged else [], on_unproved="accept")

    mail(desk, *headers, f"Cc: {ME}")

    ticket = desk.ticket()
    assert ticket.author_grade == "unproved"
    assert proof_of(desk, ticket)["grade"] == "unproved"
    assert desk.rows("SELECT 1 FROM ticket_participants") == []
    assert readers_of(desk, ticket) == ["vera@corp.test"]


@pytest.mark.usefixtures("judged")
def test_a_released_mail_is_marked_as_unproved(desk: Desk) -> None:
    from models.inbox import commands as inbox

    found = mail(desk, "From: vera@corp.test", f"Cc: {ME}")
    with database.transaction():
        inbox.replay(found["id"], by="Olga")
    desk.run_due()

    assert desk.ticket().author_grade == "unproved"
    assert readers_of(desk, desk.ticket()) == ["vera@corp.test"]


@pytest.mark.usefixtures("judged")
def test_a_proved_mail_opens_a_ticket_and_its_readers_get_answers(desk: Desk) -> None:
    mail(desk, PASS, "From: Vera <vera@corp.test>", "Cc: Grace <grace@corp.test>")

    ticket = desk.ticket()
    assert (ticket.author_grade, ticket.contact_grade) == ("proved", "proved")
    assert readers_of(desk, ticket) == ["vera@corp.test", "grace@corp.test"]


def test_the_copies_of_an_unjudged_mail_are_answered_after_an_agent_confirms_them(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>", f"Cc: {ME}")
    ticket = desk.ticket()

    before = readers_of(desk, ticket)
    with database.transaction():
        from models.ticket_actions import answering

        answering.reply(ticket.id, "For both.", actor=desk.person(), copies=[ME])
    after = readers_of(desk, desk.reload(ticket))

    assert ticket.author_grade == "unjudged"
    assert before == ["vera@corp.test"]
    assert after == ["vera@corp.test", ME]


def test_an_unjudged_reader_of_a_copy_joins_the_thread_but_gets_no_answer_unasked(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>", "Cc: Grace <grace@corp.test>", "Message-ID: <v1@corp.test>")
    mail(desk, "From: Grace <grace@corp.test>", "In-Reply-To: <v1@corp.test>", text="Me, too.")

    assert desk.bodies(desk.ticket()) == ["Please send me the contract.", "Me, too."]
    assert readers_of(desk, desk.ticket()) == ["vera@corp.test"]


def test_a_number_in_the_subject_is_no_clue_for_an_unjudged_author(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>")
    number = desk.ticket().number

    mail(desk, "From: Vera <vera@corp.test>", f"Subject: Re: Contract [#{number}]", text="Any news?")

    assert len(desk.tickets()) == 2


@pytest.mark.usefixtures("judged")
def test_a_number_in_the_subject_is_a_clue_for_a_proved_author(desk: Desk) -> None:
    mail(desk, PASS, "From: Vera <vera@corp.test>")
    number = desk.ticket().number

    mail(desk, PASS, "From: Vera <vera@corp.test>", f"Subject: Re: Contract [#{number}]", text="Any news?")

    assert len(desk.bodies(desk.ticket())) == 2


@pytest.mark.parametrize("clue", ["In-Reply-To: {id}", "References: {id}", "Subject: [#{number}]"])
def test_an_unproved_author_joins_a_ticket_by_no_clue_but_the_token(desk: Desk, account: Change, clue: str) -> None:
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    mail(desk, PASS, "From: Vera <vera@corp.test>", "Message-ID: <v1@corp.test>")
    ticket = desk.ticket()
    named = clue.format(id="<v1@corp.test>", number=ticket.number)

    mail(desk, "From: vera@corp.test", named, f"Cc: {ME}", text="Send it to both of us.")

    assert len(desk.tickets()) == 2
    assert desk.bodies(desk.reload(ticket)) == ["Please send me the contract."]


@pytest.mark.usefixtures("judged")
def test_an_unproved_answer_with_the_token_of_its_ticket_joins_it_without_moving_answers(desk: Desk) -> None:
    mail(desk, PASS, "From: Vera <vera@corp.test>")
    ticket = desk.ticket()

    found = mail(
        desk,
        "From: Vera <vera@corp.test>",
        f"Reply-To: {ME}",
        f"Cc: desk+{ticket.reply_token}@example.test, {ME}",
        text="Thanks!",
    )

    assert found["status"] == "processed"
    assert desk.bodies(desk.ticket()) == ["Please send me the contract.", "Thanks!"]
    assert readers_of(desk, desk.ticket()) == ["vera@corp.test"]


@pytest.mark.usefixtures("judged")
def test_the_token_of_another_persons_ticket_lets_nobody_in(desk: Desk) -> None:
    mail(desk, PASS, "From: Vera <vera@corp.test>")

    found = mail(desk, f"From: {ME}", f"Cc: desk+{desk.ticket().reply_token}@example.test")

    assert found["status"] == "failed"


def test_an_answer_goes_to_reply_to_and_the_message_shows_it(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>", "Reply-To: Vera at home <vera@home.test>")

    ticket = desk.ticket()
    assert (ticket.contact_address, ticket.contact_grade) == ("vera@home.test", "unproved")
    [message] = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    assert message["details"]["reply_to"] == {"name": "Vera at home", "address": "vera@home.test"}
    assert readers_of(desk, ticket) == ["vera@home.test"]


def test_the_reply_to_of_an_unjudged_mail_moves_no_ticket_that_exists(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>", "Message-ID: <v1@corp.test>")

    mail(desk, "From: Vera <vera@corp.test>", f"Reply-To: {ME}", "In-Reply-To: <v1@corp.test>", text="More.")

    assert len(desk.bodies(desk.ticket())) == 2
    assert readers_of(desk, desk.ticket()) == ["vera@corp.test"]


@pytest.mark.parametrize("is_judged", [True, False])
def test_the_mails_of_a_form_are_from_the_people_in_reply_to(desk: Desk, account: Change, is_judged: bool) -> None:
    account("email.demo", authserv_ids=[TRUSTED] if is_judged else [])
    by_relay = f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=shop.test"

    found = [
        mail(desk, by_relay, "From: Shop <no-reply@shop.test>", f"Reply-To: p{n}@home.test", text=f"Order {n}")
        for n in range(25)
    ]

    people = [f"p{n}@home.test" for n in range(25)]
    assert {one["status"] for one in found} == {"processed"}
    assert [ticket.contact_address for ticket in desk.tickets()] == people
    assert len({ticket.requester_id for ticket in desk.tickets()}) == 25
    assert {ticket.author_grade for ticket in desk.tickets()} == {"unproved"}
    assert [sent.address for sent in desk.sent] == people


@pytest.mark.usefixtures("judged")
def test_a_forged_form_is_quarantined(desk: Desk) -> None:
    found = mail(desk, "From: Shop <no-reply@shop.test>", f"Reply-To: {ME}")

    assert found["status"] == "failed"


def test_a_reply_to_of_another_mailbox_of_ours_gets_no_answer(desk: Desk, account: Change) -> None:
    account("email.demo", aliases=["sales@example.test"])

    mail(desk, "From: Vera <vera@corp.test>", "Reply-To: sales@example.test")

    assert desk.ticket().contact_address == "vera@corp.test"


def test_forged_mails_do_not_use_up_the_bucket_of_the_customers_own(desk: Desk, account: Change) -> None:
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    forged = [mail(desk, "From: vera@corp.test", text=f"Forged {n}") for n in range(21)]

    own = mail(desk, PASS, "From: vera@corp.test", text="It burns.")

    assert [one["status"] for one in forged] == ["processed"] * 20 + ["failed"]
    assert own["status"] == "processed"


@pytest.mark.usefixtures("judged")
def test_managers_have_a_notice_when_a_customer_is_held_back(desk: Desk) -> None:
    mail(desk, PASS, "From: vera@corp.test")

    for n in range(3):
        mail(desk, "From: vera@corp.test", text=f"Again {n}")
    mail(desk, "From: nobody@elsewhere.test")

    rows = desk.rows(
        "SELECT u.role, n.rule, n.text FROM notices AS n JOIN users AS u ON u.id = n.user_id ORDER BY u.role"
    )
    assert [(row["role"], row["rule"]) for row in rows] == [
        ("admin", "customer_held_back"),
        ("manager", "customer_held_back"),
    ]
    assert "vera" not in rows[0]["text"]


SPAM = [
    "X-Spam-Score: 7.3",
    "X-Spam-Status: Yes, score=7.3 required=5.0 tests=BAYES_99",
    "X-Spam-Status: Yes, hits=7.3",
    "X-Spam-Flag: YES",
    "X-Rspamd-Score: 15.2",
    "X-Spamd-Result: default: True [15.20 / 15.00]; BAYES_SPAM(5.10)",
    "X-MS-Exchange-Organization-SCL: 6",
    "X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:;LANG:en;SCL:9;SRV:;IPV:NLI",
    "X-Mailgun-Sscore: 6.1",
    "X-Mailgun-Sflag: Yes",
]


@pytest.mark.parametrize("header", SPAM)
def test_spam_is_quarantined_without_an_acknowledgement_and_can_be_released(desk: Desk, header: str) -> None:
    from models.inbox import commands as inbox

    found = mail(desk, header, "From: vera@corp.test")
    before = (desk.tickets(), desk.sent)
    with database.transaction():
        inbox.replay(found["id"], by="Olga")
    desk.run_due()

    assert found["reason"].startswith("quarantined: a spam filter reports ")
    assert before == ([], [])
    assert len(desk.tickets()) == 1


@pytest.mark.parametrize(
    "header",
    [
        "X-Spam-Score: 4.9",
        "X-Spam-Status: No, score=-1.0 required=5.0",
        "X-Spam-Flag: NO",
        "X-Spamd-Result: default: False [-0.10 / 15.00]",
        "X-MS-Exchange-Organization-SCL: -1",
        "X-Spam-Score: none",
    ],
)
def test_a_mail_below_the_threshold_is_accepted(desk: Desk, header: str) -> None:
    assert mail(desk, header, "From: vera@corp.test")["status"] == "processed"


@pytest.mark.parametrize(("threshold", "status"), [(10.0, "processed"), (7.0, "failed"), (None, "processed")])
def test_the_account_sets_the_threshold(desk: Desk, account: Change, threshold: float | None, status: str) -> None:
    account("email.demo", spam_threshold=threshold)

    assert mail(desk, "X-Spam-Score: 7.3", "From: vera@corp.test")["status"] == status


@pytest.mark.parametrize(("headers", "left"), [([], 1), ([PASS], 0)])
def test_only_a_mail_of_the_person_ends_that_an_address_is_unreachable(
    desk: Desk, account: Change, headers: list[str], left: int
) -> None:
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    with database.transaction():
        chats.mark_unreachable(accounts.find("email", "demo"), "vera@corp.test", "the mailbox is full")

    mail(desk, *headers, "From: vera@corp.test")

    assert len(desk.rows("SELECT address FROM unreachable_chats")) == left
