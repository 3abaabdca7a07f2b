"""A reply that would reach nobody is refused, with the reason and the way out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.channels import accounts
from models.kernel import clock
from models.kernel.storage import database
from models.requesters import commands as requesters
from models.ticket_actions import answering
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.functions.callers import sqlite_only

pytestmark = sqlite_only


def refusal(desk: Desk, ticket: Ticket) -> str:
    """The reason of a refused reply, which leaves no message, delivery or event."""
    before = (len(desk.messages(ticket)), desk.reload(ticket).event_sequence)
    error = desk.refused(answering.reply, ticket.id, "Water it.", actor=desk.person())
    assert error.code == "reply_reaches_nobody"
    assert (len(desk.messages(ticket)), desk.reload(ticket).event_sequence) == before
    return error.message


def test_a_ticket_without_a_requester_takes_a_note_and_no_reply(desk: Desk) -> None:
    ticket = desk.create_ticket()

    assert "no requester" in (said := refusal(desk, ticket))
    assert "note" in said
    desk.command(answering.note, ticket.id, "Water it.", actor=desk.person())


def test_a_requester_without_an_address_gets_no_reply_until_they_have_one(desk: Desk) -> None:
    ticket = desk.create_ticket(requester_name="Ada")
    assert ticket.requester_id is not None

    assert f"/v1/requesters/{ticket.requester_id}/identities" in refusal(desk, ticket)

    desk.command(requesters.join_address, "email", "ada@example.com", ticket.requester_id)
    desk.reply(ticket)
    desk.run_due()
    assert [sent.address for sent in desk.sent] == ["ada@example.com"]


def test_a_channel_without_an_account_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    with database.transaction():
        database.execute("UPDATE tickets SET contact_account = NULL WHERE id = :id", id=ticket.id)
    monkeypatch.setattr(accounts, "default_for", lambda channel: None)

    assert "No account serves the channel email" in refusal(desk, ticket)


def test_an_account_that_is_not_published_any_more_is_named(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    with database.transaction():
        database.execute("UPDATE tickets SET contact_account = 'gone' WHERE id = :id", id=ticket.id)

    assert "email.gone" in refusal(desk, ticket)


def test_a_scheduled_reply_needs_a_reader_as_well(desk: Desk) -> None:
    ticket = desk.create_ticket()
    error = desk.refused(
        answering.reply, ticket.id, "Later.", actor=desk.person(), send_at=clock.now() + timedelta(hours=1)
    )

    assert error.code == "reply_reaches_nobody"
