"""The life cycles that we ship: fine by our own analysis, and every rule of them shown by a scenario."""

from __future__ import annotations

from functools import lru_cache

import pytest

from models.definitions import files
from models.publishing import catalogue
from models.workflow import checks, definition
from models.workflow.testing import scenarios
from models.workflow.testing.scenarios import Result
from scripts import defs

NAMES = ("support", "incident", "purchase", "access-request", "task")


@lru_cache(maxsize=1)
def shipped() -> list[defs.Found]:
    return defs.read_all(demo=True)


@lru_cache(maxsize=8)
def results(name: str) -> tuple[definition.Workflow, list[Result]]:
    [found] = [one for one in shipped() if (one.kind, one.name) == ("workflow", name)]
    workflow = checks.parse(found.body)
    body = files.load(found.path.parent / "scenarios.yaml").body
    return workflow, scenarios.run(workflow, scenarios.parse(body), catalogue.surroundings_of(shipped()).types)


def test_these_are_the_ones() -> None:
    assert sorted(one.name for one in shipped() if one.kind == "workflow") == sorted(NAMES)


def test_the_analysis_finds_nothing_in_them() -> None:
    told = [f"{defs.place_of(one, finding)} {finding.message}" for one, finding in defs.findings(shipped())]

    assert told == []


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_passes(name: str) -> None:
    _, found = results(name)

    failed = [
        f"{one.case}: step {f.step}: {f.what}: expected {f.expected!r}, found {f.found!r}"
        for one in found
        for f in one.failures
    ]
    assert len(found) >= 6
    assert failed == []


@pytest.mark.parametrize("name", NAMES)
def test_every_transition_and_every_reaction_acts_in_a_scenario(name: str) -> None:
    workflow, found = results(name)
    entries = [entry for one in found for entry in one.log]

    moved = {act.details["transition"] for entry in entries for act in entry.acts if act.kind == "moved"}
    acted = {look.rule for entry in entries for look in entry.traces if look.outcome == "acted"}
    assert set(workflow.transitions) - moved == set()
    assert {reaction.name for reaction in workflow.reactions} - acted == set()


def test_every_kind_of_effect_is_used_by_one_of_them() -> None:
    from models.workflow import places

    used = {effect.kind for name in NAMES for _, effect in places.effects(results(name)[0])}

    assert set(definition.EFFECTS) - used == {"remove_tags"}
