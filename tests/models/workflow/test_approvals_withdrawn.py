"""Approvals that end after they were given, or because a named field changes."""

from __future__ import annotations

import pytest

from tests.models.workflow.test_engine import LABEL, kinds, simulation


@pytest.mark.parametrize("given", [False, True])
def test_a_change_of_a_named_field_withdraws_an_approval_that_waits_and_one_that_was_given(given: bool) -> None:
    approval = {"team": "it", "withdrawn_by": ["amount"], "withdrawn": "back"}
    simulated = simulation(go={"approval": approval})
    simulated.transition("go", "otto")
    if given:
        simulated.vote("go", "olga", "approve")

    other, amount = simulated.change("olga", fields={"colour": "red"}), simulated.change("olga", fields={"amount": 9})

    assert kinds(other) == []
    assert amount.acts[0].details == {"transition": "go", "outcome": "withdrawn", "field": "amount"}
    assert simulated.instance.state == "a"
    assert (simulated.instance.approvals, simulated.instance.approved) == ({}, frozenset())
    assert "withdrawn" in str(amount.traces[0].reasons)


def test_a_given_approval_lapses_when_the_ticket_goes_back_to_where_it_is_asked_for() -> None:
    simulated = simulation(go={"approval": {"team": "it"}})
    simulated.transition("go", "otto")
    simulated.vote("go", "olga", "approve")
    assert simulated.instance.approved == {"go"}

    step = simulated.transition("back", "olga")

    assert [act.details["outcome"] for act in step.acts if act.kind == "approval_decided"] == ["lapsed"]
    assert simulated.instance.approved == frozenset()


def test_a_field_that_a_transition_sets_withdraws_the_approval_before_the_transition_is_taken() -> None:
    body = {
        "transitions": {
            "go": {
                "from": ["a"],
                "to": "b",
                "label": LABEL,
                "who": ["agent", "manager"],
                "approval": {"team": "it", "withdrawn_by": ["amount"], "withdrawn": "back"},
            },
            "back": {"from": ["b"], "to": "a", "label": LABEL, "who": ["agent"]},
            "buy": {"from": ["b"], "to": "c", "label": LABEL, "who": ["agent"]},
        },
        "states": {name: {"category": "todo", "label": LABEL} for name in "abc"},
    }
    simulated = simulation(**body)
    simulated.transition("go", "otto")
    simulated.vote("go", "olga", "approve")

    assert simulated.transition("buy", "olga", fields={"amount": 9}).refusal
    assert (simulated.instance.state, simulated.instance.fields) == ("b", {})
