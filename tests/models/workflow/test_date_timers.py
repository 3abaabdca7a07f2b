"""Timers at the date in a field: when they fire, and how they follow a changed date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.kernel.errors import Invalid
from models.workflow import checks, definition
from models.workflow.definition import DateInstant
from models.workflow.execution import date_timers
from models.workflow.testing.simulation import Person, Simulation

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LABEL = {"en": "x", "ru": "x"}


def body(**timer: Any) -> dict[str, Any]:
    return {
        "workflow": "lent",
        "label": LABEL,
        "initial": "lent",
        "states": {
            "lent": {"category": "todo", "label": LABEL},
            "back": {"category": "waiting", "label": LABEL},
        },
        "transitions": {
            "give_back": {"from": ["lent"], "to": "back", "label": LABEL, "who": ["agent"]},
            "lend": {"from": ["back"], "to": "lent", "label": LABEL, "who": ["agent"]},
        },
        "reactions": [{"on": "timer:over", "name": "over", "do": [{"add_tags": ["over"]}]}],
        "timers": {"over": {"in": ["lent"], "at": {"field": "until"}} | timer},
    }


def lent(until: str | None = None, **at: Any) -> Simulation:
    workflow = checks.parse(body(at={"field": "until"} | at))
    simulation = Simulation(workflow, NOW, [Person("olga")])
    simulation.create(fields={"until": until} if until else {})
    return simulation


def due_at(simulation: Simulation) -> str | None:
    return simulation.timers["over"][0].isoformat() if "over" in simulation.timers else None


@pytest.mark.parametrize(
    ("at", "until", "due"),
    [
        ({}, "2026-12-10", "2026-12-10T00:00:00+00:00"),
        ({"day": "ends"}, "2026-12-10", "2026-12-11T00:00:00+00:00"),
        ({"day": "ends", "zone": "Europe/Berlin"}, "2026-12-10", "2026-12-10T23:00:00+00:00"),
        ({"day": "ends", "zone": "Europe/Berlin"}, "2026-07-10", "2026-11-23T09:00:00+00:00"),  # over: due now
        ({"zone": "America/Sao_Paulo"}, "2026-12-10", "2026-12-10T03:00:00+00:00"),
        ({"before": "7d"}, "2026-12-10", "2026-12-03T00:00:00+00:00"),
        ({"before": "7d"}, "2026-11-25", None),  # the reminder's instant has passed
        ({"before": "7d"}, "2026-01-01", None),
        ({}, "", None),
        ({}, "soon", None),
        ({"day": "ends"}, "9999-12-31", None),
    ],
)
def test_the_due_instant_is_that_of_the_date_in_the_zone(at: dict[str, Any], until: str, due: str | None) -> None:
    found = date_timers.due(DateInstant(field="until", **at), {"until": until}, NOW)

    assert (found.isoformat() if found else None) == due


def test_the_timer_fires_at_its_date_and_once() -> None:
    simulation = lent("2026-12-10")

    simulation.advance(to=datetime(2026, 12, 9, 23, 59, tzinfo=UTC))
    before = simulation.instance.tags
    simulation.advance(seconds=120)

    assert (before, simulation.instance.tags) == ((), ("over",))
    assert due_at(simulation) is None


def test_a_changed_date_moves_the_timer_and_a_removed_one_stops_it() -> None:
    simulation = lent("2026-12-10")

    simulation.change("olga", fields={"until": "2027-01-05"})
    assert due_at(simulation) == "2027-01-05T00:00:00+00:00"
    simulation.change("olga", fields={"until": None})
    assert due_at(simulation) is None
    simulation.change("olga", fields={"until": "2026-12-01"})

    assert due_at(simulation) == "2026-12-01T00:00:00+00:00"


def test_a_date_that_moves_after_the_timer_fired_sets_it_again() -> None:
    simulation = lent("2026-12-10")
    simulation.advance(to=datetime(2026, 12, 11, tzinfo=UTC))

    simulation.change("olga", fields={"until": "2027-01-05"})

    assert due_at(simulation) == "2027-01-05T00:00:00+00:00"


def test_a_date_that_changes_in_another_state_counts_at_the_next_visit() -> None:
    simulation = lent("2026-12-10")

    simulation.transition("give_back", "olga")
    simulation.change("olga", fields={"until": "2027-01-05"})
    assert due_at(simulation) is None
    simulation.transition("lend", "olga")

    assert due_at(simulation) == "2027-01-05T00:00:00+00:00"


@pytest.mark.parametrize(
    ("timer", "path", "told"),
    [
        ({"after": "2d"}, ".timers.over.after", "expected a duration such as 7d, or `at` with a date field"),
        ({"at": {"field": "until", "zone": "Mars/Base"}}, ".timers.over.at.zone", "expected a zone of the IANA"),
        ({"at": {"field": "until", "before": "soon"}}, ".timers.over.at.before", "expected"),
    ],
)
def test_a_faulty_date_timer_is_refused_with_its_place(timer: dict[str, Any], path: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        checks.parse(body(**timer))

    assert path in [one.path for one in refused.value.problems if told in one.message]


@pytest.mark.parametrize(
    ("targets", "path"),
    [
        ({"resolution": "1h"}, ".sla[0].targets.resolution"),
        ({"resolution": "2h"}, ".sla[0].targets.resolution"),
        ({"first_response": {"high": "30m", "default": "8h"}}, ".sla[0].targets.first_response.high"),
    ],
)
def test_a_warning_that_is_longer_than_its_target_is_an_error(targets: dict[str, Any], path: str) -> None:
    policy = {"name": "all", "targets": targets, "warn_before": "2h"}

    with pytest.raises(Invalid, match="expected a time longer than warn_before") as refused:
        checks.parse(body() | {"sla": [policy]})

    assert [one.path for one in refused.value.problems] == [path]


def test_a_warning_within_its_targets_is_fine() -> None:
    targets = {"resolution": {"high": "3h", "default": "9h"}}

    parsed = checks.parse(body() | {"sla": [{"name": "all", "targets": targets, "warn_before": "2h"}]})

    assert parsed.sla[0].warn_before == "2h"


def test_the_definition_keeps_the_old_key_of_a_timer() -> None:
    old = body()
    old["timers"]["over"] = {"in": ["lent"], "after_s": 60}

    assert definition.read(old).timers["over"].after_s == 60
    assert checks.parse(old).workflow == "lent"
