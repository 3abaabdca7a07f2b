"""Expressions drawn from the whole grammar over strange tickets and events: evaluation gives a value or an error, and
never raises.
"""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.expressions import checker, conditions, divisions, parts, semantics, truth
from models.expressions.parser import ExpressionError, parse
from models.infomodel import values
from models.kernel.storage.batch import as_json
from models.workflow import definition
from models.workflow.execution.run import Run
from models.workflow.instance import Event
from models.workflow.testing.simulation import Simulation
from models.workflow.view import ENVIRONMENT
from tests.models.infomodel.test_infomodel import entity
from tests.models.workflow.test_engine import LABEL, NOW, PEOPLE, workflow

MODEL = entity(
    n={"kind": "number"},
    m={"kind": "number"},
    d={"kind": "duration"},
    c={"kind": "checkbox"},
    t={"kind": "text"},
    k={"kind": "multi_choice", "choices": {"a": {"label": LABEL}, "b": {"label": LABEL}}},
    cost={"kind": "money", "currencies": ["EUR"]},
)
PATHS = [
    "ticket",
    "ticket.number",
    "ticket.title",
    "ticket.tags",
    "ticket.assigned",
    "ticket.created_at",
    "ticket.fields.n",
    'ticket["title"]',
    "ticket.message_count",
    "fields",
    "fields.n",
    "fields.m",
    "fields.d",
    "fields.c",
    "fields.t",
    "fields.k",
    "fields.cost",
    "fields.cost.amount",
    'fields["n"]',
    "fields.nothing",
    "requester.name",
    "requester.fields",
    "event.payload",
    "event.payload.a",
    "event.payload.b",
    "event.payload.c",
    "event.before",
    "event.after",
    "event.count",
    "message.length",
    "actor.teams",
    "now",
    "unknown",
]
LITERALS = [
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "0.0",
    "1.5",
    "1e308",
    "5e-324",
    "true",
    "false",
    "null",
    '""',
    '"a"',
    "'7'",
    '"\\n\u00e9\U0001f600"',
    '"9999-12-31T23:59:59Z"',
    '"1h"',
    "[]",
    "{}",
]
METHODS = [
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "getFullYear",
    "getMonth",
    "getHours",
    "getSeconds",
    "size",
    "nothing",
]
FUNCTIONS = ["int", "double", "string", "timestamp", "duration", "size", "has", "nothing"]
OPERATORS = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"]


