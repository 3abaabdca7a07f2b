"""Fields that the information model requires hold for tickets that rules make and for values that rules set."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from models.infomodel import checks as infomodel_checks
from models.workflow import checks
from models.workflow.analysis import analyse
from tests.models.workflow.test_analysis import CLEAN, LABEL, TEMPLATES, on

BODY: dict[str, Any] = {
    "type": "thing",
    "label": LABEL,
    "workflow": "clean",
    "fields": {
        "impact": {"kind": "text", "label": LABEL, "required_when": 'ticket.priority == "urgent"'},
        "contract": {"kind": "text", "label": LABEL},
        "renewal": {"kind": "text", "label": LABEL, "required_when": 'fields.contract == "gold"'},
    },
}
PART: dict[str, Any] = {
    "type": "part",
    "label": LABEL,
    "workflow": "clean",
    "fields": {
        "serial": {"kind": "text", "label": LABEL, "required": True},
        "size": {"kind": "number", "label": LABEL, "required": True, "default": 1},
        "reason": {"kind": "text", "label": LABEL, "required_when": 'ticket.priority == "urgent"'},
    },
}
MADE = {"title": "text", "type": "part"}


def findings(do: list[Any], **more: Any) -> list[tuple[str, str]]:
    body = copy.deepcopy(CLEAN) | {"reactions": [on("note", do=do, **more)], "templates": TEMPLATES}
    types = {one["type"]: infomodel_checks.parse(copy.deepcopy(one)) for one in (BODY, PART)}
    found = analyse(checks.parse(body), types=types, teams=set(), workflows={"clean"})
    return [(one.code, one.path) for one in found]


@pytest.mark.parametrize(
    ("fields", "more", "path"),
    [
        ({}, {}, "serial"),
        ({"serial": "7"}, {"priority": "urgent"}, "reason"),
        ({"serial": "7", "size": "large"}, {}, "size"),
        ({"serial": "7", "colour": "red"}, {}, "colour"),
    ],
)
def test_a_rule_that_makes_a_ticket_which_its_type_refuses_is_an_error(
    fields: dict[str, Any], more: dict[str, Any], path: str
) -> None:
    refused = ("refused_field", f".reactions[0].do[0].create_ticket.fields.{path}")

    assert refused in findings([{"create_ticket": MADE | more | {"fields": fields}}])


def test_a_rule_that_makes_a_complete_ticket_is_fine() -> None:
    made = MADE | {"priority": "urgent", "fields": {"serial": "7", "reason": "broken"}}

    assert "refused_field" not in {code for code, _ in findings([{"create_ticket": made}])}


@pytest.mark.parametrize("effect", [{"priority": "urgent"}, {"set": {"contract": "gold"}}])
def test_a_change_that_makes_an_empty_field_required_is_a_warning(effect: Any) -> None:
    assert ("may_miss_required_field", ".reactions[0].do[0]") in findings([effect])


@pytest.mark.parametrize(
    ("do", "more"),
    [
        ([{"set": {"impact": "all"}}, {"priority": "urgent"}], {}),
        ([{"priority": "urgent", "when": 'fields.impact != ""'}], {}),
        ([{"priority": "urgent"}], {"when": 'fields.impact != ""'}),
        ([{"priority": "high"}], {}),
        ([{"set": {"contract": "gold", "renewal": "2027"}}], {}),
        ([{"set": {"contract": "basic"}}], {}),
    ],
)
def test_a_change_that_fills_or_asks_for_the_field_or_requires_nothing_is_fine(do: list[Any], more: Any) -> None:
    assert "may_miss_required_field" not in {code for code, _ in findings(do, **more)}


@pytest.mark.parametrize("condition", ['message.automatic == ""', "message.automatic=='' && ticket.number > 1"])
def test_a_move_that_leaves_out_people_behind_machine_headers_is_a_warning(condition: str) -> None:
    body = CLEAN | {"reactions": [on("requester_message", transition="back", when=condition)]}

    found = {(one.code, one.path) for one in analyse(checks.parse(copy.deepcopy(body)))}

    assert ("people_left_out", ".reactions[0].when") in found


def test_a_move_that_asks_for_a_machine_and_an_answer_that_asks_for_permission_are_fine() -> None:
    moves = on("requester_message", transition="back", when="!message.by_machine")
    answers = on("note", "answers", when='message.automatic == ""', do=[{"send": "text"}])
    body = CLEAN | {"reactions": [moves, answers], "templates": TEMPLATES}

    assert "people_left_out" not in {one.code for one in analyse(checks.parse(copy.deepcopy(body)))}
