"""The information model: what a field takes, who sets it, what is required, and what its JSON Schema says of it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.infomodel import checks, schema, values
from models.infomodel.definition import Entity
from models.kernel.errors import Invalid
from scripts import defs

LABEL = {"en": "Label", "ru": "Надпись"}
CHOICES = {"red": {"label": LABEL}, "blue": {"label": LABEL}}


def entity(**fields: dict[str, Any]) -> Entity:
    return checks.parse(
        {
            "type": "thing",
            "label": LABEL,
            "fields": {name: {"label": LABEL} | field for name, field in fields.items()},
        }
    )


def validated(model: Entity, wanted: dict[str, Any], **how: Any) -> dict[str, Any]:
    return values.validated(model, wanted, **({"before": {}, "role": "agent", "view": None, "complete": True} | how))


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ({"kind": "text"}, "  hello ", "hello"),
        ({"kind": "long_text"}, "one\ntwo", "one\ntwo"),
        ({"kind": "number"}, 3.0, 3),
        ({"kind": "number", "min": 0, "max": 5}, 2.5, 2.5),
        (
            {"kind": "money", "currencies": ["EUR"]},
            {"amount": 1999, "currency": "EUR"},
            {"amount": 1999, "currency": "EUR"},
        ),
        ({"kind": "choice", "choices": CHOICES}, "red", "red"),
        ({"kind": "multi_choice", "choices": CHOICES}, ["red", "red", "blue"], ["red", "blue"]),
        ({"kind": "date"}, "2026-02-28", "2026-02-28"),
        ({"kind": "duration"}, "1h30m", 5400),
        ({"kind": "checkbox"}, False, False),
        ({"kind": "email"}, "Ada@Example.TEST", "Ada@example.test"),
        ({"kind": "phone"}, "+49 (30) 123-4567", "+49301234567"),
        ({"kind": "url"}, "https://example.test/x", "https://example.test/x"),
        ({"kind": "person"}, "olga@example.test", "id-of-olga"),
        ({"kind": "ticket"}, 17, "id-of-17"),
        ({"kind": "text", "pattern": "CC-[0-9]{4}"}, "CC-1000", "CC-1000"),
    ],
)
def test_a_value_is_kept_in_its_normal_form(field: dict[str, Any], value: Any, kept: Any) -> None:
    found = validated(
        entity(f=field),
        {"f": value},
        people=lambda text: "id-of-olga" if text.startswith("olga") else None,
        tickets=lambda text: f"id-of-{text}",
    )

    assert found == {"f": kept}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ({"kind": "text"}, 3, "expected a text, found 3"),
        ({"kind": "text", "max_length": 3}, "four", "expected at most 3 characters, found 4"),
        ({"kind": "text", "min_length": 3}, "no", "expected at least 3 characters"),
        ({"kind": "text"}, "a\nb", "expected one line"),
        ({"kind": "text", "pattern": "CC-[0-9]{4}"}, "CC-1", "expected a text like"),
        ({"kind": "number"}, "3", "expected a number"),
        ({"kind": "number"}, True, "expected a number"),
        ({"kind": "number"}, float("nan"), "expected a number"),
        ({"kind": "number", "whole": True}, 2.5, "expected a whole number"),
        ({"kind": "number", "max": 5}, 6, "expected at most 5, found 6"),
        ({"kind": "money", "currencies": ["EUR"]}, 19.99, "in minor units"),
        ({"kind": "money", "currencies": ["EUR"]}, {"amount": 1, "currency": "USD"}, "expected a currency of EUR"),
        ({"kind": "money", "currencies": ["EUR"]}, {"amount": 1.5, "currency": "EUR"}, "in minor units"),
        ({"kind": "choice", "choices": CHOICES}, "rde", "expected one of red, blue, found 'rde'; did you mean red?"),
        ({"kind": "multi_choice", "choices": CHOICES}, "red", "expected a list of red, blue"),
        ({"kind": "date"}, "2026-02-30", "expected a date such as 2026-01-31"),
        ({"kind": "date"}, "20260228", "expected a date"),
        ({"kind": "duration"}, "soon", "expected a duration"),
        ({"kind": "checkbox"}, "yes", "expected true or false"),
        ({"kind": "email"}, "ada", "expected an e-mail address"),
        ({"kind": "phone"}, "call me", "expected a phone number"),
        ({"kind": "url"}, "javascript:alert(1)", "expected an address that starts with https://"),
        ({"kind": "person"}, "nobody", "the id or the e-mail address of a user"),
        ({"kind": "ticket"}, 99, "the number or the id of a ticket"),
    ],
)
def test_a_wrong_value_is_reported_with_the_expectation(field: dict[str, Any], value: Any, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        validated(entity(f=field), {"f": value}, people=lambda text: None, tickets=lambda text: None)

    [problem] = refused.value.problems
    assert problem.path == "/fields/f"
    assert told in problem.message


def problems(model: Entity, wanted: dict[str, Any], **how: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        validated(model, wanted, **how)
    return {one.path: one.message for one in refused.value.problems}


def test_all_problems_are_reported_together() -> None:
    model = entity(a={"kind": "number"}, b={"kind": "date"})

    assert set(problems(model, {"a": "x", "b": "y", "colour": "red"})) == {
        "/fields/a",
        "/fields/b",
        "/fields/colour",
    }


def test_an_unknown_field_is_refused_with_what_was_meant_or_kept_where_the_type_says_so() -> None:
    assert "did you mean colour?" in problems(entity(colour={"kind": "text"}), {"color": "red"})["/fields/color"]

    open_one = checks.parse({"type": "open", "label": LABEL, "fields": {}, "other_fields": "allowed"})
    assert validated(open_one, {"anything": [1]}) == {"anything": [1]}


def test_what_is_required_must_be_there_when_it_is_asked_for() -> None:
    model = entity(
        a={"kind": "text", "required": True},
        b={"kind": "text", "required_when": 'ticket.priority == "high"'},
        c={"kind": "text", "required": True, "visible_when": 'fields.a == "show"'},
    )
    high = {"ticket": {"priority": "high"}}

    assert set(problems(model, {})) == {"/fields/a"}
    assert set(problems(model, {"a": "x"}, view=high)) == {"/fields/b"}
    assert set(problems(model, {"a": "show"})) == {"/fields/c"}
    assert validated(model, {"a": "x"}) == {"a": "x"}
    assert validated(model, {}, complete=False) == {}


def test_defaults_fill_in_what_was_not_said_on_a_new_ticket_only() -> None:
    model = entity(size={"kind": "text", "default": "small"})

    assert validated(model, {}) == {"size": "small"}
    assert validated(model, {"size": None}, before={"size": "x"}, complete=False) == {}


def test_who_may_not_edit_a_field_is_refused_unless_nothing_changes() -> None:
    model = entity(
        secret={"kind": "text", "edit": ["manager"]},
        gone={"kind": "text", "retired": True},
        shown={"kind": "text", "portal": "read"},
    )

    assert "for manager; you are agent" in problems(model, {"secret": "x"})["/fields/secret"]
    assert validated(model, {"secret": "x"}, role="manager") == {"secret": "x"}
    assert validated(model, {"secret": "x"}, before={"secret": "x"}) == {"secret": "x"}
    assert "retired" in problems(model, {"gone": "x"}, role="admin")["/fields/gone"]
    assert "requesters may not" in problems(model, {"shown": "x"}, role="requester")["/fields/shown"]
    assert values.visible(model, {"secret": "x", "shown": "y"}, "requester") == {"shown": "y"}


def test_conditions_see_null_for_a_number_without_a_value_and_the_zero_of_other_kinds() -> None:
    model = entity(
        n={"kind": "number"},
        e={"kind": "number"},
        d={"kind": "duration"},
        t={"kind": "text"},
        m={"kind": "money", "currencies": ["EUR"]},
        c={"kind": "checkbox"},
    )

    assert values.view_values(model, {"n": 3}) == {
        "n": 3.0,
        "e": None,
        "d": None,
        "t": "",
        "m": {"amount": None, "currency": ""},
        "c": False,
    }


@pytest.mark.parametrize(
    ("field", "place", "told"),
    [
        ({"kind": "choice"}, ".choices", "expected choices"),
        ({"kind": "text", "choices": CHOICES}, ".choices", "only there"),
        ({"kind": "money"}, ".currencies", "expected currencies"),
        ({"kind": "text", "min": 3}, ".min", "with number, money, duration only"),
        ({"kind": "number", "min": 3, "max": 1}, ".min", "expected at most max"),
        ({"kind": "text", "pattern": "(a+)+"}, ".pattern", "may run for ever"),
        ({"kind": "text", "pattern": "("}, ".pattern", "not a regular expression"),
        ({"kind": "number", "default": "x"}, ".default", "expected a number"),
        ({"kind": "text", "required_when": "fields.nope == 1"}, ".required_when", "unknown name nope"),
        ({"kind": "text", "retired": True, "required": True}, ".required", "cannot be required"),
        ({"kind": "text", "label": {}}, ".label", "expected a text in at least one language"),
        ({"kind": "text", "required": True, "edit": ["admin"]}, ".edit", "agents may not fill it in"),
    ],
)
def test_a_wrong_field_is_reported_with_its_place(field: dict[str, Any], place: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        entity(f=field)

    assert any(one.path == f".fields.f{place}" and told in one.message for one in refused.value.problems), refused.value


SHIPPED = [checks.parse(one.body) for one in defs.read_all(demo=False) if one.kind == "model"]


@pytest.mark.parametrize("model", SHIPPED, ids=lambda one: one.name)
@pytest.mark.parametrize("role", ["agent", "requester"])
def test_the_json_schema_of_a_shipped_type_is_one(model: Entity, role: str) -> None:
    document = schema.json_schema(model, language="ru", role=role)

    jsonschema.Draft202012Validator.check_schema(document)
    assert all(one["title"] for one in document["properties"].values())


some_values = st.fixed_dictionaries(
    {},
    optional={
        "service": st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20),
        "severity": st.sampled_from(["minor", "major", "nope"]),
        "affected_users": st.integers(-5, 100) | st.floats(0, 9),
        "started_on": st.sampled_from(["2026-01-31", "tomorrow"]),
        "runbook": st.sampled_from(["https://x.test", "x"]),
        "root_cause": st.text("ab ", min_size=1, max_size=20),
    },
)


@given(some_values)
@settings(max_examples=200, deadline=None)
def test_what_is_valid_is_valid_by_the_schema_too(wanted: dict[str, Any]) -> None:
    [incident] = [one for one in SHIPPED if one.name == "incident"]
    try:
        kept = validated(incident, wanted)
    except Invalid:
        return

    jsonschema.validate(kept, schema.json_schema(incident))
