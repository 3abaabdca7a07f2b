"""For random definitions and events: only declared moves, the log gives the state, timers fire once, the same gives the
same.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.workflow import checks
from models.workflow.definition import Workflow
from models.workflow.testing.simulation import Person, Simulation

NOW = datetime(2026, 3, 27, 9, tzinfo=UTC)
LABEL = {"en": "x", "ru": "ы"}
STATES = ["s0", "s1", "s2", "s3"]
PEOPLE = (
    Person("olga", "Olga", teams=("it",)),
    Person("otto", "Otto", teams=("it",)),
    Person("mira", "Mira", "manager", teams=("it",)),
)
CONDITIONS = [
    None,
    "ticket.assigned",
    'ticket.priority == "high"',
    'message.automatic == ""',
    "size(ticket.tags) < 2",
    "event.count < 2",
]
EFFECTS: list[dict[str, Any]] = [
    {"note": "text"},
    {"send": "text"},
    {"priority": "high"},
    {"priority": "low"},
    {"add_tags": ["one"]},
    {"remove_tags": ["one"]},
    {"set": {"f": "x"}},
    {"set": {"f": "y"}},
    {"assign": {"how": "round_robin", "team": "it"}},
    {"assign": {"how": "nobody"}},
    {"start_timer": "t1"},
    {"stop_timer": "t0"},
]
EVENTS = [
    "ticket_created",
    "requester_message",
    "agent_reply",
    "note",
    "assigned",
    "state_entered",
    "field_changed",
    "timer:t0",
    "timer:t1",
    "signal:go",
    "sla_breached",
]

some_states = st.lists(st.sampled_from(STATES), min_size=1, max_size=3, unique=True)
some_effects = st.lists(st.sampled_from(EFFECTS), max_size=2)


@st.composite
def definitions(draw: st.DrawFn) -> Workflow:
    """Any life cycle that `checks` lets through, also foolish ones: circles, shadowed rules, dead ends."""
    transitions = {
        f"t{n}": {
            "from": draw(some_states),
            "to": draw(st.sampled_from(STATES)),
            "label": LABEL,
            "who": draw(
                st.lists(
                    st.sampled_from(["agent", "manager", "assignee", "automation", "requester"]),
                    min_size=1,
                    unique=True,
                )
            ),
            "guard": draw(st.sampled_from(CONDITIONS)),
            "do": draw(some_effects),
        }
        for n in range(draw(st.integers(1, 6)))
    }
    reactions = [
        {
            "on": draw(st.sampled_from(EVENTS)),
            "name": f"r{n}",
            "in": draw(st.none() | some_states),
            "when": draw(st.sampled_from(CONDITIONS)),
            "continue": draw(st.booleans()),
            "transition": draw(st.none() | st.sampled_from(sorted(transitions))),
            "do": draw(some_effects),
        }
        for n in range(draw(st.integers(0, 6)))
    ]
    body = {
        "workflow": "random",
        "label": LABEL,
        "initial": "s0",
        "states": {
            name: {"category": category, "label": LABEL, "pauses": ["resolution"] if category == "waiting" else []}
            for name, category in zip(STATES, ["todo", "waiting", "done", "closed"], strict=True)
        },
        "transitions": {name: {k: v for k, v in one.items() if v is not None} for name, one in transitions.items()},
        "reactions": [{k: v for k, v in one.items() if v is not None} for one in reactions],
        "timers": {
            "t0": {"in": draw(some_states), "after": "2h", "repeat": {"every": "1h", "times": 2}},
            "t1": {"manual": True, "after": "3h"},
        },
        "sla": [{"name": "p", "targets": {"first_response": "4h", "resolution": "8h"}, "warn_before": "1h"}],
        "templates": {"text": {"en": "Hello", "ru": "Привет"}},
    }
    return checks.parse(body)


happenings = st.lists(
    st.one_of(
        st.tuples(
            st.just("do"), st.sampled_from([f"t{n}" for n in range(6)]), st.sampled_from(["olga", "mira", "requester"])
        ),
        st.tuples(st.just("wait"), st.integers(0, 6 * 3600), st.none()),
        st.tuples(
            st.sampled_from(["message", "auto", "reply", "note", "signal", "assign", "raise"]), st.none(), st.none()
        ),
    ),
    max_size=15,
)


def run(workflow: Workflow, events: list[Any]) -> Simulation:
    simulated = Simulation(workflow, NOW, PEOPLE)
    simulated.create()
    for kind, what, who in events:
        match kind:
            case "do":
                simulated.transition(what, who)
            case "wait":
                simulated.advance(seconds=what)
            case "message":
                simulated.message()
            case "auto":
                simulated.message(automatic="bulk")
            case "reply":
                simulated.reply("olga")
            case "note":
                simulated.note("olga")
            case "signal":
                simulated.signal("go")
            case "assign":
                simulated.assign("otto", "mira")
            case "raise":
                simulated.change("mira", priority="high")
    return simulated


@settings(max_examples=150, deadline=None)
@given(definitions(), happenings)
def test_no_undeclared_move_ever_happens_and_the_log_gives_the_state(workflow: Workflow, events: list[Any]) -> None:
    simulated = run(workflow, events)

    state, fields, priority, tags, assignee = workflow.initial, dict[str, Any](), "normal", list[str](), ""
    for act in simulated.acts:
        match act.kind:
            case "moved":
                transition = workflow.transitions[act.details["transition"]]
                assert act.details["from"] == state
                assert transition.starts_in(state)
                assert transition.to == act.details["to"] != state
                state = act.details["to"]
            case "field_set":
                fields[act.details["field"]] = act.details["after"]
            case "priority_set":
                priority = act.details["after"]
            case "tags_set":
                tags = act.details["after"]
            case "assigned":
                assignee = act.details["after"]
    ticket = simulated.instance
    assert (ticket.state, ticket.category) == (state, workflow.states[state].category)
    assert (ticket.fields, list(ticket.tags)) == (fields, tags)
    if not any(kind in ("assign", "raise") for kind, _, _ in events):
        assert (ticket.priority, ticket.assignee) == (priority, assignee)


@settings(max_examples=60, deadline=None)
@given(definitions(), happenings)
def test_the_same_events_give_the_same(workflow: Workflow, events: list[Any]) -> None:
    one, other = run(workflow, events), run(workflow, events)

    assert one.instance == other.instance
    assert one.log == other.log


@settings(max_examples=100, deadline=None)
@given(definitions(), happenings)
def test_a_timer_goes_off_once_for_each_time_that_it_was_set(workflow: Workflow, events: list[Any]) -> None:
    simulated = run(workflow, events)

    started = Counter((a.details["timer"], a.details["due_at"]) for a in simulated.acts if a.kind == "timer_started")
    fired = Counter(
        (entry.event.removeprefix("timer "), entry.at) for entry in simulated.log if entry.event.startswith("timer ")
    )
    for firing, count in fired.items():
        assert count <= started[firing]
    breached = Counter((a.details["target"], a.details["due_at"]) for a in simulated.acts if a.kind == "sla_breached")
    assert all(count == 1 for count in breached.values())


@settings(max_examples=60, deadline=None)
@given(definitions(), happenings)
def test_no_machine_is_ever_answered(workflow: Workflow, events: list[Any]) -> None:
    simulated = Simulation(workflow, NOW, PEOPLE)
    simulated.create(automatic="bulk")
    before = len(simulated.log)
    simulated.message(automatic="auto_reply")

    answers = [
        act
        for entry in simulated.log[:before] + simulated.log[before:]
        for act in entry.acts
        if act.kind == "message_sent"
    ]
    opened = [act for act in simulated.log[0].acts if act.kind == "message_sent"]
    assert answers == opened == []
