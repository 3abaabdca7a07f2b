"""A condition or a value that cannot be evaluated is an error of its rule: it refuses or stays silent, says why, and
never raises.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.expressions import checker, conditions
from models.infomodel import values
from models.infomodel.definition import Entity
from models.kernel.storage.batch import as_json
from models.workflow.analysis import analyse
from models.workflow.testing.simulation import Simulation
from models.workflow.view import ENVIRONMENT
from tests.models.infomodel.test_infomodel import entity
from tests.models.workflow.test_engine import NOW, PEOPLE, simulation, workflow

FAILING = {
    "1 / 0 > 1": "division by zero",
    "1 % 0 > 1": "division by zero",
    "1.0 / 0.0 > 1.0": "division by zero",
    "1.0 / (2.0 / (3.0 - 3.0)) > 1.0": "division by zero",
    'ticket.tags[0] == "vip"': "no such item",
    "ticket.number + 9223372036854775807 > 0": "overflow",
    "int(1e300) > 0": "overflow",
    'timestamp("9999-12-31T23:59:59Z") + duration("24h") > now': "overflow",
    "event.payload.missing == 1": "there is no missing",
    "event.before + 1 == 2": "Unsupported operation: null + int",
    "int(ticket.title) > 1": "parse error",
}


@pytest.mark.parametrize("condition", FAILING)
def test_a_guard_that_fails_refuses_and_names_the_condition_and_the_error(condition: str) -> None:
    simulated = simulation(go={"guard": condition})

    step = simulated.transition("go", "olga")
    [offered] = simulated.options("olga")

    assert simulated.instance.state == "a"
    assert len(step.refusal) == 1
    assert step.refusal == offered.reasons
    assert repr(condition) in step.refusal[0]
    assert "cannot be evaluated" in step.refusal[0]
    assert FAILING[condition] in step.refusal[0]
    assert step.traces[0].outcome == "refused"


@pytest.mark.parametrize("condition", FAILING)
def test_a_reaction_that_fails_does_not_act_and_the_next_one_does(condition: str) -> None:
    simulated = simulation(
        reactions=[
            {"on": "signal:s", "name": "failing", "when": condition, "transition": "go"},
            {"on": "signal:s", "name": "sound", "do": [{"priority": "high"}]},
        ]
    )

    step = simulated.signal("s")

    looks = {look.rule: look for look in step.traces}
    assert (looks["failing"].outcome, looks["sound"].outcome) == ("refused", "acted")
    assert FAILING[condition] in looks["failing"].reasons[0]
    assert (simulated.instance.state, simulated.instance.priority) == ("a", "high")


@pytest.mark.parametrize("condition", FAILING)
def test_an_effect_and_an_sla_policy_that_fail_are_told(condition: str) -> None:
    simulated = simulation(
        reactions=[{"on": "signal:s", "name": "r", "do": [{"priority": "high", "when": condition}]}],
        sla=[{"name": "vip", "when": condition, "targets": {"first_response": "1h"}}],
    )

    step = simulated.signal("s")

    [withheld] = [act for act in step.acts if act.kind == "withheld"]
    assert FAILING[condition] in withheld.details["reason"]
    assert simulated.instance.clocks == {}
    [created, *_] = simulated.log
    [look] = [look for look in created.traces if look.rule == "vip"]
    assert (look.outcome, look.condition) == ("refused", condition)
    assert FAILING[condition] in look.reasons[0]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("1 / 0", "division by zero"),
        ("ticket.tags[3]", "no such item"),
        ("1e308 * 10.0", "expected a number, found inf"),
        ('now - timestamp("2026-01-01T00:00:00Z")', "found a duration"),
        ("[" * 35 + "]" * 35, "levels of lists and maps"),
    ],
)
def test_a_value_that_cannot_be_kept_withholds_the_effect(expression: str, told: str) -> None:
    simulated = simulation(reactions=[{"on": "signal:s", "name": "r", "do": [{"set": {"f": {"cel": expression}}}]}])

    step = simulated.signal("s")

    [withheld] = [act for act in step.acts if act.kind == "withheld"]
    assert told in withheld.details["reason"]
    assert expression in withheld.details["reason"]
    assert simulated.instance.fields == {}


def test_a_value_that_does_not_fit_the_field_withholds_the_effect() -> None:
    model = entity(seats={"kind": "number", "max": 10})

    step = with_fields(model, {}, do=[{"set": {"seats": {"cel": "double(ticket.message_count) + 11.0"}}}])

    [withheld] = [act for act in step.acts if act.kind == "withheld"]
    assert "expected at most 10" in withheld.details["reason"]


def with_fields(model: Entity, fields: dict[str, Any], **reaction: Any) -> Any:
    simulated = Simulation(
        workflow(reactions=[{"on": "signal:s", "name": "r", **reaction}]),
        NOW,
        PEOPLE,
        fields_view=lambda type_, given: (values.view_values(model, given), values.filled(given)),
        validate=lambda ticket, wanted: values.validated(
            model, wanted, before=ticket.fields, role="automation", view=None, complete=False
        ),
    )
    simulated.create(fields=fields)
    return simulated.signal("s")


NUMBERS: dict[str, Any] = {
    "price": {"kind": "number"},
    "seats": {"kind": "number"},
    "spent": {"kind": "duration"},
    "cost": {"kind": "money", "currencies": ["EUR"]},
}


@pytest.mark.parametrize(
    "condition",
    [
        "fields.price / fields.seats < 10.0",
        "10.0 / ticket.fields.seats > 1.0",
        "fields.seats + 1.0 > 0.0",
        "-fields.seats <= 0.0",
        "fields.spent * 2 < 10",
        "3600 / fields.spent > 1",
        "fields.cost.amount / 2 < 10",
        "double(fields.seats) < 1.0",
    ],
)
def test_an_empty_number_is_no_zero_in_arithmetic(condition: str) -> None:
    model = entity(**NUMBERS)

    step = with_fields(model, {"price": 5}, when=condition, do=[{"priority": "high"}])

    [look] = [look for look in step.traces if look.rule == "r"]
    assert look.outcome == "refused"
    assert "has no value" in look.reasons[0]
    assert not [act for act in step.acts if act.kind == "priority_set"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("fields.seats == 0.0", True),
        ("fields.seats > 3.0", False),
        ("fields.seats < 3.0", True),
        ("fields.seats != 0.0", False),
        ("5.0 > ticket.fields.seats", True),
        ('fields["seats"] <= fields.price', True),
        ("fields.seats in [0.0, 1.0]", True),
        ("fields.cost.amount <= 100", True),
        ("fields.spent == 0", True),
        ("fields.seats == null", True),
        ("fields.price == null", False),
        ("fields.price != null", True),
        ('!("seats" in ticket.filled)', True),
        ("fields.seats > 0.0 && fields.price / fields.seats < 10.0", False),
        ("[1.0].exists(x, x > fields.seats)", True),
    ],
)
def test_a_comparison_reads_an_empty_number_as_zero_and_null_asks_for_it(condition: str, holds: bool) -> None:
    model = entity(**NUMBERS)

    step = with_fields(model, {"price": 5}, when=condition, do=[{"priority": "high"}])

    [look] = [look for look in step.traces if look.rule == "r"]
    assert look.outcome == ("acted" if holds else "silent")


def test_a_form_whose_condition_fails_neither_requires_nor_shows_the_field() -> None:
    model = entity(
        **NUMBERS,
        reason={"kind": "text", "required_when": "fields.price / fields.seats > 1.0"},
        hint={"kind": "text", "visible_when": "fields.price / fields.seats > 1.0"},
    )

    for given in ({}, {"price": 5}, {"price": 5, "seats": 0}):
        assert not values.is_required(model, model.fields["reason"], given, None)
        assert not values.is_visible(model, model.fields["hint"], given, None)
    assert values.is_required(model, model.fields["reason"], {"price": 5, "seats": 2}, None)


def test_a_template_that_does_not_fit_its_values_withholds_the_message() -> None:
    text = {"en": "{% if event.after > 5 %}many{% endif %}", "ru": "x"}
    simulated = simulation(
        templates={"text": text},
        reactions=[{"on": "field_changed:f", "name": "r", "do": [{"note": "text"}]}],
    )

    step = simulated.change("olga", fields={"f": "a text"})

    [withheld] = [act for act in step.acts if act.kind == "withheld"]
    assert "the template cannot be filled in" in withheld.details["reason"]


def test_an_empty_number_is_empty_in_a_text_and_zero_in_its_comparisons() -> None:
    model = entity(**NUMBERS)
    simulated = Simulation(
        workflow(
            templates={
                "text": {
                    "en": "<{{ fields.seats }}|{{ fields.cost | money }}|{% if fields.seats < 1 %}few{% endif %}>",
                    "ru": "x",
                }
            },
            reactions=[{"on": "signal:s", "name": "r", "do": [{"note": "text"}]}],
        ),
        NOW,
        PEOPLE,
        fields_view=lambda type_, given: (values.view_values(model, given), values.filled(given)),
    )
    simulated.create()

    [note] = [act for act in simulated.signal("s").acts if act.kind == "note_added"]

    assert note.details["text"] == "<||few>"


@pytest.mark.parametrize(
    "strange",
    [
        "\ud800",
        {"\ud800": 1},
        10**400,
        -(10**400),
        {1.5: 2},
        {None: 1},
        {(1, 2): 3},
        {1, 2},
        object(),
        b"\xff",
        float("nan"),
        timedelta.max,
        [[[10**400]]],
    ],
)
def test_a_payload_that_the_library_cannot_read_keeps_no_rule_from_its_turn(strange: Any) -> None:
    names = {"ticket": {"priority": "high"}, "event": {"payload": {"x": strange}}}

    found = conditions.explain('ticket.priority == "high" && has(event.payload.x)', names)

    assert (found.result, found.error) == (True, None)
    as_json(found.values)


def test_payloads_that_nest_too_deep_for_the_stack_are_cut() -> None:
    deep: Any = "x"
    for _ in range(2_000):
        deep = {"a": deep}

    found = conditions.explain("event.payload.a.a != null", {"event": {"payload": deep}})

    assert found.result is True
    assert len(as_json(found.values)) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(["1"] * 490) + " > 1",
        " || ".join(["ticket.assigned"] * 90),
        "ticket" + ".a" * 480 + " == 1",
        "ticket.tags" + "[0]" * 300,
        "-" * 39 + "1 > 0",
        "(" * 39 + "true" + ")" * 39,
    ],
)
def test_a_long_expression_is_checked_and_evaluated_or_refused_with_words(text: str) -> None:
    deep_in_a_stack(200, lambda: checker.problem(text, ENVIRONMENT))

    assert conditions.explain(text, {"ticket": {"assigned": True}}).result in (True, False, None)


def deep_in_a_stack(frames: int, call: Any) -> Any:
    return call() if frames == 0 else deep_in_a_stack(frames - 1, call)


def test_an_expression_that_doubles_its_value_again_and_again_is_refused() -> None:
    bomb = "size(ticket.tags" + ".map(x, x + x)" * 60 + ") > 0"
    lists = "size([1]" + ".map(x, [x, x])" * 60 + ") > 0"

    assert "copies" in str(checker.problem(bomb, ENVIRONMENT))
    assert "copies" in str(checker.problem(lists, ENVIRONMENT))
    assert (
        checker.problem('ticket.tags.map(t, t + "!").exists(t, t == ticket.title + ticket.team)', ENVIRONMENT) is None
    )


def test_a_division_by_a_field_that_can_be_empty_is_warned_about() -> None:
    def warned(guard: str) -> list[str]:
        found = analyse(workflow(go={"guard": guard}))
        return [one.message for one in found if one.code == "may_divide_by_zero"]

    [told] = warned("fields.price / fields.seats < 10.0")
    assert "fields.seats can be empty or 0" in told
    assert warned("fields.seats > 0.0 && fields.price / fields.seats < 10.0") == []
    assert warned("fields.price / 2.0 < 10.0") == []


def test_an_interrupt_of_the_thread_is_not_taken_for_an_error_of_the_rule(monkeypatch: Any) -> None:
    class Interrupt(BaseException):
        pass

    class Program:
        def execute(self, context: Any) -> None:
            raise Interrupt

    monkeypatch.setattr(conditions, "compiled", lambda expression: Program())

    with pytest.raises(Interrupt):
        conditions.value("true", {})


def test_explanations_are_json() -> None:
    seen = conditions.explain(
        "now > created && x", {"now": datetime(2026, 1, 1, tzinfo=UTC), "created": timedelta(1), "x": b"\xff"}
    ).values

    json.dumps(seen, allow_nan=False)
