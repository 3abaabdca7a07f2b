"""An agent's proved answer to a notice becomes a reply or a note; any other changes nothing and is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import pytest

from models.events.commands import SYSTEM
from models.identity import commands as identity
from models.kernel import clock
from models.kernel.storage import database
from models.notice_settings.rules import Digest
from models.offboarding import commands as offboarding
from models.ports.author_proof import AuthorProof
from models.ports.inbound import DeliveryFailure, InboundMessage
from models.teams import commands as teams
from models.ticket_actions import answering
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.conftest import Change
from tests.models.notices.reading import assign, choose, listed, mails_to, user, ways

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

TRUSTED = "mx.desk.test"
AGENT = "agent@example.test"
PASS = f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=example.test"


@pytest.fixture
def judged(account: Change) -> None:
    """The demo's mailbox behind a relay that judges senders."""
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")


@pytest.fixture
def ticket(desk: Desk, judged: None) -> Ticket:
    """A ticket of Ada's that is assigned to the agent, who has a notice of it by mail."""
    desk.receive_email("The printer burns.", headers={"Authentication-Results": f"{TRUSTED}; dmarc=pass"})
    desk.run_due()
    assign(desk, desk.ticket())
    desk.run_due()
    assert len(mails_to(desk)) == 1
    return desk.ticket()


def answer(
    desk: Desk,
    text: str = "Water it.",
    *,
    by: str = "reference",
    sender: str = f"Olga <{AGENT}>",
    proof: str | None = PASS,
    more: tuple[str, ...] = (),
    message_id: str | None = "<answer@example.test>",
    notice: int = -1,
    sent_at: datetime | None = None,
    is_dated: bool = True,
) -> dict[str, Any]:
    """An answer to one of the agent's notices, by the id of its mail or by the token of its reply address."""
    mail = mails_to(desk)[notice].message
    clue = f"In-Reply-To: {mail.external_id}"
    if by == "token":
        clue = f"Delivered-To: desk+{mail.reply_token}@example.test"
    headers = [*([] if proof is None else [proof]), f"From: {sender}", "To: desk@example.test", clue, *more]
    if message_id is not None:
        headers.append(f"Message-ID: {message_id}")
    if is_dated:
        headers.append(f"Date: {format_datetime(sent_at or clock.now())}")
    raw = "\r\n".join([*headers, f"Subject: Re: {mail.subject}", "", text]).encode()
    event = desk.receive_raw("email", raw, content_type="message/rfc822")
    desk.run_due()
    return desk.inbox(event)


def written(desk: Desk, ticket: Ticket) -> list[tuple[str, str, str]]:
    """Kind, author and text of what people wrote at the desk."""
    return [
        (one["kind"], one["author_name"], one["body"])
        for one in desk.messages(ticket)
        if one["direction"] == "outbound" and one["automatic"] is None
    ]


def refusals(desk: Desk) -> list[str]:
    return [notice["text"] for notice in listed(desk) if notice["rule"] == "answer_refused"]


@pytest.mark.parametrize("by", ["reference", "token"])
def test_an_answer_to_an_assignment_is_a_reply_to_the_requester(desk: Desk, ticket: Ticket, by: str) -> None:
    assert "is sent to the requester as your reply" in mails_to(desk)[0].body

    found = answer(desk, by=by)

    assert (found["status"], found["ticket_id"]) == ("processed", ticket.id)
    assert written(desk, ticket) == [("reply", "Olga Agent", "Water it.")]
    assert desk.sent[-1].address == "ada@example.com"
    assert desk.sent[-1].body.startswith("Water it.")
    assert len(desk.tickets()) == 1
    assert len(desk.rows("SELECT 1 FROM requesters")) == 1


def test_an_answer_to_a_mention_is_a_note_that_the_requester_does_not_see(desk: Desk, ticket: Ticket) -> None:
    desk.command(answering.note, ticket.id, "@Olga, is it safe?", actor=desk.person("manager"))
    desk.run_due()
    assert "becomes an internal note" in mails_to(desk)[-1].body
    before = len([sent for sent in desk.sent if sent.address == "ada@example.com"])

    answer(desk, "Yes. @Mira, look.")

    assert written(desk, ticket)[-1] == ("note", "Olga Agent", "Yes. @Mira, look.")
    assert len([sent for sent in desk.sent if sent.address == "ada@example.com"]) == before
    assert [notice["kind"] for notice in listed(desk, "manager")] == ["mentioned"]


