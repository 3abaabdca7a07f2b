"""The library gets only the values that a condition reads; the result is the one that it has over the whole view."""

from __future__ import annotations

from typing import Any

import pytest

from models.expressions import conditions

VIEW: dict[str, Any] = {
    "ticket": {"state": "open", "tags": ["vip"], "fields": {"floor": 3}, "title": "x" * 500},
    "fields": {"floor": 3},
    "event": {"type": "signal", "payload": {"a.b": 1, "a": {"b": 2}}},
    "message": {"text": "Hello", "author_kind": "requester"},
}


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ('message.author_kind == "requester"', {("message", "author_kind")}),
        ('"vip" in ticket.tags && ticket.fields.floor > 2', {("ticket", "tags"), ("ticket", "fields")}),
        ('ticket["state"] == "open"', {("ticket", "state")}),
        ('ticket.tags.exists(one, one == message.text || one == "vip")', {("ticket", "tags"), ("message", "text")}),
        ("size(fields) == 1", {("fields", "")}),
        ("true", set()),
    ],
)
def test_the_values_that_a_condition_reads_are_enough_for_it(expression: str, read: set[tuple[str, str]]) -> None:
    assert set(conditions.reads(expression) or ()) == read

    prepared = conditions.prepare(VIEW, conditions.reads(expression))

    assert conditions.holds(expression, prepared)
    assert conditions.explain(expression, prepared) == conditions.explain(expression, VIEW)


def test_values_that_no_condition_reads_are_not_copied() -> None:
    prepared = conditions.prepare(VIEW, conditions.reads('message.text == "Hello"'))

    with pytest.raises(conditions.ConditionError):
        conditions.value("ticket.title", prepared)


def test_a_member_that_the_view_does_not_have_leaves_its_value_whole() -> None:
    expression = 'has(event.payload) && event["payload"]["a.b"] == 1 && !has(fields.ceiling) && fields == {"floor": 3}'

    assert conditions.holds(expression, conditions.prepare(VIEW, conditions.reads(expression)))


def test_a_text_that_is_no_expression_gets_the_whole_view() -> None:
    assert conditions.reads("ticket.state ==") is None
