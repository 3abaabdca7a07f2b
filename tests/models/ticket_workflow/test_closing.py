"""A ticket is not closed over a message of its requester that the life cycle has not looked at."""

from __future__ import annotations

import pytest

from models.tasks import timers
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from queues import runner
from tests.desk import Desk

WEEK_S = 7 * 24 * 3600


def _joined_while_solved(desk: Desk, **headers: str) -> Ticket:
    """A solved ticket with a message that has joined it and that the life cycle has not looked at."""
    desk.receive_email("First.", message_id="<first@example.com>")
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.receive_email("Still burning.", in_reply_to="<first@example.com>", headers=headers)
    [ingest] = desk.due_tasks()
    assert runner.run_task(ingest) == "done"
    return ticket


def test_nobody_closes_a_ticket_over_a_message_that_was_not_looked_at(desk: Desk) -> None:
    ticket = _joined_while_solved(desk)

    reasons = desk.transition(ticket, "close", role="manager")
    desk.run_due()

    assert len(reasons) == 1
    assert "the requester has just written" in reasons[0]
    assert desk.reload(ticket).state == "open"
    [refused] = desk.events(ticket, "transition_refused")
    assert refused["payload"]["reasons"] == list(reasons)


def test_a_timer_does_not_close_a_ticket_over_a_message_that_was_not_looked_at(desk: Desk) -> None:
    # given a timer's task that stands before the message's
    desk.receive_email("First.", message_id="<first@example.com>")
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.advance(seconds=WEEK_S + 1)
    assert timers.fire_due() == 1
    desk.receive_email("Still burning.", in_reply_to="<first@example.com>")
    assert runner.run_task(desk.due_tasks()[-1]) == "done"

    desk.run_due()

    assert desk.reload(ticket).state == "open"
    assert desk.timers() == []
    [refused] = desk.events(ticket, "transition_refused")
    assert "the requester has just written" in refused["payload"]["reasons"][0]


def test_a_timer_that_waited_for_a_vacation_notice_closes_the_ticket_after_it(desk: Desk) -> None:
    desk.receive_email("First.", message_id="<first@example.com>")
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.advance(seconds=WEEK_S + 1)
    assert timers.fire_due() == 1
    notice = {"Auto-Submitted": "auto-replied"}
    desk.receive_email("I am away.", in_reply_to="<first@example.com>", headers=notice)
    assert runner.run_task(desk.due_tasks()[-1]) == "done"

    desk.run_due()

    assert desk.reload(ticket).state == "closed"
    assert len(desk.events(ticket, "transition_refused")) == 1


def test_a_message_whose_reaction_was_given_up_holds_up_no_closing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = _joined_while_solved(desk)
    with monkeypatch.context() as broken:
        broken.setattr(tickets, "advance", _raise)
        while not desk.tasks("dead"):
            desk.run_due()
            desk.advance(minutes=20)

    assert desk.transition(ticket, "close", role="manager") == ()


def _raise(*_: object, **__: object) -> None:
    raise RuntimeError("a bug")
