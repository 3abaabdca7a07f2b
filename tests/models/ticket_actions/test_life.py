"""A ticket's life over the desk's doors: states, refusals, versions, events, timers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from models.identity import queries as identity
from models.kernel import limits
from models.kernel.errors import Invalid, NotFound, PreconditionFailed
from models.kernel.storage import database
from models.tasks import dead_letters, timers
from models.ticket_actions import answering
from models.ticket_actions import commands as tickets
from models.ticket_actions.answering import TicketClosed
from models.tickets import queries
from models.tickets.tables import Ticket
from tests.desk import Desk, gapless

WEEK_S = 7 * 24 * 3600


def _update(desk: Desk, ticket: Ticket, expected: int | None = None, **changes: Any) -> Ticket:
    made: Ticket = desk.command(tickets.update, ticket.id, changes, expected_version=expected, actor=desk.person())
    return made


def test_the_whole_story_is_in_events_without_gaps(desk: Desk) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket, "Water it.")
    desk.run_due()
    desk.receive_telegram("Done.", chat=42)
    desk.run_due()
    desk.transition(ticket, "close", role="manager")  # refused
    desk.transition(ticket, "resolve")

    events = desk.events(ticket)
    assert gapless([event["sequence"] for event in events])
    assert [event["event_type"] for event in events] == [
        "ticket_created",
        "message_received",
        "message_added",
        "message_added",
        "ticket_state_changed",
        "message_received",
        "ticket_state_changed",
        "transition_refused",
        "ticket_state_changed",
    ]
    changes = [event["payload"] for event in events if event["event_type"] == "ticket_state_changed"]
    assert [(c["from"], c["to"], c["rule"]) for c in changes] == [
        ("new", "waiting_on_requester", "wait_after_reply"),
        ("waiting_on_requester", "open", "reopen_on_message"),
        ("open", "solved", "resolve"),
    ]
    assert gapless([message["sequence"] for message in desk.messages(ticket)])


def test_a_refused_transition_has_every_reason_is_recorded_and_changes_nothing_else(desk: Desk) -> None:
    ticket = desk.create_ticket()

    reasons = desk.transition(ticket, "close", role="agent", fields={"cause": "x"})

    after = desk.reload(ticket)
    assert reasons == (
        "close starts from solved; the ticket is new",
        "close is for manager, admin, automation; you are agent",
    )
    [refused] = desk.events(ticket, "transition_refused")
    assert refused["payload"]["reasons"] == list(reasons)
    assert (after.state, after.version, after.fields) == (ticket.state, ticket.version, {})


def test_an_unknown_transition_is_refused_by_name(desk: Desk) -> None:
    assert desk.transition(desk.create_ticket(), "explode") == ("the life cycle has no transition 'explode'",)


def test_a_transition_may_set_fields(desk: Desk) -> None:
    ticket = desk.create_ticket(fields={"floor": 2})

    assert desk.transition(ticket, "resolve", fields={"cause": "paper"}) == ()

    assert desk.reload(ticket).fields == {"floor": 2, "cause": "paper"}


def test_the_fields_that_a_transition_sets_are_recorded_and_those_of_a_refused_one_are_not(desk: Desk) -> None:
    ticket = desk.create_ticket(fields={"floor": 2})

    desk.transition(ticket, "close", fields={"cause": "water"})  # refused
    desk.transition(ticket, "resolve", fields={"cause": "paper", "floor": 2})

    updated, moved = desk.events(ticket)[-2:]
    assert [updated["event_type"], moved["event_type"]] == ["ticket_updated", "ticket_state_changed"]
    assert updated["payload"]["changes"] == {"fields.cause": {"from": None, "to": "paper"}}
    assert updated["payload"]["rule"] == "resolve"
    assert len(desk.events(ticket, "ticket_updated")) == 1


def test_fields_do_not_pile_up_beyond_their_bound_by_transitions(desk: Desk) -> None:
    ticket = desk.create_ticket(fields={f"a{n}": n for n in range(limits.fields_max)})

    with pytest.raises(Invalid, match=r"/fields: expected at most 200 fields with those it has, found 201"):
        desk.transition(ticket, "resolve", fields={"b": 1})

    assert desk.reload(ticket).state == "new"


def test_each_change_that_people_see_raises_the_version_by_one(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    versions = [ticket.version]

    for change in (
        lambda: _update(desk, ticket, title="Fire"),
        lambda: desk.reply(ticket),
        lambda: desk.command(answering.note, ticket.id, "hm", actor=desk.person()),
        lambda: desk.transition(ticket, "resolve"),
    ):
        change()
        versions.append(desk.reload(ticket).version)

    assert versions == [1, 2, 3, 4, 5]


def test_an_update_of_what_somebody_else_changed_is_refused(desk: Desk) -> None:
    ticket = desk.create_ticket()
    _update(desk, ticket, expected=1, title="Fire")

    with pytest.raises(PreconditionFailed, match="expected version 2, found 1"):
        _update(desk, ticket, expected=1, title="Water")

    assert desk.reload(ticket).title == "Fire"


def test_an_update_that_changes_nothing_is_no_change(desk: Desk) -> None:
    ticket = desk.create_ticket()

    _update(desk, ticket, title=ticket.title, priority=ticket.priority)

    assert desk.reload(ticket).version == 1
    assert desk.events(ticket, "ticket_updated") == []


def test_an_update_records_what_was_and_what_is(desk: Desk) -> None:
    ticket = desk.create_ticket()
    _update(desk, ticket, priority="high", fields={"a": 1})

    [event] = desk.events(ticket, "ticket_updated")

    assert event["payload"]["changes"] == {
        "priority": {"from": "normal", "to": "high"},
        "fields.a": {"from": None, "to": 1},
    }


@pytest.mark.parametrize("door", ["create", "update"])
def test_a_priority_that_the_life_cycle_does_not_have_is_invalid(desk: Desk, door: str) -> None:
    ticket = desk.create_ticket()

    def ask() -> Ticket:
        return desk.create_ticket(priority="asap") if door == "create" else _update(desk, ticket, priority="asap")

    with pytest.raises(Invalid, match=r"/priority: expected one of low, normal, high, urgent, found 'asap'"):
        ask()


def test_an_assignment_is_recorded_once_and_only_to_active_people(desk: Desk) -> None:
    ticket, agent = desk.create_ticket(), desk.person()
    with database.connection():
        user = identity.find_by_email("agent@example.test")
    assert user is not None

    for _ in range(2):
        desk.command(tickets.assign, ticket.id, user.id, actor=agent)
    refusal = desk.refused(tickets.assign, ticket.id, uuid4(), actor=agent)
    desk.command(tickets.assign, ticket.id, None, actor=agent)

    told = [event["payload"] for event in desk.events(ticket, "ticket_assigned")]
    assert told == [{"from": None, "to": str(user.id)}, {"from": str(user.id), "to": None}]
    assert refusal.message == "/assignee_id: expected the id of an active user who works on tickets"


def test_a_closed_ticket_takes_notes_but_no_replies(desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")
    desk.transition(ticket, "close", role="manager")

    with pytest.raises(TicketClosed):
        desk.reply(ticket)
    desk.command(answering.note, ticket.id, "for the record", actor=desk.person())

    assert desk.bodies(ticket, "outbound") == ["for the record"]


def test_the_first_response_is_a_persons_not_the_acknowledgement(desk: Desk) -> None:
    desk.receive_telegram()
    desk.run_due()
    before = desk.ticket().first_response_at
    desk.advance(minutes=5)
    desk.reply(desk.ticket())
    first = desk.ticket().first_response_at
    desk.advance(minutes=5)
    desk.reply(desk.ticket())

    assert before is None
    assert first is not None
    assert desk.ticket().first_response_at == first


def test_a_solved_ticket_closes_by_itself_after_a_week(desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")

    desk.advance(seconds=WEEK_S - 60)
    desk.run_due()
    before = desk.reload(ticket).state
    desk.advance(seconds=120)
    desk.run_due()

    closed = desk.reload(ticket)
    assert (before, closed.state) == ("solved", "closed")
    assert closed.closed_at is not None
    assert desk.events(ticket)[-1]["payload"]["rule"] == "close_after_a_week"
    assert desk.timers() == []


def test_a_reopened_ticket_does_not_close_and_its_week_begins_again_when_it_is_solved_again(
    desk: Desk,
) -> None:
    desk.receive_telegram(chat=42)
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.advance(days=6)
    desk.receive_telegram("Still burning.", chat=42)
    desk.run_due()
    timers_when_open = desk.timers()
    desk.advance(days=2)
    desk.run_due()
    state_after_a_week = desk.reload(ticket).state
    desk.transition(ticket, "resolve")
    desk.advance(days=6)
    desk.run_due()

    assert timers_when_open == []
    assert state_after_a_week == "open"
    assert desk.reload(ticket).state == "solved"


def test_a_timer_that_fired_just_before_the_ticket_was_reopened_is_discarded(desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")
    desk.advance(seconds=WEEK_S + 1)
    assert timers.fire_due() == 1
    desk.transition(ticket, "reopen")

    desk.run_due()

    assert desk.reload(ticket).state == "open"
    assert desk.events(ticket, "transition_refused") == []
    assert [task["kind"] for task in desk.tasks("discarded")] == ["advance_ticket"]


def test_an_automation_that_is_given_up_shows_in_the_history_and_can_be_retried(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.receive_telegram()
    with monkeypatch.context() as broken:
        broken.setattr(tickets, "advance", _raise)
        while not desk.tasks("dead"):
            desk.run_due()
            desk.advance(minutes=20)
    [dead] = desk.tasks("dead")
    [failed] = desk.events(desk.ticket(), "automation_failed")

    desk.command(dead_letters.retry, dead["id"])
    desk.run_due()

    assert failed["payload"]["event"] == "ticket_created"
    assert "RuntimeError" in failed["payload"]["reason"]
    assert len(desk.sent) == 1


def _raise(*_: object, **__: object) -> None:
    raise RuntimeError("a bug")


def test_many_changes_at_once_lose_none_and_number_all(desk: Desk) -> None:
    ticket, agent = desk.create_ticket(), desk.person()

    def note(number: int) -> None:
        for index in range(4):
            desk.command(answering.note, ticket.id, f"{number}.{index}", actor=agent)

    desk.in_threads(*[lambda number=number: note(number) for number in range(4)])

    assert gapless([event["sequence"] for event in desk.events(ticket)])
    assert gapless([message["sequence"] for message in desk.messages(ticket)])
    assert desk.reload(ticket).version == 17


def test_numbers_of_tickets_made_at_once_differ(desk: Desk) -> None:
    desk.in_threads(*[lambda: [desk.create_ticket() for _ in range(3)]] * 4)

    numbers = [ticket.number for ticket in desk.tickets()]
    assert len(set(numbers)) == 12


def test_a_missing_thing_is_reported_by_the_requested_name(desk: Desk) -> None:
    for reference in ("999999", str(uuid4()), "no-such", "9" * 30, "१२"):
        with pytest.raises(NotFound, match="there is no ticket"), database.connection():
            queries.find(reference)


def test_a_title_is_the_first_line_that_says_something_printable_and_bounded(desk: Desk) -> None:
    for text in ("\n\n  Help \x07me\nplease", "x" * 500, "\u200b"):
        desk.receive_telegram(text, chat=len(text))
    desk.run_due()

    titles = [ticket.title for ticket in desk.tickets()]
    assert titles[0] == "Help me"
    assert len(titles[1]) == 200
    assert titles[1].endswith("…")
    assert titles[2] == "(no subject)"
