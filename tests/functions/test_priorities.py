"""Priorities are data of the desk: listed with ranks, checked in life cycles, and the order of lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.definitions import desk as desks
from models.definitions.desk import Desk as DeskFile
from models.definitions.desk import Priority
from models.kernel.errors import Invalid
from models.publishing import publishing
from models.publishing.catalogue import Found
from models.workflow import analysis, definition
from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only


def a_desk(*names: str) -> dict[str, Any]:
    return {
        "desk": "Nestor",
        "languages": ["en"],
        "priorities": [{"name": name, "label": {"en": name.title()}} for name in names],
    }


@sqlite_only
def test_the_shipped_priorities_are_listed_from_the_lowest(machine: Caller) -> None:
    items = machine.read("/v1/priorities")["items"]

    assert [(one["rank"], one["name"]) for one in items] == [(1, "low"), (2, "normal"), (3, "high"), (4, "urgent")]
    assert items[0]["label"]["ru"] == "Низкий"
    assert items[3]["colour"] == "#dc2626"


@sqlite_only
def test_a_list_follows_the_order_of_the_file(machine: Caller, desk: Desk) -> None:
    for priority in ("low", "normal", "high", "urgent"):
        machine.ticket(priority, priority=priority)
    # The life cycles know the four; the desk may rank them anew and add one.
    body = a_desk("urgent", "low", "someday", "normal", "high")
    publishing.apply([Found("desk", "desk", body, "", Path("desk.yaml"))], by="test")

    found = [one["priority"] for one in machine.read("/v1/tickets?sort=-priority")["items"]]

    assert found == ["high", "normal", "low", "urgent"]
    assert machine.read("/v1/tickets?priority=someday")["items"] == []


@sqlite_only
def test_a_priority_that_a_life_cycle_uses_is_not_removed(machine: Caller, desk: Desk) -> None:
    body = a_desk("low", "normal", "high")

    with pytest.raises(Invalid) as refused:
        publishing.apply([Found("desk", "desk", body, "", Path("desk.yaml"))], by="test")

    assert "the desk has no priority 'urgent'" in str(refused.value)


@pytest.mark.parametrize(
    ("declared", "severity"),
    [([Priority("low", {"en": "Low"})], "error"), ([], "warning")],
)
def test_a_life_cycle_with_an_unknown_priority_is_found(declared: list[Priority], severity: str) -> None:
    label = {"en": "Label"}
    workflow = definition.read(
        {
            "workflow": "small",
            "label": label,
            "initial": "new",
            "states": {"new": {"category": "todo", "label": label}},
            "transitions": {},
            "priorities": ["low", "p1"],
        }
    )

    found = analysis.analyse(workflow, desk=DeskFile(priorities=declared))

    assert [(one.severity, one.path) for one in found if one.code == "undefined_priority"] == [
        (severity, ".priorities[1]")
    ]


@pytest.mark.parametrize(
    ("priorities", "path"),
    [
        ([{"name": "Low", "label": {"en": "Low"}}], ".priorities[0].name"),
        ([{"name": "low", "label": {"en": "Low"}}] * 2, ".priorities[1].name"),
        ([{"name": "low", "label": {}}], ".priorities[0].label"),
        ([{"name": "low", "label": {"en": "Low"}, "colour": "red"}], ".priorities[0].colour"),
        ([{"name": f"p{n}", "label": {"en": "P"}} for n in range(21)], ".priorities"),
    ],
)
def test_a_wrong_priority_is_refused_with_the_place(priorities: list[Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        desks.parse({"desk": "Nestor", "priorities": priorities})

    assert [one.path for one in refused.value.problems] == [path]