FORGERIES: list[tuple[str, str, str | None, tuple[str, ...]]] = [
    ("no result of the relay", AGENT, None, ()),
    ("the relay did not pass", AGENT, f"Authentication-Results: {TRUSTED}; dmarc=fail header.from=example.test", ()),
    ("a result of the forger", AGENT, "Authentication-Results: mx.evil.test; dmarc=pass header.from=example.test", ()),
    ("passed for another domain", AGENT, f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=evil.test", ()),
    ("two From headers", AGENT, PASS, ("From: me@evil.test",)),
    ("two mailboxes in From", f"{AGENT}, me@evil.test", PASS, ()),
    ("Reply-To names the agent", "me@evil.test", None, (f"Reply-To: {AGENT}",)),
    ("Sender names the agent", "me@evil.test", None, (f"Sender: {AGENT}",)),
    ("a proved stranger with the token", "manager@example.test", PASS, ()),
    ("a display name that looks like the agent", f'"{AGENT}" <mallory@example.test>', PASS, ()),
    ("a subaddress of the agent", "agent+x@example.test", PASS, ()),
]


@pytest.mark.parametrize("by", ["reference", "token"])
@pytest.mark.parametrize(("case", "sender", "proof", "more"), FORGERIES, ids=[one[0] for one in FORGERIES])
def test_a_forged_answer_with_the_right_token_changes_nothing_and_is_reported(
    desk: Desk, ticket: Ticket, case: str, sender: str, proof: str | None, more: tuple[str, ...], by: str
) -> None:
    found = answer(desk, "Send the contract to me@evil.test.", by=by, sender=sender, proof=proof, more=more)

    assert found["status"] == "ignored", case
    assert found["reason"].startswith("an answer to a notice that was not taken")
    assert written(desk, ticket) == []
    assert len(desk.tickets()) == 1
    assert len(desk.rows("SELECT 1 FROM requesters")) == 1
    [told] = refusals(desk)
    assert f"#{ticket.number} was not taken" in told


def test_a_guessed_token_is_no_answer_to_a_notice(desk: Desk, ticket: Ticket) -> None:
    mail = mails_to(desk)[0].message
    assert mail.reply_token is not None
    forged = mail.reply_token[:-4] + "0000"

    desk.receive_email(
        "Let me in.",
        sender="me@evil.test",
        headers={"Delivered-To": f"desk+{forged}@example.test", "Authentication-Results": f"{TRUSTED}; dmarc=pass"},
    )
    desk.run_due()

    assert written(desk, ticket) == []
    assert desk.rows("SELECT 1 FROM notice_answers") == []


def test_a_mailbox_without_a_judge_takes_no_answers(desk: Desk, ticket: Ticket, account: Change) -> None:
    account("email.demo", authserv_ids=[])

    found = answer(desk)

    assert found["status"] == "ignored"
    assert written(desk, ticket) == []
    assert "checks no senders" in refusals(desk)[0]


def test_the_answer_of_somebody_who_left_changes_nothing(desk: Desk, ticket: Ticket) -> None:
    offboarding.update_user(user(desk).id, {"active": False}, expected_version=None, actor=SYSTEM)

    found = answer(desk)

    assert found["status"] == "ignored"
    assert written(desk, ticket) == []
    assert refusals(desk) == [], "a user who left gets no notice"


def test_the_answer_of_somebody_who_does_not_work_on_tickets_any_more_changes_nothing(
    desk: Desk, ticket: Ticket
) -> None:
    identity.update_user(user(desk).id, {"role": "accountant"}, expected_version=None, actor=SYSTEM)

    assert answer(desk)["status"] == "ignored"
    assert written(desk, ticket) == []


def test_the_answer_of_somebody_who_does_not_see_the_ticket_any_more_changes_nothing(
    desk: Desk, ticket: Ticket
) -> None:
    with database.transaction():
        teams.declare("hr", {"en": "HR"}, visibility="members")
        teams.set_members("hr", [user(desk, "admin").id], expected_version=None)
    desk.command(tickets.update, ticket.id, {"team": "hr"}, expected_version=None, actor=desk.person("admin"))
    desk.command(tickets.assign, ticket.id, None, actor=desk.person("admin"))

    assert answer(desk)["status"] == "ignored"
    assert written(desk, ticket) == []
    assert "you may not write" in refusals(desk)[0]


def test_an_answer_after_two_weeks_changes_nothing(desk: Desk, ticket: Ticket) -> None:
    desk.advance(days=15)

    assert answer(desk)["status"] == "ignored"
    assert written(desk, ticket) == []
    assert "too old" in refusals(desk)[-1]


def test_an_answer_to_a_closed_ticket_says_so(desk: Desk, ticket: Ticket) -> None:
    desk.transition(ticket, "resolve")
    desk.advance(days=8)
    desk.run_due()
    assert desk.reload(ticket).category == "closed"

    answer(desk)

    assert written(desk, ticket) == []
    assert "closed" in refusals(desk)[-1]


def test_an_answer_to_a_digest_changes_nothing(desk: Desk, ticket: Ticket) -> None:
    choose(desk, digest=Digest.hourly)
    for title in ("Lamp", "Chair"):
        assign(desk, desk.create_ticket(title))
    desk.run_due()
    desk.advance(hours=2)
    desk.run_due()

    answer(desk)

    assert [one for each in desk.tickets() for one in written(desk, each)] == []
    assert "several matters" in refusals(desk)[-1]


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "X-Autoreply: yes"])
def test_an_absence_note_is_no_answer_and_no_reason_for_a_notice(desk: Desk, ticket: Ticket, header: str) -> None:
    found = answer(desk, "I am away until Monday.", more=(header,))

    assert found["status"] == "ignored"
    assert written(desk, ticket) == []
    assert refusals(desk) == []


