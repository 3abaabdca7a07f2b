"""Texts that are empty are withheld, and calls of transitions say what happened."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models.workflow.test_engine import kinds
from tests.models.workflow.test_engine import simulation as opened


@pytest.mark.parametrize(
    "effect",
    [
        {"send": "maybe"},
        {"note": "maybe"},
        {"ask_rating": "maybe"},
        {"notify": {"team": "it", "text": "maybe"}},
        {"create_ticket": {"title": "maybe", "type": "task"}},
    ],
)
def test_a_text_that_is_empty_is_withheld_with_its_template(effect: dict[str, Any]) -> None:
    maybe = "{% if ticket.team %}Team {{ ticket.team }}{% endif %} "
    simulated = opened(
        reactions=[{"on": "note", "name": "say", "do": [effect]}], templates={"maybe": {"en": maybe, "ru": maybe}}
    )

    silent = simulated.note("mira")
    simulated.instance.team = "it"
    spoken = simulated.note("mira")

    assert kinds(silent) == ["withheld"]
    assert "maybe gives an empty text" in silent.acts[0].details["reason"]
    assert "withheld" not in kinds(spoken)


def test_a_linked_ticket_with_an_empty_description_has_none() -> None:
    maybe = "{% if ticket.team %}Team {{ ticket.team }}{% endif %} "
    made = {"title": "text", "type": "task", "description": "maybe"}
    simulated = opened(
        reactions=[{"on": "note", "name": "say", "do": [{"create_ticket": made}]}],
        templates={"maybe": {"en": maybe, "ru": maybe}, "text": {"en": "Look", "ru": "Смотри"}},
    )

    assert simulated.note("mira").acts[0].details["description"] is None


@pytest.mark.parametrize("asked", ["request", "vote"])
def test_a_webhook_of_a_transition_says_that_the_state_changed(asked: str) -> None:
    transition: dict[str, Any] = {"do": [{"webhook": "hook"}]}
    if asked == "vote":
        transition["approval"] = {"team": "it", "own": True, "expires": "1d"}
    simulated = opened(go=transition, webhooks={"hook": {"url": "https://example.test", "secret": {"secret": "s"}}})

    step = simulated.transition("go", "olga")
    if asked == "vote":
        step = simulated.vote("go", "olga", "approve")

    [call] = [act for act in step.acts if act.kind == "webhook_called"]
    assert call.details["event"] == "state_changed"
