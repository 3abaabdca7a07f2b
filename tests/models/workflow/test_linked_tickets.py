"""Conditions read the numbers of children and blockers."""

from __future__ import annotations

import pytest

from models.expressions import checker
from models.workflow.view import ENVIRONMENT
from tests.models.workflow.test_engine import simulation


@pytest.mark.parametrize(
    ("condition", "children", "blockers", "passes"),
    [
        ("children.open == 0", {}, {}, True),
        ("children.open == 0", {"total": 2, "open": 1, "done": 1}, {}, False),
        ("children.done == children.total", {"total": 2, "open": 0, "done": 2}, {}, True),
        ("blockers.open == 0 && blockers.total > 0", {}, {"total": 1, "open": 1}, False),
        ("blockers.open == 0 && blockers.total > 0", {}, {"total": 1, "open": 0}, True),
    ],
)
def test_a_guard_waits_for_linked_tickets(
    condition: str, children: dict[str, int], blockers: dict[str, int], passes: bool
) -> None:
    simulated = simulation(go={"guard": condition})
    simulated.linked = {"children": children, "blockers": blockers}

    step = simulated.transition("go", "olga")

    assert (step.refusal == ()) is passes


def test_the_numbers_are_read_only_for_a_rule_that_names_them() -> None:
    simulated = simulation(go={"guard": "ticket.number >= 0"})
    simulated.linked = None  # type: ignore[assignment] # reading them would fail

    assert simulated.transition("go", "olga").refusal == ()


def test_the_checker_knows_the_names() -> None:
    assert checker.check("children.open + blockers.total > 0", ENVIRONMENT) == []
    assert checker.check("blockers.done > 0", ENVIRONMENT) != []