@pytest.mark.parametrize("text", ["", "\r\n\r\n", "> The printer burns.\r\n> \r\n"])
def test_an_answer_without_words_changes_nothing(desk: Desk, ticket: Ticket, text: str) -> None:
    answer(desk, text)

    assert written(desk, ticket) == []
    assert refusals(desk) != []


def test_an_answer_that_repeats_the_notice_is_not_sent_to_the_requester(desk: Desk, ticket: Ticket) -> None:
    """The quote was not recognised, so the requester would read what the desk wrote to the agent."""
    answer(desk, f"Mira Manager assigned ticket\r\n#{ticket.number} to you.\r\nFine, I do it.")

    assert written(desk, ticket) == []
    assert "quotes the notice" in refusals(desk)[0]


def test_an_answer_that_comes_through_two_mailboxes_is_one_message(desk: Desk, ticket: Ticket) -> None:
    mail = mails_to(desk)[0].message
    assert mail.external_id is not None
    proof = AuthorProof(AGENT, "proved", "dmarc=pass", carrier="proved", judged=True, covers=("references",))
    message = InboundMessage(
        AGENT,
        "Olga",
        AGENT,
        "Water it.",
        external_id="<1@example.test>",
        references=(mail.external_id,),
        sent_at=clock.now(),
        proof=proof,
    )

    events = [desk.receive(message), desk.receive(message), desk.receive(replace(message, external_id="<2@x.test>"))]
    desk.run_due()

    assert [desk.inbox(event)["status"] for event in events] == ["processed", "ignored", "processed"]
    assert [text for _, _, text in written(desk, ticket)] == ["Water it.", "Water it."]


def test_a_notice_whose_mail_comes_back_is_failed(desk: Desk, ticket: Ticket) -> None:
    mail = mails_to(desk)[0].message
    assert mail.external_id is not None
    failure = DeliveryFailure("5.1.1", "no such user")
    report = InboundMessage(
        "mailer-daemon@example.test",
        "Mailer",
        "mailer-daemon@example.test",
        "It came back.",
        references=(mail.external_id,),
        failure=failure,
        automatic="bounce",
    )

    event = desk.receive(report)
    desk.run_due()

    assert desk.inbox(event)["status"] == "ignored"
    assert ways(desk) == [("mail", "failed", "the mail came back")]
    assert written(desk, ticket) == []


def test_a_customers_mail_in_the_thread_of_a_forwarded_notice_is_not_lost(desk: Desk, ticket: Ticket) -> None:
    """The agent forwarded the notice; the customer answers the forward, whose thread names the notice."""
    notice = mails_to(desk)[-1].message
    headers = [
        f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=customer.test",
        "From: Carl <carl@customer.test>",
        "To: desk@example.test",
        "In-Reply-To: <forward@example.test>",
        f"References: {notice.external_id} <forward@example.test>",
        "Message-ID: <carl@customer.test>",
        "Subject: Re: Fwd: assigned",
    ]

    event = desk.receive_raw(
        "email", "\r\n".join([*headers, "", "It is mine."]).encode(), content_type="message/rfc822"
    )
    desk.run_due()

    assert desk.inbox(event)["status"] == "processed"
    [message] = [one for one in desk.rows("SELECT body FROM messages") if one["body"] == "It is mine."]
    assert message["body"] == "It is mine."