def grown(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One more level of every production that the parser has."""
    names = st.sampled_from(["x", "y", "fields", "divisor"])
    some = st.lists(smaller, max_size=3)
    return st.one_of(
        st.tuples(smaller, st.sampled_from(OPERATORS), smaller).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(smaller, st.sampled_from(["/", "%", "*", "+"]), smaller).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        st.tuples(smaller, smaller, smaller).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        st.tuples(st.sampled_from("-!"), smaller).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(smaller, smaller).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(smaller, st.sampled_from(["n", "a", "tags", "x"])).map(lambda p: f"({p[0]}).{p[1]}"),
        some.map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(smaller, smaller), max_size=2).map(
            lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items) + "}"
        ),
        st.tuples(st.sampled_from(FUNCTIONS), some).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(smaller, st.sampled_from(METHODS), some).map(lambda p: f"({p[0]}).{p[1]}({', '.join(p[2])})"),
        st.tuples(smaller, st.sampled_from(["all", "exists", "exists_one", "filter", "map"]), names, smaller).map(
            lambda p: f"({p[0]}).{p[1]}({p[2]}, {p[3]})"
        ),
    )


expressions = st.recursive(st.sampled_from([*PATHS, *LITERALS, "x", "y", "divisor"]), grown, max_leaves=12)


def typed(
    truths: st.SearchStrategy[str], numbers: st.SearchStrategy[str], texts: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """Conditions of one more level over conditions, whole numbers and texts; the checker takes the types of each."""
    equal, ordered = st.sampled_from(["==", "!="]), st.sampled_from(["<", "<=", ">", ">="])
    anything = st.one_of(truths, numbers, texts)
    lists = st.one_of(
        st.sampled_from(["ticket.tags", "ticket.filled", "actor.teams"]),
        st.lists(texts, min_size=1, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    )
    macros = st.sampled_from(["all", "exists", "exists_one"])
    return st.one_of(
        st.tuples(truths, st.sampled_from(["&&", "||", "==", "!="]), truths).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        truths.map(lambda text: f"!({text})"),
        st.tuples(truths, truths, truths).map(lambda p: f"(({p[0]}) ? ({p[1]}) : ({p[2]}))"),
        st.tuples(numbers, st.one_of(equal, ordered), numbers).map(" ".join),
        st.tuples(texts, st.one_of(equal, ordered), texts).map(" ".join),
        st.tuples(st.sampled_from(ANY), equal, anything).map(lambda p: f"{p[0]} {p[1]} ({p[2]})"),
        st.tuples(st.sampled_from(ANY), ordered, numbers).map(" ".join),
        st.tuples(texts, st.sampled_from(["contains", "startsWith", "endsWith"]), texts).map(
            lambda p: f"({p[0]}).{p[1]}({p[2]})"
        ),
        st.tuples(texts, lists).map(lambda p: f"{p[0]} in {p[1]}"),
        st.tuples(lists, macros, truths).map(lambda p: f"{p[0]}.{p[1]}(x, x != '' && ({p[2]}))"),
        st.tuples(st.sampled_from(ANY), macros, truths).map(lambda p: f"{p[0]}.{p[1]}(x, x == null || ({p[2]}))"),
        st.tuples(lists, numbers, texts).map(lambda p: f"{p[0]}[{p[1]}] == {p[2]}"),
        anything.map(lambda text: f"string({text}) != ''"),
        st.sampled_from([path for path in ANY if "." in path]).map(lambda path: f"has({path})"),
        st.sampled_from(["now", "ticket.created_at", "ticket.state_since"]).map(
            lambda path: f"{path} - duration('1h') < now && {path}.getHours() >= 0"
        ),
    )


# Paths of any type, so that the checker takes them everywhere and the evaluation may fail.
ANY = [path for path in PATHS if path.startswith(("fields.", "ticket.fields.", "event.payload.", "requester.fields."))]
ANY += ["event.before", "event.after", 'fields["n"]']
some_texts = st.sampled_from(["ticket.title", 'ticket["title"]', "requester.name", '""', '"a"', "'7'", "'\\n\u00e9'"])
some_numbers = st.recursive(
    st.sampled_from(["0", "1", "-1", "9223372036854775807", "ticket.number", "event.count", "message.length"]),
    lambda smaller: st.one_of(
        st.tuples(smaller, st.sampled_from(["+", "-", "*", "/", "%"]), smaller).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        st.tuples(st.sampled_from(ANY), st.sampled_from(["+", "/"]), smaller).map(
            lambda p: f"int({p[0]} {p[1]} {p[2]})"
        ),
        st.sampled_from(["ticket.tags", "fields", "ticket.title", *ANY]).map(lambda path: f"size({path})"),
        st.sampled_from(ANY).map(lambda path: f"int({path})"),
    ),
    max_leaves=4,
)
sound_conditions = st.recursive(
    st.sampled_from(["true", "false", "ticket.assigned", *ANY]),
    lambda smaller: typed(smaller, some_numbers, some_texts),
    max_leaves=5,
)
strange = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([2**63, -(2**63), 10**30, 10**400]),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["\x00", "\ud800", "7", "2026-01-01T00:00:00Z"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
stored_fields = st.fixed_dictionaries(
    {},
    optional={
        "n": st.sampled_from([0, 1, -3, 2.5, 2**53 - 1]),
        "m": st.sampled_from([0, 7]),
        "d": st.integers(0, 10**8),
        "c": st.booleans(),
        "t": st.text(max_size=5),
        "k": st.lists(st.sampled_from("ab"), unique=True),
        "cost": st.integers(-5, 10**15).map(lambda amount: {"amount": amount, "currency": "EUR"}),
    },
)
few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def simulated(fields: dict[str, Any], body: Any = None) -> Simulation:
    found = Simulation(
        body or workflow(),
        NOW,
        PEOPLE,
        fields_view=lambda type_, given: (values.view_values(MODEL, given), values.filled(given)),
        validate=lambda ticket, wanted: values.validated(
            MODEL, wanted, before=ticket.fields, role="automation", view=None, complete=False
        ),
    )
    found.create(fields=fields)
    return found


def bounded(text: str) -> bool:
    """Return True if the checker's bounds on steps and copies let the text through; only such texts are
    ever published.
    """
    return not any(
        "cost of at most" in one.message or "copies" in one.message
        for one in checker.check(text, ENVIRONMENT, wanted=None)
    )


@few
@given(expressions, stored_fields, strange, strange, strange)
@example("fields.n / fields.m > 1.0", {"n": 1, "m": 0}, {}, None, None)
@example("ticket.tags[0] == 'x'", {}, {}, None, None)
@example("fields.d * 9223372036854775807 > 0", {"d": 7}, {}, None, None)
def test_every_expression_ends_in_a_value_or_an_error(
    text: str, fields: dict[str, Any], payload: Any, before: Any, after: Any
) -> None:
    try:
        parse(text)
    except ExpressionError:
        assert semantics.rewritten(text) == text
        return
    if len(text) > conditions.expression_chars_max or not bounded(text):
        return
    simulation = simulated(fields)
    run = Run(simulation.workflow, simulation.instance, simulation._context("olga"))
    run.event = Event("signal", "s", payload={"a": payload, "b": [payload], "c": {"a": 1}}, before=before, after=after)

    explained = run.explain(text)
    try:
        kept = conditions.json_value(text, run.names(text))
    except conditions.ConditionError:
        pass
    else:
        assert len(as_json(kept)) <= conditions.field_chars_max + 100
        assert not isinstance(kept, float) or math.isfinite(kept)

    assert explained.result in (True, False, None)
    assert (explained.result is None) == (explained.error is not None)
    assert len(explained.error or "") <= conditions.error_chars_max + 200
    as_json([explained.values, explained.failed])
    checker.problem(text, ENVIRONMENT)
    parts.reads(text)
    divisions.unguarded(text)
    assert truth.truth(text, {}) in (True, False, None)


def body_with(text: str) -> Any | None:
    """A life cycle that uses the text in every place that takes one; None when the checks refuse it."""
    if checker.problem(text, ENVIRONMENT) is not None:
        return None
    effects = [
        {"priority": "high", "when": text},
        *({"set": {name: {"cel": text}}} for name in ("n", "t", "k", "cost", "d", "c")),
    ]
    return workflow(
        go={"guard": text, "do": effects},
        reactions=[
            {"on": "signal:s", "name": "by_signal", "when": text, "continue": True, "do": effects},
            {"on": "ticket_created", "name": "at_creation", "when": text, "transition": "go"},
            {"on": "timer:t", "name": "by_timer", "when": text, "do": effects},
        ],
        timers={"t": {"in": ["a"], "after": "2h"}},
        sla=[{"name": "p", "when": text, "targets": {"first_response": "4h"}}],
    )


@few
@given(sound_conditions.filter(bounded), stored_fields, strange)  # rare nested loops cost too much
@example("fields.n / fields.m > 1.0", {"n": 1}, None)
@example("1 / ticket.message_count > 0 && ticket.tags[0] == ''", {}, None)
@example("event.payload.a + 1 > 0", {}, 2**63 - 1)
def test_a_life_cycle_with_any_condition_in_every_place_takes_every_step(
    text: str, fields: dict[str, Any], payload: Any
) -> None:
    assert checker.problem(text, ENVIRONMENT) is None
    body = body_with(text)
    assert isinstance(body, definition.Workflow)

    ticket = simulated(fields, body)
    ticket.signal("s", {"a": payload, "b": payload})
    ticket.transition("go", "olga")
    ticket.options("olga")
    ticket.transition("back", "olga")
    ticket.advance(seconds=8 * 3600)

    for entry in ticket.log:
        as_json([[look.values, look.reasons] for look in entry.traces])
        as_json([act.values for act in entry.acts])
        as_json([dict(act.details) for act in entry.acts if act.kind in ("field_set", "withheld", "refused")])
    values.validated(MODEL, {}, before=ticket.instance.fields, role="automation", view=None, complete=True)


@few
@given(expressions, stored_fields)
def test_a_form_with_any_condition_is_judged(text: str, fields: dict[str, Any]) -> None:
    if checker.problem(text, ENVIRONMENT) is not None:
        return
    assert values._holds(MODEL, text, fields, None) in (True, False)
