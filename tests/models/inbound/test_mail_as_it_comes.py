"""Mail as the field sends it: bounces without an address, copies with footers, reactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk import Desk
from tests.models.inbound.conftest import another_mailbox
from tests.models.inbound.test_author_proof import mail

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

ADA = "From: Ada <ada@firma.example>"
FIRST = "Message-ID: <first@firma.example>"
MORNING = "Date: Tue, 3 Mar 2026 09:12:00 +0100"


def answered(desk: Desk) -> str:
    """Ada's ticket with an answer of the desk; the Message-ID of the answer."""
    mail(desk, ADA, "Subject: Printer", FIRST)
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    external_id = desk.sent[-1].message.external_id
    assert external_id is not None
    return external_id


REPORT = """\
--r
Content-Type: text/plain

Your mail could not be delivered.
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.firma.example

Final-Recipient: rfc822; ada@firma.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--r
Content-Type: text/rfc822-headers

Message-ID: {id}
--r--
"""
IS_REPORT = 'Content-Type: multipart/report; report-type=delivery-status; boundary="r"'


@pytest.mark.parametrize(
    "head",
    [
        ["From: Mail Delivery System", "Return-Path: <>"],
        ["Return-Path: <>"],
        ["From: <>"],
        ["From: Mail Delivery System <MAILER-DAEMON>"],
    ],
)
def test_a_bounce_without_an_address_is_its_deliverys_failure(desk: Desk, head: list[str]) -> None:
    external_id = answered(desk)

    event = mail(desk, *head, "Subject: Undelivered", IS_REPORT, text=REPORT.format(id=external_id))

    assert event["status"] == "processed"
    assert desk.deliveries(desk.ticket())[-1]["state"] == "failed"
    assert len(desk.messages(desk.ticket())) == 3


def test_an_old_bounce_without_an_address_is_its_deliverys_failure(desk: Desk) -> None:
    external_id = answered(desk)
    text = (
        f"This is the mail system.\r\n\r\n<ada@firma.example>: 550 5.1.1 no such user\r\n\r\nMessage-ID: {external_id}"
    )

    mail(desk, "From: Mail Delivery System", "Return-Path: <>", "Subject: failure notice", text=text)

    assert desk.deliveries(desk.ticket())[-1]["state"] == "failed"


def test_a_bounce_without_an_address_about_a_mail_of_others_opens_nothing(desk: Desk) -> None:
    report = REPORT.format(id="<theirs@elsewhere.example>")

    event = mail(desk, "From: Mail Delivery System", "Subject: Undelivered", IS_REPORT, text=report)

    assert (event["status"], desk.tickets()) == ("ignored", [])


def test_a_mail_without_a_sender_that_is_no_bounce_fails_visibly(desk: Desk) -> None:
    event = mail(desk, "From: Nobody", "Return-Path: <>", "Subject: Hello", text="Hello.")

    assert (event["status"], event["reason"][:9]) == ("failed", "no sender")


FOOTER = "The printer is on fire.\r\n\r\n-- \r\nThis group is for customers. Unsubscribe at https://groups.example"


@pytest.mark.parametrize("text", [FOOTER, "[EXTERNAL] Beware of links.\r\n\r\nThe printer is on fire."])
def test_a_mail_that_comes_again_with_a_footer_or_a_banner_is_one_message(desk: Desk, text: str) -> None:
    mail(desk, ADA, FIRST, MORNING, "Subject: Printer", text="The printer is on fire.")

    event = mail(desk, ADA, FIRST, MORNING, "Subject: [group] Printer", text=text)

    assert (event["status"], event["reason"]) == ("ignored", "the same mail came before")
    assert len(desk.tickets()) == len(desk.sent) == 1


def test_a_mail_that_comes_by_another_mailbox_with_a_footer_is_one_message(desk: Desk) -> None:
    another_mailbox("sales", "sales@example.test")
    mail(desk, ADA, FIRST, MORNING, "Subject: Printer", text="The printer is on fire.")

    event = mail_to(desk, "sales", ADA, FIRST, MORNING, "Subject: Printer", text=FOOTER)

    assert (event["status"], event["reason"]) == ("ignored", "the same mail came by the account demo")


@pytest.mark.parametrize("sender", [ADA, "From: Bo <bo@firma.example>"])
@pytest.mark.parametrize("date", ["Date: Tue, 3 Mar 2026 09:13:00 +0100", "Date: Wed, 4 Mar 2026 09:12:00 +0100"])
def test_the_same_id_with_another_date_is_another_mail(desk: Desk, sender: str, date: str) -> None:
    mail(desk, ADA, FIRST, MORNING, "Subject: Invoice", text="The invoice is attached.")

    event = mail(desk, sender, FIRST, date, "Subject: Invoice", text="The invoice is attached.")

    assert event["status"] == "processed"
    assert sum(len(desk.bodies(ticket)) for ticket in desk.tickets()) == 2


