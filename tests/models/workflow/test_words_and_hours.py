"""Conditions over the words of a message, and over the clocks of the desk and of the requester."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.definitions.desk import Desk
from models.expressions import checker, conditions
from models.workflow import checks
from models.workflow.instance import condition_text_chars_max, seen_message
from models.workflow.testing.simulation import Simulation
from models.workflow.view import ENVIRONMENT, local_time

LABEL = {"en": "Label"}


def simulated(when: str, *, zone: str = "UTC", at: datetime | None = None, **requester: Any) -> Simulation:
    """A life cycle that adds the tag `seen` to tickets for which the condition holds."""
    body = {
        "workflow": "words",
        "label": LABEL,
        "initial": "open",
        "states": {"open": {"category": "todo", "label": LABEL}, "shut": {"category": "done", "label": LABEL}},
        "transitions": {"shut": {"from": ["open"], "to": "shut", "label": LABEL, "who": ["agent"]}},
        "reactions": [
            {"name": f"words_{event}", "on": event, "when": when, "do": [{"add_tags": ["seen"]}]}
            for event in ("ticket_created", "requester_message")
        ],
    }
    at = at or datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    simulation = Simulation(checks.parse(body), at, [], desk=Desk(zone=zone))
    simulation.requester = dict(simulation.requester) | requester
    return simulation


def tags_after(simulation: Simulation, text: str) -> tuple[str, ...]:
    simulation.create(text=text)
    return simulation.instance.tags


@pytest.mark.parametrize(
    ("when", "text", "seen"),
    [
        ('message.text.contains("refund")', "I want a refund.", True),
        ('message.text.contains("refund")', "I want a REFUND.", False),
        ('message.text_lower.contains("refund")', "I want a REFUND.", True),
        ('message.text_lower.contains("возврат")', "ВОЗВРАТ денег", True),
        (r'message.text_lower.matches("\\b(down|ausfall)\\b")', "Server DOWN!", True),
        (r'message.text_lower.matches("\\b(down|ausfall)\\b")', "The download is slow.", False),
        ('message.text == ""', "anything", False),
    ],
)
def test_words_of_the_message_decide(when: str, text: str, seen: bool) -> None:
    assert (tags_after(simulated(when), text) == ("seen",)) is seen


def test_a_later_message_decides_by_its_own_words() -> None:
    simulation = simulated('message.text_lower.contains("broken")')
    simulation.create(text="All is well.")

    simulation.message("It is BROKEN now.")

    assert simulation.instance.tags == ("seen",)


def test_conditions_see_the_beginning_of_a_long_message_and_its_whole_length() -> None:
    seen = seen_message("requester", "email", "a" * condition_text_chars_max + "tail")

    assert (len(seen["text"]), seen["length"]) == (condition_text_chars_max, condition_text_chars_max + 4)
    assert len(seen["text_lower"]) == condition_text_chars_max


def test_a_pattern_that_backtracking_engines_choke_on_is_linear() -> None:
    """A backtracking engine needs 2^32768 steps for it."""
    text = "a" * condition_text_chars_max
    view = {"message": seen_message("requester", "email", text)}

    assert conditions.holds('message.text.matches("^(a+)+$")', view)
    assert not conditions.holds('message.text.matches("^(a+)+b$")', view)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", {"hour": 23, "time": "23:30", "weekday": "mon"}),
        ("Europe/Berlin", {"hour": 0, "time": "00:30", "weekday": "tue"}),
        ("Asia/Kathmandu", {"hour": 5, "time": "05:15", "weekday": "tue"}),
        ("America/Los_Angeles", {"hour": 15, "time": "15:30", "weekday": "mon"}),
    ],
)
def test_the_desk_and_the_requester_have_clocks_of_their_own(zone: str, expected: dict[str, Any]) -> None:
    at = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    day, hour = expected["weekday"], expected["hour"]

    assert local_time(at, zone) == expected
    assert tags_after(simulated(f'desk.weekday == "{day}" && desk.hour == {hour}', zone=zone, at=at), "x") == ("seen",)
    theirs = simulated(f'requester.weekday == "{day}" && requester.hour == {hour}', at=at, time_zone=zone)
    assert tags_after(theirs, "x") == ("seen",)


def test_a_requester_without_a_time_zone_has_the_desks_clock() -> None:
    simulation = simulated('requester.time == "21:00"', zone="Asia/Tokyo")

    assert tags_after(simulation, "x") == ("seen",)


def test_the_clock_follows_daylight_saving() -> None:
    winter, summer = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 7))

    assert local_time(winter, "Europe/Berlin")["hour"] == 13
    assert local_time(summer, "Europe/Berlin")["hour"] == 14


def test_a_misspelt_clock_is_found_when_the_definition_is_checked() -> None:
    assert "unknown name day" in (checker.problem('desk.day == "mon"', ENVIRONMENT) or "")
    assert "never equal" in (checker.problem('desk.hour == "9"', ENVIRONMENT) or "")
