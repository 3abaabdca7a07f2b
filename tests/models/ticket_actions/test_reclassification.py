"""A ticket whose type changes moves to the life cycle of the type: by a person, by the API, or by a life cycle."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.definitions import store
from models.kernel import clock
from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.publishing import publishing, workflows
from models.publishing.catalogue import Found
from models.ticket_actions import answering, commands, locks
from models.ticket_workflow import replay, signals, why
from models.tickets.tables import Ticket
from scripts.explain import words
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

Body = dict[str, Any]


def publish(name: str, change: Callable[[Body], Any]) -> None:
    with database.connection():
        found = store.latest("workflow", name)
    assert found is not None
    body = copy.deepcopy(found.body)
    change(body)
    workflows.forget()
    publishing.apply([Found("workflow", name, body, "source", Path("x.yaml"))], by="test")


def retype(desk: Desk, ticket: Ticket, type_: str, *, role: str = "agent", **changes: Any) -> Ticket:
    with database.transaction():
        return commands.update(
            ticket.id, {"type": type_} | changes, expected_version=None, actor=desk.person(role), role=role
        )


def timers_of(ticket: Ticket) -> set[str]:
    with database.connection():
        return {name for name, _ in why.timers(ticket.id) if not name.startswith("sla:")}


def promises_of(ticket: Ticket) -> dict[str, str]:
    with database.connection():
        return {one.target: one.state for one in why.promises(ticket.id)}


def reasons_of(ticket: Ticket) -> list[Any]:
    """Return the reasons of all rules in the last decisions of the ticket."""
    with database.connection():
        rows = why.decisions(ticket.id, after=None, limit=50)
    return [reason for row in rows for trace in row["looks"] for reason in trace.get("reasons", ())]


def with_effects(*rules: Mapping[str, Any]) -> Callable[[Body], None]:
    return lambda body: body["reactions"].__setitem__(slice(0, 0), [dict(rule) for rule in rules])


def test_a_new_type_moves_the_ticket_to_its_life_cycle_with_promises_timers_and_a_way_on(desk: Desk) -> None:
    ticket = desk.create_ticket("The shop is down", email="ada@example.com")

    moved = retype(desk, ticket, "incident")

    assert (moved.type, moved.workflow, moved.state) == ("incident", "incident", "reported")
    assert promises_of(ticket) == {"first_response": "running", "resolution": "running"}
    assert timers_of(ticket) == {"remind_unassigned"}
    assert moved.next_due_at is not None
    [event] = desk.events(ticket, "ticket_reclassified")
    assert (event["payload"]["from"]["workflow"], event["payload"]["to"]["workflow"]) == ("support", "incident")
    assert (
        "the life cycle of the type incident is incident; states_from has no entry for support/new; reported is the"
        " initial state"
    ) in reasons_of(ticket)
    assert desk.transition(ticket, "investigate") == ()
    assert desk.reload(ticket).state == "investigating"


def test_the_life_cycle_s_map_chooses_the_state_and_the_old_timers_end(desk: Desk) -> None:
    publish("incident", lambda body: body.update(states_from={"support": {"waiting_on_requester": "investigating"}}))
    publish("support", lambda body: body["timers"].update(nudge={"in": ["waiting_on_requester"], "after": "2d"}))
    ticket = desk.create_ticket(email="ada@example.com")
    desk.transition(ticket, "wait")
    assert timers_of(ticket) == {"nudge"}

    moved = retype(desk, ticket, "incident")

    assert moved.state == "investigating"
    assert timers_of(ticket) == set()
    assert "states_from maps support/waiting_on_requester to investigating" in "".join(reasons_of(ticket))


def test_a_done_ticket_stays_done_in_the_new_life_cycle(desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")
    solved_at = desk.reload(ticket).solved_at

    moved = retype(desk, ticket, "incident")

    assert (moved.state, moved.category, moved.solved_at) == ("resolved", "done", solved_at)
    assert "running" not in promises_of(ticket).values()


def test_the_way_back_ends_the_promises(desk: Desk) -> None:
    ticket = desk.create_ticket(type="incident")

    moved = retype(desk, ticket, "question")

    assert (moved.workflow, moved.state, moved.next_due_at) == ("support", "new", None)
    assert set(promises_of(ticket).values()) == {"cancelled"}
    desk.advance(days=30)
    desk.run_due()
    assert desk.events(ticket, "sla_breached") == []


def test_a_promise_that_both_life_cycles_make_keeps_the_time_that_it_has_counted(desk: Desk) -> None:
    publish("support", lambda body: body.update(sla=[{"name": "all", "targets": {"resolution": "100h"}}]))
    ticket = desk.create_ticket(priority="urgent")
    desk.advance(hours=3)

    retype(desk, ticket, "incident")

    with database.connection():
        due_at = {one.target: one.due_at for one in why.promises(ticket.id)}["resolution"]
    assert due_at is not None
    assert abs(due_at - clock.now() - timedelta(hours=1)) < timedelta(seconds=30)


def test_a_type_of_the_same_life_cycle_moves_nothing(desk: Desk) -> None:
    label = {"en": "Praise", "ru": "Похвала"}
    publishing.apply(
        [Found("model", "praise", {"type": "praise", "label": label, "fields": {}}, "", Path("x"))], by="test"
    )
    ticket = desk.create_ticket()
    desk.transition(ticket, "start")

    moved = retype(desk, ticket, "praise")

    assert (moved.workflow, moved.state) == ("support", "open")
    assert desk.events(ticket, "ticket_reclassified") == []


def test_the_type_is_refused_with_the_way_out_while_an_approval_waits(desk: Desk) -> None:
    ticket = desk.create_ticket(type="access-request", fields={"system": "crm"})

    with pytest.raises(locks.TypeLocked, match=r"waits for an approval; take .* first"):
        retype(desk, ticket, "incident")

    assert desk.reload(ticket).workflow == "access-request"


def test_a_priority_that_the_new_life_cycle_lacks_is_refused_unless_another_comes_along(desk: Desk) -> None:
    publish("incident", lambda body: body.update(priorities=["normal", "high", "urgent"]))
    ticket = desk.create_ticket(priority="low")

    with pytest.raises(Invalid, match="/priority: expected one of normal, high, urgent, found 'low'"):
        retype(desk, ticket, "incident")

    assert retype(desk, ticket, "incident", priority="high").workflow == "incident"


def test_an_effect_changes_the_type_and_the_new_life_cycle_reacts_to_it(desk: Desk) -> None:
    publish("support", with_effects({"on": "signal:outage", "name": "outage", "do": [{"type": "incident"}]}))
    publish(
        "incident",
        with_effects(
            {
                "on": "field_changed:type",
                "name": "arrived",
                "when": 'event.before == "question" && event.after == "incident"',
                "do": [{"add_tags": ["escalated"]}],
            }
        ),
    )
    ticket = desk.create_ticket()

    with database.transaction():
        signals.receive(ticket.id, "outage", {}, actor=desk.person())
    desk.run_due()

    moved = desk.reload(ticket)
    assert (moved.type, moved.workflow, moved.state, moved.tags) == ("incident", "incident", "reported", ["escalated"])
    assert moved.former_types == ["question"]
    assert promises_of(ticket) == {"first_response": "running", "resolution": "running"}


def test_an_effect_changes_the_type_of_a_ticket_that_is_just_created(desk: Desk) -> None:
    publish("support", lambda body: body.update(sla=[{"name": "all", "targets": {"resolution": "100h"}}]))
    publish("support", with_effects({"on": "ticket_created", "name": "outage", "do": [{"type": "incident"}]}))

    ticket = desk.reload(desk.create_ticket())

    assert (ticket.type, ticket.workflow, ticket.state) == ("incident", "incident", "reported")
    assert promises_of(ticket) == {"first_response": "running", "resolution": "running"}


def test_a_reaction_to_the_creation_of_a_ticket_may_move_its_promises(desk: Desk) -> None:
    publish("incident", with_effects({"on": "ticket_created", "name": "urgent", "do": [{"priority": "urgent"}]}))

    ticket = desk.create_ticket(type="incident")

    with database.connection():
        assert {one.target: one.target_s for one in why.promises(ticket.id)} == {
            "first_response": 15 * 60,
            "resolution": 4 * 3600,
        }


def test_two_life_cycles_that_send_a_ticket_to_each_other_stop_after_one_move(desk: Desk) -> None:
    publish("support", with_effects({"on": "field_changed:type", "name": "there", "do": [{"type": "incident"}]}))
    publish("support", with_effects({"on": "signal:go", "name": "go", "do": [{"type": "incident"}]}))
    publish("incident", with_effects({"on": "field_changed:type", "name": "back", "do": [{"type": "question"}]}))
    ticket = desk.create_ticket()

    with database.transaction():
        signals.receive(ticket.id, "go", {}, actor=desk.person())
    desk.run_due()

    assert desk.reload(ticket).workflow == "incident"
    [withheld] = desk.events(ticket, "effect_withheld")
    assert "the ticket changes its life cycle once in a step" in withheld["payload"]["reason"]


def test_an_effect_that_may_not_change_the_type_is_withheld_with_its_reason(desk: Desk) -> None:
    publish("access-request", with_effects({"on": "note", "name": "retype", "do": [{"type": "incident"}]}))
    ticket = desk.create_ticket(type="access-request", fields={"system": "crm"})

    with database.transaction():
        answering.note(ticket.id, "An outage.", actor=desk.person())

    assert desk.reload(ticket).type == "access-request"
    [withheld] = desk.events(ticket, "effect_withheld")
    assert "waits for an approval" in withheld["payload"]["reason"]


def test_a_replay_begins_in_the_state_in_which_the_ticket_came_to_the_life_cycle(desk: Desk) -> None:
    publish("incident", lambda body: body.update(states_from={"support": {"open": "monitoring"}}))
    ticket = desk.create_ticket()
    desk.transition(ticket, "start")
    retype(desk, ticket, "incident")

    with database.connection():
        draft = workflows.newest("incident").definition
        report = replay.replay("incident", draft, since=clock.now() - timedelta(days=1), until=clock.now())

    assert (report.tickets, report.faithful, report.ended_differently, report.failed) == (1, 1, 0, 0)


def test_the_story_of_the_ticket_tells_the_move_and_its_reason(desk: Desk) -> None:
    ticket = desk.create_ticket()
    retype(desk, ticket, "incident")

    [event] = desk.events(ticket, "ticket_reclassified")
    line, details = words.event("ticket_reclassified", event["payload"], {})

    assert line == "life cycle support -> incident version 1 for the type incident"
    assert "states_from has no entry for support/new" in details[0]
