"""A transition whose life cycle asks for a confirmation, by the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only


@pytest.fixture
def path(agent: Caller) -> str:
    fields = {"item": "A lamp", "amount": {"amount": 1999, "currency": "EUR"}}
    return f"/v1/tickets/{agent.ticket(type='purchase', fields=fields)['id']}"


@pytest.mark.parametrize("body", [{}, {"confirm": False}], ids=str)
def test_without_the_confirmation_it_is_refused_and_nothing_is_recorded(
    agent: Caller, path: str, body: dict[str, Any]
) -> None:
    before = agent.read(path)

    refused = problem(
        agent.post(f"{path}/transitions", {"transition": "withdraw", **body}), 409, "confirmation_required"
    )

    assert refused["detail"] == ("withdraw asks for a confirmation: Withdraw the purchase? Send `confirm: true`.")
    assert agent.read(path) == before


def test_with_the_confirmation_it_is_taken(agent: Caller, path: str) -> None:
    moved = agent.made(f"{path}/transitions", {"transition": "withdraw", "confirm": True})

    assert moved["state"] == "closed"


def test_a_confirmation_of_a_transition_that_asks_for_none_changes_nothing(agent: Caller, path: str) -> None:
    agent.made(f"{path}/transitions", {"transition": "withdraw", "confirm": True})

    refused = agent.post(f"{path}/transitions", {"transition": "withdraw", "confirm": True})

    assert refused.status_code == 409
    assert refused.json["code"] == "transition_refused"


def test_an_impossible_transition_is_refused_for_its_own_reasons_first(agent: Caller, path: str) -> None:
    agent.made(f"{path}/transitions", {"transition": "withdraw", "confirm": True})

    refused = agent.post(f"{path}/transitions", {"transition": "withdraw"})

    assert refused.json["code"] == "transition_refused"
