"""A mail of ours that comes back fails its delivery and shows in its ticket, whoever reports it."""

from __future__ import annotations

from uuid import UUID

import pytest

from models.tickets.tables import Ticket
from tests.desk import Desk

STATUS = "Final-Recipient: rfc822; ada@example.com\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; no such user\r\n"


def _bounce(
    desk: Desk,
    about: str,
    *,
    name: str = "1",
    action: str = "failed",
    status: str = "5.1.1",
    returned: str = "text/rfc822-headers",
    head: str = "",
) -> UUID:
    mail = (
        "From: MAILER-DAEMON@mx.example.net\r\nTo: desk@example.test\r\nSubject: Undelivered\r\n"
        f"Message-ID: <b{name}@mx.example.net>\r\n{head}"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
        "--r\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        + STATUS.format(action=action, status=status)
        + f"\r\n--r\r\nContent-Type: {returned}\r\n\r\nFrom: desk@example.test\r\nMessage-ID: {about}\r\n"
        "References: <first@example.com>\r\n\r\n--r--\r\n"
    )
    return _receive(desk, mail)


def _receive(desk: Desk, mail: str) -> UUID:
    event = desk.receive_raw("email", mail.encode(), content_type="message/rfc822")
    desk.run_due()
    return event


def _answered(desk: Desk) -> tuple[Ticket, str]:
    """A ticket by mail with one answer of a person, and the answer's Message-ID."""
    desk.receive_email("It burns.", message_id="<first@example.com>")
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket, "Water it.")
    desk.run_due()
    ours = desk.sent[-1].message.external_id
    assert ours is not None
    return desk.reload(ticket), ours


def _states(desk: Desk, ticket: Ticket) -> list[str]:
    return [delivery["state"] for delivery in desk.deliveries(ticket)]


def _suppressed(desk: Desk) -> list[str]:
    rows = desk.rows("SELECT address FROM identities WHERE suppressed_reason IS NOT NULL")
    return [row["address"] for row in rows]


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_fails_the_delivery_that_it_is_about_and_no_other(desk: Desk, returned: str) -> None:
    ticket, ours = _answered(desk)
    messages, requesters = len(desk.messages(ticket)), desk.rows("SELECT count(*) AS n FROM requesters")

    event = _bounce(desk, ours, returned=returned)

    after = desk.reload(ticket)
    acknowledgement, answer = desk.deliveries(ticket)
    assert (acknowledgement["state"], answer["state"]) == ("sent", "failed")
    assert answer["last_error"] == "bounced: 5.1.1 no such user"
    [failed] = desk.events(ticket, "delivery_failed")
    assert failed["payload"]["delivery_id"] == str(answer["id"])
    assert [t["payload"] for t in desk.tasks("done", kind="advance_ticket") if "delivery_failed" in str(t)]
    assert (after.contact_address, len(desk.messages(ticket))) == ("ada@example.com", messages)
    assert desk.rows("SELECT count(*) AS n FROM requesters") == requesters
    shown = desk.inbox(event)
    assert (shown["status"], shown["ticket_id"], shown["message_id"]) == ("processed", ticket.id, None)
    assert _suppressed(desk) == ["ada@example.com"]


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_a_bounce_that_names_our_mail_in_its_headers_counts(desk: Desk, header: str) -> None:
    ticket, ours = _answered(desk)

    _bounce(desk, "<stripped@mx.example.net>", head=f"{header}: {ours}\r\n")

    assert _states(desk, ticket) == ["sent", "failed"]


def test_a_bounce_in_plain_text_that_quotes_our_mail_counts(desk: Desk) -> None:
    ticket, ours = _answered(desk)

    head = "From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\nMessage-ID: <q@mx.example.net>\r\n\r\n"
    _receive(desk, head + f"Hi. This is qmail.\r\n--- Below is a copy\r\n\r\nMessage-ID: {ours}\r\n")

    assert _states(desk, ticket) == ["sent", "failed"]
    assert desk.deliveries(ticket)[-1]["last_error"] == "bounced"
    assert _suppressed(desk) == []


def test_a_second_bounce_of_the_same_mail_changes_nothing(desk: Desk) -> None:
    ticket, ours = _answered(desk)
    _bounce(desk, ours, name="1")

    event = _bounce(desk, ours, name="2")

    assert desk.inbox(event)["status"] == "processed"
    assert len(desk.events(ticket, "delivery_failed")) == 1


@pytest.mark.parametrize("status", ["4.4.7", "5.2.2", "5.7.1", "5.1.8"])
def test_only_an_address_that_is_wrong_for_good_is_not_written_to_again(desk: Desk, status: str) -> None:
    ticket, ours = _answered(desk)

    _bounce(desk, ours, status=status)

    assert _states(desk, ticket) == ["sent", "failed"]
    assert _suppressed(desk) == []


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered"])
def test_a_report_of_a_delay_is_no_failure(desk: Desk, action: str) -> None:
    ticket, ours = _answered(desk)

    event = _bounce(desk, ours, action=action, status="4.0.0")

    assert _states(desk, ticket) == ["sent", "sent"]
    assert desk.inbox(event)["status"] == "ignored"
    assert "nothing failed" in desk.inbox(event)["reason"]


@pytest.mark.parametrize("about", ["<nestor.1.abc.def@example.test>", "<first@example.com>"])
def test_a_bounce_of_what_we_did_not_send_is_ignored(desk: Desk, about: str) -> None:
    ticket, _ = _answered(desk)

    event = _bounce(desk, about)

    assert _states(desk, ticket) == ["sent", "sent"]
    assert desk.inbox(event)["status"] == "ignored"
    assert "answers no message of ours" in desk.inbox(event)["reason"]
    assert len(desk.tickets()) == 1


def test_a_bounce_that_overtakes_the_record_of_its_sending_waits_for_it(desk: Desk) -> None:
    ticket, ours = _answered(desk)
    desk.command(_set_state, "sending")

    event = _bounce(desk, ours)
    while_sending = desk.inbox(event)["status"]
    desk.command(_set_state, "sent")
    desk.advance(minutes=20)
    desk.run_due()

    assert while_sending == "stored"
    assert _states(desk, ticket)[-1] == "failed"


def test_a_person_who_writes_as_postmaster_reports_no_failure(desk: Desk) -> None:
    ticket, ours = _answered(desk)

    desk.receive_email("Thanks!", sender="postmaster@example.com", in_reply_to=ours)
    desk.run_due()

    assert _states(desk, ticket) == ["sent", "sent"]


def _set_state(state: str) -> None:
    from models.kernel.storage import database

    database.execute("UPDATE deliveries SET state = :state", state=state)