@pytest.mark.parametrize("sender", [ADA, "From: Bo <bo@firma.example>"])
@pytest.mark.parametrize("date", ["Date: Tue, 3 Mar 2026 09:13:00 +0100", "Date: Wed, 4 Mar 2026 09:12:00 +0100"])
def test_the_same_id_with_another_date_at_another_mailbox_is_another_mail(desk: Desk, sender: str, date: str) -> None:
    another_mailbox("sales", "sales@example.test")
    mail(desk, ADA, FIRST, MORNING, "Subject: Invoice", text="The invoice is attached.")

    other = mail_to(desk, "sales", sender, FIRST, date, "Subject: Invoice", text="The invoice is attached.")
    again = mail(desk, sender, FIRST, date, "Subject: Invoice", text=FOOTER)

    assert other["status"] == "processed"
    assert (again["status"], again["reason"]) == ("ignored", "the same mail came by the account sales")
    assert sum(len(desk.bodies(ticket)) for ticket in desk.tickets()) == 2


def test_the_same_instant_in_another_zone_is_the_same_date(desk: Desk) -> None:
    mail(desk, ADA, FIRST, MORNING, "Subject: Printer", text="The printer is on fire.")

    event = mail(desk, ADA, FIRST, "Date: Tue, 3 Mar 2026 08:12:00 +0000", "Subject: Printer", text=FOOTER)

    assert event["status"] == "ignored"


def test_a_mail_of_another_author_with_the_same_id_and_date_is_another_mail(desk: Desk) -> None:
    mail(desk, ADA, FIRST, MORNING, "Subject: Printer")

    assert mail(desk, "From: bo@firma.example", FIRST, MORNING, "Subject: Printer")["status"] == "processed"


REACTION = ["Content-Type: text/plain; charset=utf-8", "Content-Disposition: reaction"]


def test_a_reaction_stands_at_the_message_and_reopens_nothing(desk: Desk) -> None:
    external_id = answered(desk)
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")

    for emoji in ("👍", "❤️", "👍"):
        mail(desk, ADA, f"In-Reply-To: {external_id}", *REACTION, f"Subject: Re: {emoji}", text=emoji)

    assert desk.reload(ticket).state == "solved"
    assert reactions(desk) == {"ada@firma.example": ["👍", "❤️"]}
    assert len(desk.bodies(ticket)) == 1


def test_a_reaction_of_a_stranger_to_the_ticket_is_ignored(desk: Desk) -> None:
    external_id = answered(desk)

    event = mail(desk, "From: mallory@evil.example", f"In-Reply-To: {external_id}", *REACTION, text="👎")

    assert (event["status"], reactions(desk)) == ("ignored", {})


def reactions(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.messages(desk.ticket())[-1]["reactions"]
    return found


def mail_to(desk: Desk, account: str, *headers: str, text: str) -> dict[str, Any]:
    raw = "\r\n".join([*headers, f"To: {account}@example.test", "", text]).encode()
    event = desk.receive_raw("email", raw, content_type="message/rfc822", account=account)
    desk.run_due()
    return desk.inbox(event)


OUR_ANSWER = "On Tue, the desk wrote:\r\n> Water it."


@pytest.mark.parametrize("subject", ["Fwd: Re: Printer", "WG: Re: Printer", "Пересл: Re: Printer"])
def test_a_mail_of_ours_that_is_forwarded_to_another_mailbox_opens_a_linked_ticket_there(
    desk: Desk, subject: str
) -> None:
    another_mailbox("sales", "sales@example.test")
    external_id = answered(desk)
    first = desk.ticket()

    mail_to(desk, "sales", ADA, f"References: {external_id}", f"Subject: {subject}", text=f"For you.\r\n{OUR_ANSWER}")

    second = desk.tickets()[1]
    assert (second.account, second.requester_id) == ("sales", first.requester_id)
    [related] = desk.events(second, "ticket_related")
    assert related["payload"]["ticket_id"] == str(first.id)
    assert related["payload"]["reason"] == "it was forwarded to another mailbox of the desk"


def test_a_later_mail_about_the_forwarded_one_joins_the_ticket_of_its_mailbox(desk: Desk) -> None:
    another_mailbox("sales", "sales@example.test")
    external_id = answered(desk)
    headers = (ADA, f"References: {external_id}", "Subject: Fwd: Re: Printer")
    mail_to(desk, "sales", *headers, "Message-ID: <fwd@firma.example>", text="For you.")

    mail_to(desk, "sales", ADA, "In-Reply-To: <fwd@firma.example>", "Subject: Re: Fwd: Printer", text="And this.")

    assert desk.bodies(desk.tickets()[1]) == ["For you.", "And this."]


def test_a_reply_to_another_mailbox_and_a_forward_to_the_same_one_join_the_ticket(desk: Desk) -> None:
    another_mailbox("sales", "sales@example.test")
    external_id = answered(desk)

    mail_to(desk, "sales", ADA, f"In-Reply-To: {external_id}", "Subject: Re: Printer", text="Still.")
    mail(desk, ADA, f"In-Reply-To: {external_id}", "Subject: Fwd: Re: Printer", text="See below.")

    assert len(desk.tickets()) == 1
    assert len(desk.bodies(desk.ticket())) == 3
