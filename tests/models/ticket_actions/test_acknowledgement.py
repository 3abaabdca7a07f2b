"""The automatic answer: once, to people only, and never so often that two desks keep each other busy."""

from __future__ import annotations

import pytest

from models.kernel import limits
from models.ports.inbound import Automatic, Ignored, InboundMessage, Unparseable
from tests.desk import Desk


def test_a_new_ticket_is_acknowledged_once_in_the_requesters_language(desk: Desk) -> None:
    desk.receive_telegram("Принтер горит.", chat=42, name="Ада", locale="ru")
    desk.run_due()
    desk.receive_telegram("И дымит.", chat=42, name="Ада", locale="ru")
    desk.run_due()

    [acknowledgement] = desk.sent
    assert acknowledgement.body.startswith("Здравствуйте, Ада!")
    assert f"№{desk.ticket().number}" in acknowledgement.body
    assert acknowledgement.message.automatic


@pytest.mark.parametrize("kind", ["auto_reply", "bulk"])
def test_what_no_person_wrote_opens_a_ticket_but_is_not_acknowledged(desk: Desk, kind: Automatic) -> None:
    desk.receive(InboundMessage("list@example.com", "List", "list@example.com", "News", automatic=kind))
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["News"]
    assert desk.sent == []


def test_an_automatic_reply_does_not_reopen_a_solved_ticket(desk: Desk) -> None:
    desk.receive_email(message_id="<a@example.com>")
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")

    desk.receive_email("I am away.", in_reply_to="<a@example.com>", headers={"Auto-Submitted": "auto-replied"})
    desk.run_due()

    assert desk.reload(ticket).state == "solved"
    assert len(desk.bodies(ticket)) == 2


def test_a_bounce_of_something_unknown_opens_nothing(desk: Desk) -> None:
    event = desk.receive(InboundMessage("mailer-daemon@x", "MTA", "mailer-daemon@x", "Undelivered", automatic="bounce"))
    desk.run_due()

    assert desk.tickets() == []
    assert desk.inbox(event)["status"] == "ignored"
    assert "bounce" in desk.inbox(event)["reason"]


def test_our_own_mail_coming_back_is_ignored(desk: Desk) -> None:
    event = desk.receive(InboundMessage("desk@example.test", "Us", "desk@example.test", "Hi", automatic="own"))
    desk.run_due()

    assert desk.tickets() == []
    assert desk.inbox(event)["reason"] == "a message of our own"


def test_too_many_acknowledgements_to_one_address_are_withheld_visibly(desk: Desk) -> None:
    for number in range(limits.acknowledgements_burst + 2):
        desk.receive_email(f"Question {number}.", sender="ada@example.com")
        desk.run_due()

    assert len(desk.sent) == limits.acknowledgements_burst
    [withheld] = desk.events(desk.tickets()[-1], "automatic_message_withheld")
    assert "too many automatic messages to this address" in withheld["payload"]["reason"]
    assert withheld["payload"]["template"] == "acknowledgement"

    desk.advance(seconds=limits.acknowledgement_every_s)
    desk.receive_email("Another.", sender="ada@example.com")
    desk.run_due()
    assert len(desk.sent) == limits.acknowledgements_burst + 1


@pytest.mark.parametrize("threaded", [True, False])
def test_two_desks_that_answer_each_other_with_lying_headers_stop_by_themselves(desk: Desk, threaded: bool) -> None:
    """The other desk answers each mail of ours at once, as a person would; half of such desks lose the thread."""
    desk.receive_email("Hello", sender="help@other.example")
    desk.run_due()
    for answered in range(200):
        if len(desk.sent) == answered:
            break
        desk.receive_email(
            "We received your message.",
            sender="help@other.example",
            in_reply_to=desk.sent[answered].message.external_id if threaded else None,
        )
        desk.run_due()
        desk.advance(seconds=1)

    assert len(desk.sent) == (1 if threaded else limits.acknowledgements_burst)


def test_an_api_ticket_with_an_address_in_another_case_counts_for_the_same_cap(desk: Desk) -> None:
    for address in ("ada@example.com", "Ada@Example.com", " ADA@example.com"):
        for _ in range(3):
            desk.create_ticket(description="?", email=address)
    desk.run_due()

    ours = {ticket.contact_address for ticket in desk.tickets()}
    assert ours == {"ada@example.com"}
    assert len({ticket.requester_id for ticket in desk.tickets()}) == 1


def test_what_needs_nothing_or_cannot_be_read_is_kept_and_shown(desk: Desk) -> None:
    ignored = desk.receive(Ignored("a reaction"))
    broken = desk.receive(Unparseable("no From header"))
    outcomes = desk.run_due()

    assert outcomes == ["done", "done"]
    assert (desk.inbox(ignored)["status"], desk.inbox(ignored)["reason"]) == ("ignored", "a reaction")
    assert (desk.inbox(broken)["status"], desk.inbox(broken)["reason"]) == ("failed", "no From header")
