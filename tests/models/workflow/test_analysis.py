"""Static analysis: each fault is found in a definition that has it, and not in one that nearly has it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from models.infomodel import checks as infomodel_checks
from models.workflow import checks
from models.workflow.analysis import Finding, analyse

LABEL = {"en": "Label", "ru": "Надпись"}
TEXT = {"en": "Hello", "ru": "Привет"}
AGENTS = ["agent", "automation"]
CLEAN: dict[str, Any] = {
    "workflow": "clean",
    "label": LABEL,
    "types": ["thing"],
    "initial": "a",
    "states": {
        "a": {"category": "todo", "label": LABEL},
        "b": {"category": "waiting", "label": LABEL},
        "z": {"category": "done", "label": LABEL},
    },
    "transitions": {
        "go": {"from": ["a"], "to": "b", "label": LABEL, "who": AGENTS},
        "back": {"from": ["b"], "to": "a", "label": LABEL, "who": AGENTS},
        "end": {"from": ["a", "b"], "to": "z", "label": LABEL, "who": AGENTS},
    },
}
THING = infomodel_checks.parse(
    {
        "type": "thing",
        "label": LABEL,
        "fields": {
            "size": {
                "kind": "choice",
                "label": LABEL,
                "choices": {"small": {"label": LABEL}, "large": {"label": LABEL}},
            },
            "cost": {"kind": "number", "label": LABEL},
        },
    }
)


def found(**changes: Any) -> list[Finding]:
    """The findings of the clean definition with some sections replaced; `transitions` and `states` are added to."""
    body = copy.deepcopy(CLEAN)
    for section, value in changes.items():
        if section in ("states", "transitions"):
            body[section] |= value
        else:
            body[section] = value
    return analyse(checks.parse(body), types={"thing": THING}, teams={"it"}, workflows={"clean"})


def codes(**changes: Any) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in found(**changes)]


def move(**more: Any) -> dict[str, Any]:
    return {"from": ["a"], "to": "b", "label": LABEL, "who": AGENTS} | more


def on(event: str, name: str = "r", **more: Any) -> dict[str, Any]:
    return {"on": event, "name": name} | more


SEND = [{"send": "text"}]
TEMPLATES = {"text": TEXT}
AGAIN = {"t": {"in": ["a"], "after": "1h"}}


def test_the_clean_one_is_clean() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"states": {"lost": {"category": "done", "label": LABEL}}}, "unreachable_state", ".states.lost"),
        (
            {"states": {"trap": {"category": "todo", "label": LABEL}}, "transitions": {"fall": move(to="trap")}},
            "cannot_reach_final",
            ".states.trap",
        ),
        ({"transitions": {"no": move(who=[])}}, "transition_nobody", ".transitions.no.who"),
        ({"transitions": {"no": move(who=["automation"])}}, "transition_nobody", ".transitions.no.who"),
        ({"transitions": {"no": move(who=["team:ghosts"])}}, "transition_nobody", ".transitions.no.who"),
        (
            {"transitions": {"no": move(who=["agent"])}, "reactions": [on("note", transition="no")]},
            "transition_nobody",
            ".reactions[0].transition",
        ),
        ({"transitions": {"no": move(**{"from": ["b"]})}}, "transition_never", ".transitions.no.from"),
        ({"transitions": {"g": move(guard='ticket.state == "a"')}}, "always_true", ".transitions.g.guard"),
        ({"transitions": {"g": move(guard='ticket.state == "b"')}}, "never_true", ".transitions.g.guard"),
        ({"transitions": {"g": move(guard='fields.size == "smal"')}}, "never_true", ".transitions.g.guard"),
        ({"reactions": [on("note", when='ticket.priority == "highest"')]}, "never_true", ".reactions[0].when"),
        ({"transitions": {"g": move(guard="fields.size > 3")}}, "wrong_condition", ".transitions.g.guard"),
        ({"transitions": {"g": move(guard="fields.colour == 'red'")}}, "wrong_condition", ".transitions.g.guard"),
        ({"reactions": [on("note", "one"), on("note", "two")]}, "reaction_shadowed", ".reactions[1]"),
        (
            {"reactions": [on("note", "one", when="fields.cost > 3.0"), on("note", "two", when="fields.cost > 5.0")]},
            "reaction_shadowed",
            ".reactions[1]",
        ),
        (
            {"reactions": [on("signal:x", "one"), on("signal:x", "two", **{"in": ["a"]})]},
            "reaction_shadowed",
            ".reactions[1]",
        ),
        (
            {
                "reactions": [
                    on("state_entered:b", "one", transition="back"),
                    on("state_entered:a", "two", transition="go"),
                ]
            },
            "reactions_undo_each_other",
            ".reactions[0]",
        ),
        (
            {
                "reactions": [
                    on("field_changed:cost", "one", do=[{"set": {"size": "small"}}]),
                    on("field_changed:size", "two", do=[{"set": {"cost": 1}}]),
                ]
            },
            "reactions_undo_each_other",
            ".reactions[0]",
        ),
        (
            {
                "reactions": [on("timer:t", "one", transition="go"), on("state_entered:b", "two", transition="back")],
                "timers": AGAIN,
            },
            "timer_loop",
            ".reactions[0]",
        ),
        ({"reactions": [on("timer:t", do=[{"start_timer": "t"}])], "timers": AGAIN}, "timer_loop", ".reactions[0]"),
        (
            {"reactions": [on("timer:t", when="event.count < 3", do=[{"start_timer": "t"}])], "timers": AGAIN},
            "timer_loop",
            ".reactions[0]",
        ),
        ({"reactions": [on("requester_message", do=SEND)], "templates": TEMPLATES}, "mail_loop", ".reactions[0]"),
        (
            {"reactions": [on("ticket_created", when='ticket.priority == "high"', do=SEND)], "templates": TEMPLATES},
            "mail_loop",
            ".reactions[0]",
        ),
        ({"reactions": [on("delivery_failed", do=SEND)], "templates": TEMPLATES}, "mail_loop", ".reactions[0]"),
        ({"label": {"en": "Support", "ru": "Support"}}, "missing_translation", ".label.ru"),
        ({"transitions": {"g": move(requires=["colour"])}}, "undefined_field", ".transitions.g.requires[0]"),
        (
            {"reactions": [on("note", do=[{"set": {"colour": "red"}}])]},
            "undefined_field",
            ".reactions[0].do[0].set.colour",
        ),
        ({"reactions": [on("note", do=[{"set": {"size": "huge"}}])]}, "wrong_value", ".reactions[0].do[0].set.size"),
        (
            {
                "reactions": [on("note", do=[{"note": "text"}])],
                "templates": {"text": TEXT | {"en": "{{ fields.colour }}"}},
            },
            "undefined_variable",
            ".templates.text.en",
        ),
        ({"reactions": [on("note", do=[{"team": "ghosts"}])]}, "undefined_team", ".reactions[0].do[0].team"),
        (
            {"transitions": {"g": move(approval={"team": "ghosts", "expires": "1d"})}},
            "undefined_team",
            ".transitions.g.approval.team",
        ),
        (
            {
                "reactions": [on("note", do=[{"create_ticket": {"title": "text", "type": "ghost"}}])],
                "templates": TEMPLATES,
            },
            "undefined_type",
            ".reactions[0].do[0].create_ticket.type",
        ),
        ({"reactions": [on("note", do=[{"type": "ghost"}])]}, "undefined_type", ".reactions[0].do[0].type"),
        ({"timers": {"t": {"in": ["a"], "at": {"field": "ghost"}}}}, "undefined_field", ".timers.t.at.field"),
        ({"timers": {"t": {"in": ["a"], "at": {"field": "cost"}}}}, "not_a_date", ".timers.t.at.field"),
        ({"templates": TEMPLATES}, "unused_template", ".templates.text"),
        ({"timers": AGAIN}, "unused_timer", ".timers.t"),
        ({"transitions": {"g": move(approval={"team": "it"})}}, "approval_for_ever", ".transitions.g.approval"),
        (
            {"transitions": {"g": move(approval={"team": "it", "expires": "1d", "refused": "back"})}},
            "approval_follow_up",
            ".transitions.g.approval.refused",
        ),
        (
            {"sla": [{"name": "x", "targets": {"resolution": "1h"}}, {"name": "y", "targets": {"resolution": "2h"}}]},
            "sla_ambiguous",
            ".sla[0]",
        ),
        (
            {
                "sla": [
                    {"name": "x", "when": 'ticket.priority == "high"', "targets": {"resolution": "1h"}},
                    {"name": "y", "when": '"vip" in ticket.tags', "targets": {"resolution": "2h"}},
                ]
            },
            "sla_ambiguous",
            ".sla[1].when",
        ),
        (
            {"sla": [{"name": "x", "targets": {"resolution": {"high": "1h"}}}]},
            "sla_no_target",
            ".sla[0].targets.resolution",
        ),
        (
            {"sla": [{"name": "x", "targets": {"resolution": "1h"}, "pause_in": ["a", "b"]}]},
            "sla_never_runs",
            ".sla[0].targets.resolution",
        ),
        ({"types": ["ghost"]}, "undefined_type", ".types[0]"),
    ],
)
def test_the_fault_is_found_where_it_stands(changes: dict[str, Any], code: str, path: str) -> None:
    assert (code, path) in codes(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"transitions": {"g": move(guard='fields.size == "small"')}},
        {"transitions": {"g": move(who=["automation"])}, "reactions": [on("note", transition="g")]},
        {"reactions": [on("note", "one", when="fields.cost > 5.0"), on("note", "two", when="fields.cost > 3.0")]},
        {"reactions": [on("note", "one", **{"continue": True}), on("note", "two")]},
        {"reactions": [on("note", "one", **{"in": ["a"]}), on("note", "two")]},
        {
            "reactions": [
                on("state_entered:b", "one", transition="back"),
                on("requester_message", "two", transition="go"),
            ]
        },
        {
            "reactions": [on("timer:t", "one", transition="go"), on("agent_reply", "two", transition="back")],
            "timers": AGAIN,
        },
        {
            "reactions": [on("requester_message", when='message.automatic == "" && ticket.assigned', do=SEND)],
            "templates": TEMPLATES,
        },
        {"reactions": [on("agent_reply", do=SEND)], "templates": TEMPLATES},
        {
            "sla": [
                {"name": "x", "when": 'ticket.priority == "high"', "targets": {"resolution": "1h"}},
                {"name": "y", "when": 'ticket.priority == "low"', "targets": {"resolution": "2h"}},
                {"name": "rest", "targets": {"resolution": "3h"}, "pause_in": ["b"]},
            ]
        },
        {"transitions": {"g": move(approval={"team": "it", "expires": "1d", "refused": "end"})}},
    ],
)
def test_what_nearly_has_the_fault_is_left_alone(changes: dict[str, Any]) -> None:
    assert codes(**changes) == []


def test_errors_come_first_and_every_message_says_more_than_the_code() -> None:
    findings = found(templates=TEMPLATES, states={"lost": {"category": "done", "label": LABEL}})

    assert [one.severity for one in findings] == ["error", "warning"]
    assert all(len(one.message) > 20 for one in findings)


def test_a_very_large_life_cycle_is_analysed_in_bounded_time() -> None:
    import time

    states = {f"s{n}": {"category": "todo", "label": LABEL} for n in range(90)}
    transitions = {
        f"t{n}": move(
            **{
                "from": [f"s{n % 90}"],
                "to": f"s{(n * 7 + 1) % 90}" if (n * 7 + 1) % 90 != n % 90 else "z",
                "guard": 'ticket.priority == "high" || ticket.assigned',
            }
        )
        for n in range(400)
    } | {f"o{n}": move(to=f"s{n}") for n in range(90)}
    reactions = [on("note", f"r{n}", **{"in": [f"s{n % 90}"]}, when=f"ticket.number == {n}") for n in range(150)]

    started = time.perf_counter()
    found(states=states, transitions=transitions, reactions=reactions)

    assert time.perf_counter() - started < 30  # some 2 s on a quiet machine; a bound, not a speed
