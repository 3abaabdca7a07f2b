"""The engine: a pure function from definition, view and event to a decision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.workflow import definition, engine
from models.workflow.definition import Workflow
from models.workflow.engine import Decision, Refusal, View
from scripts import defs

ROLES = ("admin", "manager", "accountant", "agent", "requester", "automation")
EVENTS = (
    "ticket_created", "requester_message", "agent_reply", "note", "assigned", "delivery_failed", "timer", "signal",
)  # fmt: skip


def _shipped() -> Workflow:
    [found] = [one for one in defs.read_all(demo=False) if one.kind == "workflow" and one.name == "support"]
    return definition.parse(found.body)


SUPPORT = _shipped()


def view(state: str = "new", role: str = "agent", **more: Any) -> View:
    ticket = {
        "state": state, "category": SUPPORT.states[state].category if state in SUPPORT.states else "todo",
        "type": "question", "priority": "normal", "channel": "telegram", "contact_channel": "telegram",
        "assigned": False, "fields": {}, "message_count": 1,
    }  # fmt: skip
    message = {
        "automatic": "", "author_kind": "requester", "channel": "telegram", "attachments": 0, "length": 5,
    }  # fmt: skip
    return View(
        ticket | more.get("ticket", {}), message | more.get("message", {}), {"kind": "user", "role": role}
    )


@pytest.mark.parametrize(
    ("state", "role", "name", "target"),
    [
        ("new", "agent", "start", "open"),
        ("new", "agent", "resolve", "solved"),
        ("open", "manager", "wait", "waiting_on_requester"),
        ("solved", "requester", "reopen", "open"),
        ("solved", "manager", "close", "closed"),
        ("solved", "automation", "close", "closed"),
    ],
)
def test_a_declared_transition_is_made(state: str, role: str, name: str, target: str) -> None:
    decision = engine.request(SUPPORT, view(state, role), name, comment=None)

    assert isinstance(decision, Decision)
    assert (decision.target, decision.transition) == (target, name)


@pytest.mark.parametrize(
    ("state", "role", "name", "reason"),
    [
        ("closed", "admin", "start", "start starts from new; the ticket is closed"),
        ("solved", "agent", "close", "close is for manager, admin, automation; you are agent"),
        ("open", "requester", "resolve", "resolve is for agent, manager, admin; you are requester"),
        ("open", "agent", "fly", "the life cycle has no transition 'fly'"),
    ],
)
def test_any_other_is_refused_with_a_sentence(state: str, role: str, name: str, reason: str) -> None:
    refusal = engine.request(SUPPORT, view(state, role), name, comment=None)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reasons


@pytest.mark.parametrize(
    ("state", "event", "more", "rule", "target"),
    [
        ("new", "ticket_created", {}, "acknowledge", None),
        ("waiting_on_requester", "requester_message", {}, "reopen_on_message", "open"),
        ("solved", "requester_message", {}, "reopen_on_message", "open"),
        ("open", "agent_reply", {}, "wait_after_reply", "waiting_on_requester"),
        ("solved", "timer", {"timer": "auto_close"}, "close_after_a_week", "closed"),
    ],
)
def test_an_event_is_answered_by_the_first_reaction_that_matches(
    state: str, event: str, more: dict[str, str], rule: str, target: str | None
) -> None:
    decision = engine.react(SUPPORT, view(state, "automation"), event, **more)

    assert isinstance(decision, Decision)
    assert (decision.rule, decision.target) == (rule, target)


@pytest.mark.parametrize(
    ("found", "event", "more"),
    [
        (view("open", "automation"), "requester_message", {}),
        (view("solved", "automation", message={"automatic": "auto_reply"}), "requester_message", {}),
        (view("new", "automation", ticket={"contact_channel": ""}), "ticket_created", {}),
        (view("solved", "automation"), "timer", {"timer": "another"}),
        (view("closed", "automation"), "agent_reply", {}),
    ],
)
def test_an_event_that_nothing_matches_does_nothing(found: View, event: str, more: dict[str, str]) -> None:
    assert engine.react(SUPPORT, found, event, **more) is None


def _small(**more: Any) -> Workflow:
    label = {"en": "x", "ru": "x"}
    body: dict[str, Any] = {
        "workflow": "small",
        "label": label,
        "initial": "a",
        "states": {name: {"category": "todo", "label": label} for name in ("a", "b")},
        "transitions": {"go": {"from": ["a"], "to": "b", "label": label, "who": ["agent"]} | more},
    }
    return definition.parse(body)


def test_a_guard_that_does_not_hold_refuses_with_its_text() -> None:
    workflow = _small(guard="ticket.assigned")

    refusal = engine.request(workflow, view("a"), "go", comment=None)
    allowed = engine.request(workflow, view("a", ticket={"assigned": True}), "go", comment=None)

    assert refusal == Refusal("go", ("the condition 'ticket.assigned' does not hold",))
    assert isinstance(allowed, Decision)
    assert allowed.condition == "ticket.assigned"


@pytest.mark.parametrize(
    "guard", ["ticket.nonsense", "ticket.fields.floor > 2", "1", "ticket.state + 1 == 2"]
)
def test_a_guard_that_cannot_be_evaluated_refuses_and_never_raises(guard: str) -> None:
    refusal = engine.request(_small(guard=guard), view("a"), "go", comment=None)

    assert isinstance(refusal, Refusal)
    assert "cannot be evaluated" in refusal.reasons[0]


def test_a_required_comment_is_asked_of_people_and_shown_as_possible_without() -> None:
    workflow = _small(comment="required")

    assert engine.request(workflow, view("a"), "go", comment="  ") == Refusal("go", ("go needs a comment",))
    assert isinstance(engine.request(workflow, view("a"), "go", comment="so it is"), Decision)
    assert [option.reasons for option in engine.options(workflow, view("a"))] == [()]


def test_from_any_leaves_every_state_but_its_target() -> None:
    workflow = _small(**{"from": "any"})

    assert isinstance(engine.request(workflow, view("a"), "go", comment=None), Decision)
    refusal = engine.request(workflow, view("b"), "go", comment=None)
    assert refusal == Refusal("go", ("the ticket is already b",))
    assert engine.options(workflow, view("b")) == []


def test_options_show_what_leaves_this_state_with_the_reasons_against_it() -> None:
    found = {option.name: option.reasons for option in engine.options(SUPPORT, view("solved", "agent"))}

    assert found == {
        "reopen": (),
        "close": ("close is for manager, admin, automation; you are agent",),
    }


events = st.tuples(
    st.sampled_from(EVENTS + tuple(SUPPORT.transitions)),
    st.sampled_from(ROLES),
    st.sampled_from(["", "auto_reply"]),
    st.sampled_from([None, "auto_close"]),
)


def _walk(steps: list[tuple[str, str, str, str | None]]) -> list[tuple[str, object]]:
    state, path = SUPPORT.initial, list[tuple[str, object]]()
    for name, role, automatic, timer in steps:
        seen = view(state, role, message={"automatic": automatic})
        decision: Decision | Refusal | None
        if name in SUPPORT.transitions:
            decision = engine.request(SUPPORT, seen, name, comment="c")
        else:
            seen = view(state, "automation", message={"automatic": automatic})
            decision = engine.react(SUPPORT, seen, name, timer=timer if name == "timer" else None)
        path.append((state, decision))
        if isinstance(decision, Decision) and decision.target is not None:
            state = decision.target
    return path


@given(st.lists(events, max_size=30))
def test_no_sequence_of_events_makes_an_undeclared_move_and_the_same_gives_the_same(
    steps: list[tuple[str, str, str, str | None]],
) -> None:
    path = _walk(steps)

    for (state, decision), (_, role, _, _) in zip(path, steps, strict=True):
        assert state in SUPPORT.states
        if isinstance(decision, Refusal):
            assert decision.reasons
        if isinstance(decision, Decision) and decision.target is not None:
            assert decision.transition is not None
            transition = SUPPORT.transitions[decision.transition]
            assert transition.to == decision.target != state
            assert transition.from_ == "any" or state in transition.from_
            assert role in transition.who or "automation" in transition.who
    assert _walk(steps) == path
