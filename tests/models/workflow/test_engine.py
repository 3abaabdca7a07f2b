"""The engine: a pure step from a definition, a ticket and an event to acts; every shipped kind of rule, and what speaks
against it.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from models.workflow import checks, definition, engine
from models.workflow.definition import Workflow
from models.workflow.instance import Actor, Context, Event, Instance, Step
from models.workflow.testing.simulation import Person, Simulation

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LABEL = {"en": "x", "ru": "ы"}
PEOPLE = (
    Person("olga", "Olga", teams=("it",), email="olga@example.test"),
    Person("otto", "Otto", teams=("it",)),
    Person("mira", "Mira", "manager"),
)


def workflow(**more: Any) -> Workflow:
    """a -> b by agents; `more` replaces sections, `go` changes the transition."""
    go = {"from": ["a"], "to": "b", "label": LABEL, "who": ["agent", "automation"]} | more.pop("go", {})
    body: dict[str, Any] = {
        "workflow": "small",
        "label": LABEL,
        "initial": "a",
        "states": {"a": {"category": "todo", "label": LABEL}, "b": {"category": "done", "label": LABEL}},
        "transitions": {
            "go": go,
            "back": {"from": ["b"], "to": "a", "label": LABEL, "who": ["agent", "automation"]},
        },
        "templates": {"text": {"en": "Hello {{ requester.name }}", "ru": "Привет"}},
    }
    return checks.parse(body | copy.deepcopy(more))


def simulation(**more: Any) -> Simulation:
    simulated = Simulation(workflow(**more), NOW, PEOPLE)
    simulated.create()
    return simulated


def kinds(step: Step) -> list[str]:
    return [act.kind for act in step.acts]


def test_a_declared_transition_is_made_and_names_its_rule_condition_and_values() -> None:
    simulated = simulation(go={"guard": 'ticket.priority == "normal"'})

    step = simulated.transition("go", "olga", comment="now")

    [moved] = step.acts
    assert moved.details == {"from": "a", "to": "b", "transition": "go", "event": "request", "comment": "now"}
    assert (moved.rule, moved.condition, moved.values) == (
        "go",
        'ticket.priority == "normal"',
        {"ticket.priority": "normal"},
    )


@pytest.mark.parametrize(
    ("more", "name", "by", "reason"),
    [
        ({}, "fly", "olga", "the life cycle has no transition 'fly'"),
        ({}, "back", "olga", "back starts from b; the ticket is a"),
        ({}, "go", "mira", "go is for agent, automation; you are manager"),
        ({"go": {"who": ["assignee"]}}, "go", "olga", "go is for assignee; you are agent"),
        ({"go": {"who": ["team:it"]}}, "go", "mira", "go is for team:it; you are manager"),
        ({"go": {"comment": "required"}}, "go", "olga", "go needs a comment"),
        ({"go": {"requires": ["cause"]}}, "go", "olga", "go needs a value in cause"),
        (
            {"go": {"guard": "ticket.assigned"}},
            "go",
            "olga",
            "the condition 'ticket.assigned' does not hold (ticket.assigned is False)",
        ),
        ({"go": {"guard": "fields.floor > 2"}}, "go", "olga", "cannot be evaluated: there is no floor"),
        ({"go": {"from": "any", "to": "a"}}, "go", "olga", "the ticket is already a"),
    ],
)
def test_what_speaks_against_a_transition_is_a_sentence_and_nothing_moves(
    more: dict[str, Any], name: str, by: str, reason: str
) -> None:
    simulated = simulation(**more)

    step = simulated.transition(name, by)

    assert kinds(step) == ["refused"]
    assert any(reason in found for found in step.refusal), step.refusal
    assert simulated.instance.state == "a"


def test_the_part_of_a_guard_that_failed_is_reported_with_its_values() -> None:
    simulated = simulation(go={"guard": 'ticket.priority == "high" && ticket.state == "a"'})

    step = simulated.transition("go", "olga")

    assert "'ticket.priority == \"high\"' does not hold" in step.refusal[0]
    [look] = step.traces
    assert (look.outcome, look.failed) == ("refused", ('ticket.priority == "high"',))
    assert look.values == {"ticket.priority": "normal", "ticket.state": "a"}


@pytest.mark.parametrize("who", ["assignee", "team:it"])
def test_an_assignee_and_a_member_of_the_team_may(who: str) -> None:
    simulated = simulation(go={"who": [who]})
    simulated.assign("olga", "mira")

    assert simulated.transition("go", "olga").refusal == ()


def test_fields_that_come_with_a_transition_count_for_what_it_requires() -> None:
    simulated = simulation(go={"requires": ["cause"]})

    step = simulated.transition("go", "olga", fields={"cause": "water"})

    assert kinds(step) == ["field_set", "moved"]
    assert simulated.instance.fields == {"cause": "water"}


def test_a_refused_transition_changes_no_field() -> None:
    simulated = simulation(go={"guard": "false"})

    simulated.transition("go", "olga", fields={"cause": "water"})

    assert simulated.instance.fields == {}


def test_the_first_reaction_that_matches_acts_and_the_others_tell_why_not() -> None:
    simulated = simulation(
        reactions=[
            {"on": "note", "name": "elsewhere", "in": ["b"], "do": []},
            {"on": "note", "name": "urgent_only", "when": 'ticket.priority == "urgent"', "do": []},
            {"on": "note", "name": "this_one", "transition": "go"},
            {"on": "note", "name": "too_late", "do": []},
        ]
    )

    step = simulated.note("olga")

    assert [(look.rule, look.outcome) for look in step.traces] == [
        ("elsewhere", "silent"),
        ("urgent_only", "silent"),
        ("this_one", "acted"),
        ("too_late", "not_reached"),
    ]
    assert step.traces[0].reasons == ("it is for b; the ticket is a",)
    assert step.traces[1].failed == ('ticket.priority == "urgent"',)


def test_a_reaction_that_continues_lets_the_next_one_look() -> None:
    note = [{"note": "text"}]
    simulated = simulation(
        reactions=[
            {"on": "note", "name": "one", "do": note, "continue": True},
            {"on": "note", "name": "two", "do": note},
        ]
    )

    assert [act.rule for act in simulated.note("olga").acts] == ["one", "two"]


def test_an_event_that_nothing_matches_is_noted_where_the_life_cycle_says_so() -> None:
    assert kinds(simulation(unmatched=["signal"]).signal("x")) == ["unmatched"]
    assert kinds(simulation().signal("x")) == []


def test_a_signal_acts_by_its_name_and_its_payload_can_be_asked() -> None:
    reaction = {"on": "signal:built", "name": "built", "when": "event.payload.ok == true", "transition": "go"}

    assert simulation(reactions=[reaction]).signal("other", {"ok": True}).acts == ()
    assert simulation(reactions=[reaction]).signal("built", {"ok": False}).acts == ()
    assert kinds(simulation(reactions=[reaction]).signal("built", {"ok": True})) == ["moved"]


def test_a_change_that_an_effect_makes_is_an_event_of_the_same_step() -> None:
    simulated = simulation(
        reactions=[
            {"on": "note", "name": "mark", "do": [{"set": {"severity": "high"}}]},
            {
                "on": "field_changed:severity",
                "name": "raise",
                "when": 'event.after == "high"',
                "do": [{"priority": "urgent"}],
            },
            {"on": "field_changed:priority", "name": "tag", "do": [{"add_tags": ["hot"]}]},
        ]
    )

    step = simulated.note("olga")

    assert kinds(step) == ["field_set", "priority_set", "tags_set"]
    assert (simulated.instance.priority, simulated.instance.tags) == ("urgent", ("hot",))


def test_a_circle_of_rules_is_stopped_and_says_so() -> None:
    simulated = simulation(
        reactions=[
            {"on": "state_entered:b", "name": "there", "transition": "back"},
            {"on": "state_entered:a", "name": "and_back", "transition": "go"},
        ]
    )

    step = simulated.transition("go", "olga")

    assert kinds(step)[-1] == "chain_stopped"
    assert kinds(step).count("moved") < 12


def test_a_machine_is_never_answered_whatever_the_definition_says() -> None:
    simulated = simulation(reactions=[{"on": "requester_message", "name": "answer", "do": [{"send": "text"}]}])

    assert kinds(simulated.message(automatic="auto_reply")) == ["withheld"]
    assert kinds(simulated.message()) == ["message_sent"]


def test_every_kind_of_effect_acts() -> None:
    effects: list[dict[str, Any]] = [
        {"send": "text"},
        {"note": "text"},
        {"notify": {"team": "it", "text": "text"}},
        {"set": {"copied": {"cel": "ticket.priority"}}},
        {"assign": {"how": "person", "user": "olga@example.test"}},
        {"team": "it"},
        {"priority": "low"},
        {"add_tags": ["one"]},
        {"remove_tags": ["one"]},
        {"start_timer": "later"},
        {"stop_timer": "later"},
        {"webhook": "hook"},
        {"charge": {"kind": "fee", "amount": "4.50", "currency": "EUR"}},
        {"create_ticket": {"title": "text", "type": "task"}},
        {"ask_rating": "text"},
        {"type": "incident"},
    ]
    simulated = simulation(
        reactions=[{"on": "note", "name": "all", "do": effects}],
        timers={"later": {"manual": True, "after": "1h"}},
        webhooks={"hook": {"url": "https://example.test", "secret": {"secret": "s"}}},
    )

    step = simulated.note("mira")

    assert kinds(step) == [
        "message_sent",
        "note_added",
        "notified",
        "field_set",
        "assigned",
        "team_set",
        "priority_set",
        "tags_set",
        "tags_set",
        "timer_started",
        "timer_stopped",
        "webhook_called",
        "charged",
        "ticket_made",
        "rating_asked",
        "type_set",
    ]
    assert simulated.instance.fields == {"copied": "normal"}
    assert step.acts[12].details["amount_minor"] == 450
    assert set(definition.EFFECTS) == {next(iter(effect)) for effect in effects}


@pytest.mark.parametrize(("how", "first", "second"), [("round_robin", "olga", "otto"), ("least_busy", "olga", "otto")])
def test_the_turn_and_the_load_decide_who_gets_a_ticket(how: str, first: str, second: str) -> None:
    assign = {"assign": {"how": how, "team": "it"}}
    simulated = simulation(reactions=[{"on": "note", "name": "give", "do": [assign]}])

    simulated.note("mira")
    assert simulated.instance.assignee == first
    simulated.note("mira")
    assert simulated.instance.assignee == second


def test_chance_is_drawn_from_the_event_so_that_a_replay_draws_the_same() -> None:
    chosen = workflow(reactions=[{"on": "note", "name": "give", "do": [{"assign": {"how": "random", "team": "it"}}]}])
    drawn = set()
    for seed in map(str, range(20)):
        found = []
        for _ in range(2):
            context = Context(now=NOW, seed=seed, roster=Simulation(chosen, NOW, PEOPLE)._roster)
            found.append(engine.react(chosen, Instance("a", "todo"), context, Event("note")).instance.assignee)
        assert found[0] == found[1]
        drawn.add(found[0])

    assert drawn == {"olga", "otto"}


def test_an_effect_that_cannot_happen_says_why() -> None:
    simulated = simulation(
        reactions=[
            {
                "on": "note",
                "name": "try",
                "do": [
                    {"charge": {"kind": "fee", "amount": "1", "currency": "EUR"}},
                    {"assign": {"how": "round_robin", "team": "nobody_here"}},
                    {"notify": {"assignee": True, "text": "text"}},
                    {"send": "text", "when": "ticket.assigned"},
                ],
            }
        ]
    )

    step = simulated.note("mira")

    assert kinds(step) == ["withheld"] * 4
    assert [act.details["effect"] for act in step.acts] == ["charge", "assign", "notify", "send"]


def test_timers_run_in_their_states_repeat_with_a_bound_and_stop_when_they_are_left() -> None:
    simulated = simulation(
        timers={"nag": {"in": ["a"], "after": "1h", "repeat": {"every": "30m", "times": 2}}},
        reactions=[{"on": "timer:nag", "name": "nag", "do": [{"note": "text"}]}],
    )

    steps = simulated.advance(seconds=24 * 3600)
    assert [entry.at.hour * 60 + entry.at.minute for entry in simulated.log if entry.event == "timer nag"] == [
        600,
        630,
        660,
    ]
    assert len(steps) == 3

    again = simulation(timers={"nag": {"in": ["a"], "after": "1h"}})
    again.transition("go", "olga")
    assert again.timers == {}


def test_a_timer_that_is_kept_goes_off_in_another_state_too() -> None:
    simulated = simulation(
        timers={"later": {"in": ["a"], "after": "1h", "keep": True}},
        reactions=[{"on": "timer:later", "name": "note_it", "do": [{"note": "text"}]}],
    )
    simulated.transition("go", "olga")

    [step] = simulated.advance(seconds=3600)

    assert kinds(step) == ["note_added"]


def test_an_approval_waits_for_enough_members_and_not_for_who_asked() -> None:
    simulated = simulation(go={"approval": {"team": "it", "count": 2, "expires": "1d"}})

    assert kinds(simulated.transition("go", "olga")) == ["approval_asked"]
    assert simulated.vote("go", "olga", "approve").refusal == ("who asked for an approval cannot give it",)
    assert simulated.vote("go", "mira", "approve").refusal == ("votes on go are for members of it",)
    assert "already waits" in simulated.transition("go", "otto").refusal[0]
    assert kinds(simulated.vote("go", "otto", "approve")) == ["approval_voted"]
    assert simulated.vote("go", "otto", "approve").refusal == ("you have voted already",)
    assert simulated.instance.state == "a"


def test_a_refusal_and_an_expiry_end_an_approval_with_the_transition_that_they_name() -> None:
    approval = {"team": "it", "expires": "1d", "refused": "drop", "expired": "drop"}
    transitions = {
        "go": {"from": ["a"], "to": "b", "label": LABEL, "who": ["agent"], "approval": approval},
        "drop": {"from": ["a"], "to": "b", "label": LABEL, "who": ["manager"]},
        "back": {"from": ["b"], "to": "a", "label": LABEL, "who": ["agent"]},
    }
    refused, expired = simulation(transitions=transitions), simulation(transitions=transitions)
    for simulated in (refused, expired):
        simulated.transition("go", "olga")

    refused.vote("go", "otto", "refuse", comment="no")
    expired.advance(seconds=86_400)

    for simulated, outcome in ((refused, "refused"), (expired, "expired")):
        [decided] = [act for act in simulated.acts if act.kind == "approval_decided"]
        assert decided.details["outcome"] == outcome
        assert (simulated.instance.state, simulated.instance.approvals) == ("b", {})


def test_a_move_withdraws_what_waits_and_cannot_start_any_more() -> None:
    transitions = {
        "go": {
            "from": ["a"],
            "to": "b",
            "label": LABEL,
            "who": ["agent"],
            "approval": {"team": "it", "expires": "1d"},
        },
        "leave": {"from": ["a"], "to": "b", "label": LABEL, "who": ["agent"]},
    }
    simulated = simulation(transitions=transitions)
    simulated.transition("go", "olga")

    step = simulated.transition("leave", "olga")

    assert step.acts[-1].details["outcome"] == "cancelled"
    assert simulated.timers == {}


def test_options_show_what_leaves_this_state_with_the_reasons_against_it() -> None:
    found = {option.name: option.reasons for option in simulation(go={"comment": "required"}).options("mira")}

    assert found == {"go": ("go is for agent, automation; you are manager",)}


def test_a_veto_of_the_desk_is_a_refusal() -> None:
    context = Context(now=NOW, actor=Actor("user", "olga", "agent"), veto=lambda state: "not now")

    step = engine.request(workflow(), Instance("a", "todo"), context, "go")

    assert step.refusal == ("not now",)


def test_the_engine_leaves_what_it_was_given_as_it_was() -> None:
    given = Instance("a", "todo", fields={"x": 1}, tags=("one",))
    before = copy.deepcopy(given)

    engine.request(workflow(), given, Context(now=NOW, actor=Actor("user", "olga", "agent")), "go", fields={"x": 2})

    assert given == before
